"""The Label Studio that an earlier spec named, as the Job that registered there still tells. Pure."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.label_studio import LabelStudio
from lsb_crds.resolved import Resolved
from lsb_operator import marks
from lsb_operator.actions import ENDED_SECONDS, Action, CreateJob, DeleteJob, EndJob
from lsb_operator.attempt import deleting, ended, suspended
from lsb_operator.events import Event
from lsb_operator.facts import Facts, Manifest, Observed
from lsb_operator.jobs.register import register_name
from lsb_operator.jobs.unregister import unregister
from lsb_operator.names import COMPONENT
from lsb_operator.reasons import Reason

LEFT_BEHIND = "It may still be registered in Label Studio"
DELETE_IT = "To do: delete it in its projects' settings."


@dataclass(frozen=True, slots=True)
class Former:
    """A Label Studio that the spec no longer names: the Job that registered there, and the one to undo it."""

    url: str
    name: str
    job: Observed
    undo: Manifest

    @property
    def name_of_undo(self) -> str:
        """Name of the Job that takes the backend out."""
        return str(self.undo["metadata"]["name"])


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
        yield Former(studio.url, name, job, unregister(earlier, resolved.model_copy(update=address)))


def leave_former(former: Former, facts: Facts) -> Iterator[Action]:
    """The next step of taking the backend out; none while a Job is at it.

    A register Job is all that tells of a former Label Studio, so it goes last.
    """
    undoing = jobs(facts, "unregister").get(former.name_of_undo)
    if not marked(former.job):
        yield EndJob(former.name)
    elif not over(former.job):
        return
    elif undoing is None:
        yield CreateJob(former.undo)
    elif ended(undoing):
        event = left_behind([former.url]) if ended(undoing) == "Failed" else None
        uid = str(former.job.metadata.get("uid") or "")
        yield DeleteJob(former.name, uid, "another Label Studio has taken its place", event)


def undone(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> bool:
    """Whether a registration is or was undone, so that what the register Job tells does not hold."""
    current = facts.children.get(("Job", register_name(backend, resolved)))
    return bool(
        (current is not None and marked(current))
        or jobs(facts, "unregister")
        or any(formers(backend, resolved, facts))
    )


def left_behind(urls: Iterable[str]) -> Event:
    """What to say of Label Studios that may still have the backend, as far as it is known which."""
    places = " and ".join(sorted(set(urls)))
    where = f" at {places}" if places else ""
    return Event("Warning", Reason.REGISTRATION_FAILED, f"{LEFT_BEHIND}{where}. {DELETE_IT}")


def marked(job: Observed) -> bool:
    """Whether what a Job did is being undone: see EndJob."""
    return job.spec.get("activeDeadlineSeconds") == ENDED_SECONDS


def over(job: Observed) -> bool:
    """Whether a Job has ended, its pods were told to, or somebody who admits Jobs lets none begin."""
    ending = any(
        one.get("type") == "FailureTarget" and one.get("status") == "True"
        for one in job.status.get("conditions") or []
    )
    held_back = suspended(job) and not job.status.get("active")
    return ending or held_back or ended(job) is not None


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
