"""Job <name>-register-<digest>: puts the backend into its Label Studio projects."""

import json

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved
from lsb_crds.serving import Serving
from lsb_operator import marks
from lsb_operator.children import volumes
from lsb_operator.children.config import document
from lsb_operator.children.digest import digest
from lsb_operator.children.metadata import metadata
from lsb_operator.children.volumes import Mounted
from lsb_operator.facts import Manifest
from lsb_operator.jobs.job import (
    Container,
    Limits,
    command,
    job,
    job_labels,
    manifest_file,
    manifest_text,
    template,
)

# Label Studio answers in seconds; a server that is down, or has no such project yet, is asked again later by
# another Job, since a Job of its own retries would add its pauses to those.
_LIMITS = Limits(retries=0, seconds=600)


def register(backend: LabelStudioBackend, resolved: Resolved) -> Manifest:
    """The Job. It stays when it is done, as the record of what is registered."""
    about = metadata(backend, register_name(backend, resolved), "register")
    what = {marks.REGISTRATION: registration_digest(backend, resolved)}
    about |= {"annotations": what | studio_annotation(backend, resolved)}
    text = manifest_text(backend, resolved)
    mounted = (volumes.basic_auth(backend), *connection(backend))
    options = {"--basic-auth-file": volumes.BASIC_AUTH_FILE} | token_option(backend)
    container = small_container(backend, resolved, command(["register"], options), mounted)
    pod_metadata = {"labels": job_labels(backend, "register", {}), "annotations": {marks.MANIFEST: text}}
    return job(about, template(backend, pod_metadata, container), _LIMITS)


def register_name(backend: LabelStudioBackend, resolved: Resolved) -> str:
    """The name of the Job that registers just this."""
    return f"{backend.metadata.name}-register-{registration_digest(backend, resolved)[:8]}"


def registration_digest(backend: LabelStudioBackend, resolved: Resolved) -> str:
    """A digest of all that Label Studio is told, and of what it is told it with."""
    studio = backend.spec.label_studio
    token = studio.token_secret_ref
    bundle = studio.ca_bundle
    return digest(
        {
            "url": studio.url,
            "backendURL": resolved.backend_url,
            "projects": sorted(studio.projects),
            "title": backend.metadata.name,
            "token": [token.name, token.key] if token else None,
            "caBundle": bundle.model_dump(mode="json") if bundle else None,
        }
    )


def studio_annotation(backend: LabelStudioBackend, resolved: Resolved) -> dict[str, str]:
    """What undoes the registration when the backend's spec says something else, or is gone."""
    section = document(backend, resolved)["spec"]["labelStudio"]
    return {marks.STUDIO: json.dumps(section, separators=(",", ":"), sort_keys=True)}


def connection(backend: LabelStudioBackend) -> tuple[Mounted, ...]:
    """What a pod needs to talk to Label Studio; its media folder is not among it."""
    studio = backend.spec.label_studio.model_copy(update={"media": None})
    return (manifest_file(), volumes.temporary(), *volumes.label_studio(studio))


def token_option(backend: LabelStudioBackend) -> dict[str, str | None]:
    """The option that names the token's file."""
    given = backend.spec.label_studio.token_secret_ref
    return {"--token-file": volumes.TOKEN_FILE if given else None}


def small_container(
    backend: LabelStudioBackend, resolved: Resolved, words: list[str], mounted: tuple[Mounted, ...]
) -> Container:
    """A container of the serving image that only talks: it needs no GPU, and no node that has one."""
    serving = backend.spec.serving
    settings = Serving(
        tolerations=serving.tolerations, image_pull_secrets=serving.image_pull_secrets, env=serving.env
    )
    few = {"requests": {"cpu": "50m", "memory": "128Mi"}}
    return Container(resolved.serve_image, words, settings, few, mounted)
