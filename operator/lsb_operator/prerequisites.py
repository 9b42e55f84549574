"""What a cluster must have before the operator can work: its version, and both definitions."""

import asyncio
import logging
import re

from lsb_crds.contract import API_VERSION
from lsb_crds.errors import UserError
from lsb_operator.api import Api, ApiError
from lsb_operator.facts import Manifest
from lsb_operator.kinds import BACKEND, TRAINING

OLDEST = (1, 31)
"""The oldest Kubernetes with all that is used here; the chart says the same."""
PERIOD = 5.0
"""Seconds after which the definitions are asked for again."""

_VERSION = "/version"
_DEFINITIONS = f"/apis/{API_VERSION}"

log = logging.getLogger(__name__)


class ClusterTooOldError(UserError):
    """The cluster lacks what the operator uses."""


async def check_version(api: Api) -> None:
    """Raises ClusterTooOldError; a version that cannot be read is none that is too old."""
    try:
        said = await api.read(_VERSION)
    except ApiError as error:
        log.warning("the version of the cluster cannot be read: %s", error)
        return
    complaint = too_old(said or {})
    if complaint:
        raise ClusterTooOldError(complaint)


def too_old(version: Manifest) -> str | None:
    """What to tell about an API server's answer to /version; None if it is new enough, or not clear."""
    # Some providers say "31+".
    parts = [re.match(r"\d+", str(version.get(part, ""))) for part in ("major", "minor")]
    if parts[0] is None or parts[1] is None:
        return None
    found = (int(parts[0][0]), int(parts[1][0]))
    if found >= OLDEST:
        return None
    needed = ".".join(map(str, OLDEST))
    return (
        f"This cluster runs Kubernetes {found[0]}.{found[1]}, and lsbackends needs {needed} or newer "
        "(selectable fields of custom resources, pods that wait before they end). To do: upgrade the cluster."
    )


async def definitions(api: Api, period: float = PERIOD) -> None:
    """Return when both kinds are defined; says what to do when it has to wait for that."""
    told = ""
    while complaint := await _undefined(api):
        if complaint != told:
            log.error("%s", complaint)
            told = complaint
        await asyncio.sleep(period)


async def _undefined(api: Api) -> str | None:
    try:
        there = await api.read(_DEFINITIONS) or {}
    except ApiError as error:
        return f"The kinds of {API_VERSION} cannot be asked for: {error}"
    served = {one["name"] for one in there.get("resources") or []}
    missing = [kind.name for kind in (BACKEND, TRAINING) if kind.plural not in served]
    if not missing:
        return None
    return (
        f"The cluster knows no {' and no '.join(missing)} of {API_VERSION}: waiting. To do: install the "
        "definitions, by the chart with crds.install=true, or by: lsb crd | kubectl apply --server-side -f -"
    )
