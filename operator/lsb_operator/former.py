"""The Label Studio that an earlier spec named, as the Job that registered there still tells. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.label_studio import LabelStudio
from lsb_crds.resolved import Resolved
from lsb_operator import marks
from lsb_operator.actions import Action, CreateJob, DeleteJob
from lsb_operator.attempt import deleting
from lsb_operator.facts import Facts, Key, Manifest, Observed
from lsb_operator.jobs.register import register_name
from lsb_operator.jobs.unregister import unregister
from lsb_operator.names import COMPONENT


@dataclass(frozen=True, slots=True)
class Former:
    """A Label Studio that the spec no longer names, with the Job that registered there and its opposite."""

    url: str
    registered_by: str
    uid: str
    job: Manifest

    @property
    def key(self) -> Key:
        """The Job that takes the backend out."""
        return "Job", str(self.job["metadata"]["name"])


def formers(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Iterator[Former]:
    """Those that may still have the backend."""
    current = register_name(backend, resolved)
    for name, job in sorted(jobs(facts, "register").items()):
        studio = studio_of(job) if name != current and not deleting(job) else None
        if studio is None or same(studio, backend):
            continue
        spec = backend.spec.model_copy(update={"label_studio": studio})
        earlier = backend.model_copy(update={"spec": spec})
        address = {"backend_url": studio.backend_url or resolved.backend_url}
        undo = unregister(earlier, resolved.model_copy(update=address))
        yield Former(studio.url, name, str(job.metadata.get("uid") or ""), undo)


def leave_formers(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> tuple[Action, ...]:
    """Take the backend out of them.

    A register Job is all that tells of one, so it goes only after the Job is there that undoes it.
    """
    return tuple(_leave(former, facts) for former in formers(backend, resolved, facts))


def _leave(former: Former, facts: Facts) -> Action:
    undoing = facts.children.get(former.key)
    if undoing is None or not undoing.owned_by_us:
        return CreateJob(former.job)
    return DeleteJob(former.registered_by, former.uid, "another Label Studio has taken its place")


def studio_of(job: Observed) -> LabelStudio | None:
    """Which Label Studio a Job was made for; None if it does not tell, or not in a way of this release."""
    text = (job.metadata.get("annotations") or {}).get(marks.STUDIO)
    try:
        section = json.loads(text or "")
        return LabelStudio.model_validate(section, extra="ignore", by_alias=True, by_name=False)
    except ValueError:  # also what pydantic raises
        return None


def same(studio: LabelStudio, backend: LabelStudioBackend) -> bool:
    """Whether it is the one of the spec."""
    return studio.url.rstrip("/") == backend.spec.label_studio.url.rstrip("/")


def jobs(facts: Facts, component: str) -> dict[str, Observed]:
    """The backend's Jobs of a kind, by their names."""
    return {
        name: job
        for (kind, name), job in facts.children.items()
        if kind == "Job"
        and job.owned_by_us
        and (job.metadata.get("labels") or {}).get(COMPONENT) == component
    }
