"""Job <name>-unregister-<digest>: takes the backend out of Label Studio, while or after its children go."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved
from lsb_operator import marks
from lsb_operator.children.digest import digest
from lsb_operator.children.metadata import unowned
from lsb_operator.facts import Manifest
from lsb_operator.jobs.job import Limits, command, job, job_labels, manifest_text, template
from lsb_operator.jobs.register import (
    connection,
    registration_digest,
    small_container,
    studio_annotation,
    token_option,
)

SECONDS = 60
"""The longest that a deletion waits for Label Studio."""
# Nobody owns it, so it must go by itself.
_LIMITS = Limits(retries=2, seconds=SECONDS, kept=300)


def unregister(backend: LabelStudioBackend, resolved: Resolved) -> Manifest:
    """The Job. Its pod mounts nothing that is the backend's own: that may be gone before it starts."""
    about = unowned(backend, unregister_name(backend, resolved), "unregister")
    about |= {"annotations": studio_annotation(backend, resolved)}
    words = command(["unregister"], token_option(backend))
    container = small_container(backend, resolved, words, connection(backend))
    text = manifest_text(backend, resolved)
    pod_metadata = {"labels": job_labels(backend, "unregister", {}), "annotations": {marks.MANIFEST: text}}
    return job(about, template(backend, pod_metadata, container), _LIMITS)


def unregister_name(backend: LabelStudioBackend, resolved: Resolved) -> str:
    """The name of the Job for this very backend: one of the same name may have left its own behind."""
    what = digest([registration_digest(backend, resolved), backend.metadata.uid])
    return f"{backend.metadata.name}-unregister-{what[:8]}"
