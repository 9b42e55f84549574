"""What all tests share."""

import asyncio
import itertools
import signal
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

Until = Callable[[Callable[[], bool]], Awaitable[None]]


def pytest_configure() -> None:
    """Let the programs that tests start be interrupted: those of a run in the background would ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def until() -> Until:
    """Wait for a condition that nothing announces."""

    async def wait(condition: Callable[[], bool]) -> None:
        for _ in itertools.count():
            if condition():
                return
            await asyncio.sleep(0.005)

    return wait
