"""From a first version to a backend that serves; stand-ins play the kubelet and the programs in pods."""

import asyncio
from typing import Any

import pytest
from kubelet import finish, runs
from operating import Running, Studio, eventually

FIRST = "0-0a1b2c3d"


@pytest.fixture
def said() -> dict[str, Any]:
    """What the serving pod says of itself."""
    return {"model": {"version": FIRST, "metrics": {"exported": {"metrics/mAP50-95(B)": 0.4}}}}


async def test_it_prepares_serves_and_reports(studio: Studio, operator: Running, address: str) -> None:
    studio.apply()
    deployment = eventually(lambda: studio.get("Deployment", "cats"), "a Deployment")
    assert deployment["spec"]["replicas"] == 0
    await asyncio.to_thread(_first_version, studio, address)
    ready = await asyncio.to_thread(
        eventually, lambda: _is(studio.condition("Ready"), "True"), "the backend is ready"
    )
    assert ready["observedGeneration"] == 1
    assert studio.get("ConfigMap", "cats-model")["data"]["version"] == FIRST
    status = studio.status()
    assert status["phase"] == "Ready"
    assert status["model"]["version"] == status["model"]["target"] == FIRST
    assert status["model"]["metrics"] == {"metrics/mAP50-95(B)": 0.4}
    assert status["replicas"] == 1
    studio.kubectl("wait", "lsb/cats", "--for=condition=Ready", "--timeout=5s")
    events = studio.kubectl("get", "events", "--output=jsonpath={.items[*].reason}")
    assert "Ready" in events.split()


def _first_version(studio: Studio, address: str) -> None:
    finish(studio, "prepare", {"outcome": "Prepared", "version": FIRST})
    runs(studio, "serve", address)


def _is(condition: dict[str, Any], status: str) -> dict[str, Any] | None:
    return condition if condition.get("status") == status else None
