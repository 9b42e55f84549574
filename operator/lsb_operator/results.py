"""What a Job's last pod left behind: the result of a training, or words about why there is none."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from lsb_crds.results import TrainingResult
from lsb_operator.facts import PodFacts, Terminated

LONGEST = 1024
"""Characters of somebody else's words that are passed on."""


def read_result(content: str | Mapping[str, Any]) -> TrainingResult | None:
    """The result in a termination message or in a status; None for what is empty, cut off or not ours."""
    try:
        data = json.loads(content) if isinstance(content, str) else dict(content)
        # A newer image may say more than this release knows.
        found = TrainingResult.model_validate(data, extra="ignore")
    except (ValueError, ValidationError, RecursionError):
        return None
    names_nothing = found.outcome != "Failed" and found.version is None
    return None if names_nothing else found


def result_of(pods: Iterable[PodFacts]) -> TrainingResult | None:
    """The newest result that any pod of a Job left."""
    return next((found for end in ends(pods) if (found := read_result(end.message))), None)


def ends(pods: Iterable[PodFacts]) -> list[Terminated]:
    """How the containers of the pods ended, newest first."""
    found = [pod.ended for pod in pods if pod.ended is not None]
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda end: end.finished_at or oldest, reverse=True)


def last_words(pods: Iterable[PodFacts]) -> str | None:
    """What a person should read of a failed Job: the last line that it said, or how its container ended."""
    pods = list(pods)
    found = ends(pods)
    if not found:
        return next((pod.message or pod.reason for pod in pods if pod.message or pod.reason), None)
    end = found[0]
    result = read_result(end.message)
    if result is not None and result.message:
        return result.message[:LONGEST]
    lines = [line.strip() for line in end.message.splitlines() if line.strip()]
    said = f": {lines[-1][:LONGEST]}" if lines else ""
    how = f"{end.reason}, exit code {end.exit_code}" if end.reason else f"exit code {end.exit_code}"
    return f"{how}{said}"
