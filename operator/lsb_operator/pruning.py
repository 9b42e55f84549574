"""Which finished trainings are history that nobody needs any more. Pure."""

import re
from datetime import timedelta

from lsb_crds.backend import LabelStudioBackend
from lsb_operator import marks
from lsb_operator.actions import DeleteTraining
from lsb_operator.attempt import FINAL
from lsb_operator.facts import Facts, TrainingFacts
from lsb_operator.versions import sequence
from lsb_operator.waiting import by_age

READABLE = timedelta(hours=1)
"""How long a training that ended can be read by whoever asked for it, however many there are."""


def prune(backend: LabelStudioBackend, facts: Facts) -> list[DeleteTraining]:
    """Deletions of the oldest finished trainings beyond `keepVersions`, and of those that never began.

    Kept besides: those of the target and of the version before, the newest promoted, prepared, scheduled and
    automatic one, because what to do next is worked out from them, and those that Git would bring back.
    """
    finished = sorted((one for one in facts.trainings if one.phase in FINAL), key=by_age, reverse=True)
    needed = _needed(facts, finished)
    began = [one for one in finished if one.job is not None]
    kept = {one.name for one in began[: backend.spec.training.keep_versions]} | needed
    readable = facts.now - READABLE
    return [
        DeleteTraining(one.name, one.uid, "it is older than those that training.keepVersions keeps")
        for one in reversed(finished)
        if one.name not in kept and not one.deleting and marks.TRACKED not in one.annotations
        if one.finished_at is not None and one.finished_at < readable
    ]


def _needed(facts: Facts, newest_first: list[TrainingFacts]) -> set[str]:
    served = {version for version in (facts.target, facts.previous) if version is not None}
    promoted = max(newest_first, key=lambda one: sequence(one.promoted), default=None)
    found = {one.name for one in newest_first if one.promoted in served}
    found |= {promoted.name} if promoted is not None else set()
    found |= {one.name for one in newest_first if one.reason == "Prepare"}
    found |= {one.name for one in [one for one in newest_first if one.reason == "Schedule"][:1]}
    automatic = [one for one in newest_first if _number(facts.name, one) >= 0]
    return found | {one.name for one in sorted(automatic, key=lambda one: _number(facts.name, one))[-1:]}


def _number(backend: str, training: TrainingFacts) -> int:
    found = re.fullmatch(rf"{re.escape(backend)}-after-(\d+)", training.name)
    return int(found[1]) if found else -1
