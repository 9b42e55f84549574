"""Putting the backend into Label Studio's projects: the same for `lsb serve` and for the commands."""

import logging
import os
from pathlib import Path

from lsb_backend.label_studio import registration
from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.label_studio.token import read_token
from lsb_backend.label_studio.wanted import BasicAuth
from lsb_backend.serve.basic_auth import read_credentials
from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolve import resolve

log = logging.getLogger(__name__)


def basic_auth(file: Path | None) -> BasicAuth | None:
    """What callers have to send; raises UserError for what Label Studio could not send."""
    return BasicAuth(*read_credentials(file)) if file else None


async def register_with(studio: LabelStudio, backend: LabelStudioBackend, auth: BasicAuth | None) -> None:
    """Add or update the backend in its projects; raises UserError in plain words."""
    projects = backend.spec.label_studio.projects
    url, about = resolve(backend).backend_url, backend.metadata
    _log(await registration.register(studio, url, about.name, projects, auth, about.namespace))


async def register(backend: LabelStudioBackend, auth: BasicAuth | None, token_file: Path | None) -> None:
    """Connect to Label Studio, and register there."""
    token = read_token(token_file, os.environ)
    async with LabelStudio.connect(backend.spec.label_studio.url, token) as studio:
        await studio.check()
        await register_with(studio, backend, auth)


async def unregister(backend: LabelStudioBackend, token_file: Path | None) -> None:
    """Connect to Label Studio, and remove the backend and its webhooks."""
    token = read_token(token_file, os.environ)
    async with LabelStudio.connect(backend.spec.label_studio.url, token) as studio:
        await studio.check()
        projects = backend.spec.label_studio.projects
        url, about = resolve(backend).backend_url, backend.metadata
        _log(await registration.unregister(studio, url, about.name, projects, about.namespace))


def _log(reports: list[registration.ProjectReport]) -> None:
    for report in reports:
        note = f": {report.note}" if report.note else ""
        log.info("Project %d: registration %s%s", report.project, report.outcome, note)
