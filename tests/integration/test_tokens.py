"""Which tokens a real Label Studio accepts, and what people are told about the others."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.label_studio.errors import LabelStudioError, RefusedError, UnreachableError
from lsb_backend.label_studio.token import kind, read_token


def resigned(token: str, key: str, **claims: Any) -> str:
    """The same JWT with other claims, signed with `key`."""
    head, body, _ = token.split(".")
    values = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) | claims
    changed = base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()
    signature = hmac.new(key.encode(), f"{head}.{changed}".encode(), hashlib.sha256).digest()
    return f"{head}.{changed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def secret_key(label_studio: Any) -> str:
    lines = (label_studio.server.data / ".env").read_text().splitlines()
    return next(
        line.partition("=")[2].strip().strip("'\"") for line in lines if line.startswith("SECRET_KEY")
    )


async def refused(label_studio: Any, token: str) -> str:
    """What a person is told who starts with this token."""
    async with LabelStudio.connect(label_studio.url, token) as studio:
        with pytest.raises(RefusedError) as caught:
            await studio.check()
    assert token not in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_a_personal_access_token_is_accepted(label_studio: Any) -> None:
    assert kind(label_studio.token) == "personal"
    async with LabelStudio.connect(label_studio.url, label_studio.token) as studio:
        await studio.check()


async def test_a_legacy_token_is_accepted_where_the_organization_allows_it(
    label_studio: Any, admin: Any, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(admin.legacy_token() + "\n")
    token = read_token(file, {})
    assert kind(token) == "legacy"
    admin.allow_tokens(legacy=True)
    try:
        async with LabelStudio.connect(label_studio.url, token) as studio:
            await studio.check()
    finally:
        admin.allow_tokens(legacy=False)


async def test_a_disabled_legacy_token_is_explained(label_studio: Any, admin: Any) -> None:
    text = await refused(label_studio, admin.legacy_token())
    assert "create a personal access token" in text
    assert "API Tokens Settings" in text


async def test_an_unknown_legacy_token_is_explained(label_studio: Any) -> None:
    assert "does not know this token" in await refused(label_studio, "0" * 40)


async def test_a_token_signed_with_a_lost_key_is_explained(label_studio: Any) -> None:
    assert "SECRET_KEY" in await refused(label_studio, resigned(label_studio.token, "another key"))


async def test_nonsense_with_two_dots_is_explained(label_studio: Any) -> None:
    assert "mistyped" in await refused(label_studio, "not.a.token")


async def test_an_expired_personal_token_is_explained(label_studio: Any) -> None:
    token = resigned(label_studio.token, secret_key(label_studio), exp=int(time.time()) - 60)
    assert "create a new one" in await refused(label_studio, token)


async def test_a_revoked_personal_token_is_explained(label_studio: Any, admin: Any) -> None:
    revoked, label_studio.token = label_studio.token, admin.personal_token()
    assert "revoked" in await refused(label_studio, revoked)


async def test_an_access_token_in_place_of_a_personal_one_is_explained(label_studio: Any) -> None:
    async with LabelStudio.connect(label_studio.url, label_studio.token) as studio:
        access = (await studio.headers())["Authorization"].removeprefix("Bearer ")
    assert "short-lived access token" in await refused(label_studio, access)


async def test_switched_off_personal_tokens_are_explained(label_studio: Any, admin: Any) -> None:
    admin.allow_tokens(personal=False)
    try:
        assert "switched off in the organization" in await refused(label_studio, label_studio.token)
    finally:
        admin.allow_tokens(personal=True)


async def test_an_expired_access_token_is_replaced_without_anybody_noticing(label_studio: Any) -> None:
    async with LabelStudio.connect(label_studio.url, label_studio.token) as studio:
        access = (await studio.headers())["Authorization"].removeprefix("Bearer ")
        old = resigned(access, secret_key(label_studio), exp=int(time.time()) - 1)
        async with ClientSession() as session:
            answer = await session.get(
                f"{label_studio.url}/api/current-user/whoami", headers={"Authorization": f"Bearer {old}"}
            )
            assert answer.status == 401
        studio.credentials._header = f"Bearer {old}"  # what 300 s would do
        await studio.check()
        assert (await studio.headers())["Authorization"] != f"Bearer {old}"


async def test_a_changed_token_file_is_noticed(label_studio: Any, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("0" * 40)
    async with LabelStudio.connect(label_studio.url, lambda: read_token(file, {})) as studio:
        with pytest.raises(RefusedError):
            await studio.check()
        file.write_text(label_studio.token)
        await studio.check()


async def test_a_forgotten_sub_path_is_explained(sub_path_label_studio: Any, sub_path_url: str) -> None:
    forgotten = sub_path_url.removesuffix("/label")
    async with LabelStudio.connect(forgotten, sub_path_label_studio.token) as studio:
        with pytest.raises(LabelStudioError, match=r"served under a path .* is part of it"):
            await studio.check()


async def test_tls_to_a_server_without_tls_is_explained(label_studio: Any) -> None:
    url = label_studio.url.replace("http:", "https:")
    async with LabelStudio.connect(url, label_studio.token) as studio:
        with pytest.raises(LabelStudioError, match="does not speak TLS"):
            await studio.check()


async def test_label_studio_down_and_back(label_studio: Any, project: int) -> None:
    async with LabelStudio.connect(label_studio.url, label_studio.token) as studio:
        await studio.check()
        label_studio.server.pause()
        try:
            with pytest.raises(UnreachableError, match="Nothing answers at"):
                await studio.project(project)
        finally:
            label_studio.server.start()
        assert (await studio.project(project))["id"] == project
