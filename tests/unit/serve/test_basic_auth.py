"""Nothing but the probes is open once there is a password."""

import base64
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from lsb_backend.serve.basic_auth import BasicAuthMiddleware, read_credentials
from lsb_crds.errors import UserError


def header(user: str, password: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())


async def status_of(path: str, authorization: bytes | None, root_path: str = "") -> int:
    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    statuses: list[int] = []

    async def send(message: dict) -> None:  # type: ignore[type-arg]
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = [(b"authorization", authorization)] if authorization is not None else []
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    middleware = BasicAuthMiddleware(inner, "alice", "sécret", root_path)
    await middleware(scope, None, send)  # type: ignore[arg-type]
    return statuses[0]


@pytest.mark.parametrize(
    "path", ["/health", "/setup", "/predict", "/webhook", "/versions", "/", "/status", "/metrics"]
)
async def test_every_other_path_needs_the_password(path: str) -> None:
    assert await status_of(path, None) == 401
    assert await status_of(path, header("alice", "wrong")) == 401
    assert await status_of(path, header("alice", "sécret")) == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_probes_are_open_with_and_without_the_prefix(path: str) -> None:
    assert await status_of(path, None) == 200
    assert await status_of("/cats" + path, None, "/cats") == 200


@pytest.mark.parametrize("path", ["/predict/livez", "/livez/../predict", "//livez", "/cats/livez"])
async def test_a_path_that_only_resembles_a_probe_is_not_open(path: str) -> None:
    assert await status_of(path, None) == 401


@pytest.mark.parametrize(
    "value",
    [b"", b"Basic", b"Basic !!!", b"Basic " + base64.b64encode(b"alice"), b"Bearer x", b"Basic \xff\xfe"],
)
async def test_a_malformed_header_is_401_not_a_crash(value: bytes) -> None:
    assert await status_of("/predict", value) == 401


def test_credentials_file_may_hold_a_colon_in_the_password(tmp_path: Path) -> None:
    file = tmp_path / "auth"
    file.write_text("alice:a:b\n")
    assert read_credentials(file) == ("alice", "a:b")


@pytest.mark.parametrize("content", ["", "alice", "alice:", ":secret", "a:b\nc:d", "a:" + "b" * 9000])
def test_a_credentials_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "auth"
    file.write_text(content)
    with pytest.raises(UserError, match="user:password"):
        read_credentials(file)


def test_a_credentials_file_without_an_end_is_refused() -> None:
    with pytest.raises(UserError, match="user:password"):
        read_credentials(Path("/dev/zero"))
