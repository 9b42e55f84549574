"""A training that a schedule asks for, at the time of day of its own time zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from faults.life import wait_for
from kubelet import finish
from operating import Running, Studio, eventually

ZONE = "Asia/Kathmandu"
"""Off by a quarter of an hour from anybody's clock who takes the hour for the whole of it."""


def test_a_training_begins_when_it_is_time_in_the_zone_of_the_schedule(
    studio: Studio, operator: Running
) -> None:
    studio.apply()
    finish(studio, "prepare", {"outcome": "Prepared", "version": "0-0a1b2c3d"})
    eventually(lambda: studio.status().get("model", {}).get("target"), "there is a first version")
    # The minute after the next: it must not be over before the schedule is written.
    due = (datetime.now(UTC) + timedelta(minutes=1, seconds=30)).replace(second=0, microsecond=0)
    there = due.astimezone(ZoneInfo(ZONE))
    schedule = f"{there.minute} {there.hour} * * *"
    studio.apply(training={"triggers": {"schedule": schedule, "timeZone": ZONE}})
    eventually(lambda: studio.status().get("observedGeneration") == 2, "the schedule is known")
    assert "cats-after-0" not in studio.names("LabelStudioTraining")
    wait_for(lambda: studio.get("LabelStudioTraining", "cats-after-0"), "it is asked for")
    training = studio.get("LabelStudioTraining", "cats-after-0")
    assert training["spec"]["reason"] == "Schedule"
    assert datetime.fromisoformat(training["metadata"]["creationTimestamp"]) >= due
    finish(studio, "train", {"outcome": "Rejected", "version": "1-0a1b2c3d", "message": "not better"})
    eventually(lambda: _phase(studio, "cats-after-0") == "Rejected", "it has been done")
    studio.apply(training={"triggers": {"schedule": schedule, "timeZone": ZONE}, "epochs": 7})
    eventually(lambda: studio.status().get("observedGeneration") == 3, "it was looked at once more")
    # Once for each time of the schedule.
    assert [one for one in studio.names("LabelStudioTraining") if "after" in one] == ["cats-after-0"]


def _phase(studio: Studio, training: str) -> str:
    found = studio.get("LabelStudioTraining", training) or {}
    return str((found.get("status") or {}).get("phase"))
