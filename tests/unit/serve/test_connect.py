"""Label Studio may be down at the start; the server says so and connects when it is back."""

import logging

import pytest

from lsb_backend.serve.connect import connect
from lsb_backend.serve.status import Status
from lsb_crds.errors import UserError


class Studio:
    """Refuses a number of times, then accepts."""

    def __init__(self, refusals: list[str]) -> None:
        self.refusals = refusals
        self.calls = 0

    async def call(self) -> None:
        self.calls += 1
        if self.refusals:
            raise UserError(self.refusals.pop(0))


async def test_it_goes_on_until_the_check_and_the_registration_succeed() -> None:
    check, register, status = Studio(["down"] * 3), Studio(["no such project"]), Status()
    await connect(check.call, register.call, status, first_pause=0.0)
    assert (check.calls, register.calls) == (4, 2)
    assert status.label_studio is None
    assert status.registration is None


async def test_the_same_trouble_is_logged_once_and_another_again(caplog: pytest.LogCaptureFixture) -> None:
    check = Studio(["down", "down", "token refused", "token refused"])
    with caplog.at_level(logging.WARNING):
        await connect(check.call, None, Status(), first_pause=0.0)
    assert [record.message.split(" (")[0] for record in caplog.records] == ["down", "token refused"]


async def test_the_trouble_stands_in_the_status_meanwhile() -> None:
    status = Status()
    seen: list[str | None] = []

    async def check() -> None:
        seen.append(status.label_studio.message if status.label_studio else None)
        if len(seen) < 3:
            raise UserError("down")

    await connect(check, None, status, first_pause=0.0)
    assert seen == [None, "down", "down"]


async def test_nothing_is_registered_when_the_manifest_says_so() -> None:
    check = Studio([])
    await connect(check.call, None, Status(), first_pause=0.0)
    assert check.calls == 1
