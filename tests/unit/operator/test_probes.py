"""What Kubernetes is told when it asks how the operator is."""

import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from lsb_crds.errors import UserError
from lsb_operator.events import Event
from lsb_operator.metrics import Metrics
from lsb_operator.probes import LONGEST_SILENCE, LONGEST_WORK, Health, serving


async def _ask(health: Health, path: str) -> tuple[int, str]:
    async with (
        serving(health, Metrics().registry, "127.0.0.1", 0) as port,
        ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.text()


async def test_it_is_alive_while_the_queue_and_the_watches_move() -> None:
    assert await _ask(Health(), "/livez") == (200, "ok")


async def test_a_stuck_reconcile_fails_liveness() -> None:
    health = Health()
    health.oldest_age = lambda: LONGEST_WORK + 1
    status, text = await _ask(health, "/livez")
    assert status == 500
    assert "waiting to be reconciled for 301 s" in text


async def test_a_stuck_watch_fails_liveness() -> None:
    health = Health()
    health.silence = lambda: LONGEST_SILENCE + 1
    status, text = await _ask(health, "/livez")
    assert status == 500
    assert "A watch has not been renewed" in text


async def test_it_is_ready_once_it_could_connect() -> None:
    health = Health()
    assert (await _ask(health, "/readyz"))[0] == 503
    health.ready = True
    assert (await _ask(health, "/readyz"))[0] == 200


async def test_a_port_that_somebody_has_is_named() -> None:
    registry = Metrics().registry
    async with serving(Health(), registry, "127.0.0.1", 0) as port:
        with pytest.raises(UserError, match=rf"port {port}: .* To do: name another one by --host and --port"):
            async with serving(Health(), registry, "127.0.0.1", port):
                pass


async def test_metrics_can_be_read_by_prometheus() -> None:
    _, text = await _ask(Health(), "/metrics")
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"lsb_reconciles", "lsb_reconcile_seconds", "lsb_reconcile_errors", "lsb_queue_depth"} <= names


def test_trainings_and_rollouts_are_counted_by_what_became_of_them() -> None:
    metrics = Metrics()
    for reason in ("TrainingStarted", "TrainingSucceeded", "TrainingFailed", "TrainingFailed", "RolledBack"):
        metrics.count(Event("Normal", reason, ""))
    value = metrics.registry.get_sample_value
    assert value("lsb_trainings_total", {"phase": "Failed"}) == 2
    assert value("lsb_trainings_total", {"phase": "Succeeded"}) == 1
    assert value("lsb_trainings_total", {"phase": "Started"}) is None
    assert value("lsb_rollouts_total", {"outcome": "RolledBack"}) == 1
