"""Registering at a real Label Studio: once, as the manifest says, and explained when it does not work."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.label_studio.errors import RegistrationError
from lsb_backend.label_studio.registration import register, unregister
from lsb_backend.label_studio.wanted import BasicAuth

TITLE = "cats-and-dogs"
REGION = {
    "id": "region0001",
    "from_name": "label",
    "to_name": "image",
    "type": "rectanglelabels",
    "original_width": 320,
    "original_height": 240,
    "value": {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["cat"]},
}


@pytest.fixture
async def studio(label_studio: Any) -> AsyncIterator[LabelStudio]:
    async with LabelStudio.connect(label_studio.url, label_studio.token) as connected:
        yield connected


def outcomes(reports: Any) -> dict[int, str]:
    return {report.project: report.outcome for report in reports}


def annotate(admin: Any, project: int) -> None:
    [task] = admin.import_tasks(project, [{"data": {"image": "http://images.invalid/1.png"}}])
    admin.annotate(task, [REGION])


async def test_registering_twice_makes_one_row_and_one_webhook(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    assert outcomes(await register(studio, stub.url, TITLE, [project], None)) == {project: "added"}
    assert outcomes(await register(studio, stub.url + "/", TITLE, [project], None)) == {project: "unchanged"}
    [backend] = admin.backends(project)
    assert (backend["url"], backend["title"], backend["state"]) == (stub.url, TITLE, "CO")
    assert [hook["url"] for hook in admin.webhooks(project)] == [f"{stub.url}/webhook"]
    assert admin.get(f"/api/projects/{project}/")["model_version"] == TITLE


async def test_annotations_reach_the_registered_backend(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    await register(studio, stub.url, TITLE, [project], None)
    annotate(admin, project)
    assert "ANNOTATION_CREATED" in [body["action"] for _, body in stub.webhooks()]


async def test_with_basic_auth_the_webhook_carries_the_credentials(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    basic_auth = BasicAuth("alice", "s3cret")
    stub.credentials = basic_auth.header
    await register(studio, stub.url, TITLE, [project], basic_auth)
    annotate(admin, project)
    assert [headers.get("Authorization") for headers, _ in stub.webhooks()] == [basic_auth.header] * len(
        stub.webhooks()
    )
    assert stub.webhooks()
    again = await register(studio, stub.url, TITLE, [project], basic_auth)
    assert outcomes(again) == {project: "unchanged"}


async def test_a_changed_password_is_passed_on(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    await register(studio, stub.url, TITLE, [project], BasicAuth("alice", "old"))
    changed = BasicAuth("alice", "new")
    stub.credentials = changed.header
    assert outcomes(await register(studio, stub.url, TITLE, [project], changed)) == {project: "updated"}
    assert admin.backends(project)[0]["state"] == "CO"
    assert admin.webhooks(project)[0]["headers"] == {"Authorization": changed.header}


async def test_switching_basic_auth_off_sends_no_credentials_any_more(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    await register(studio, stub.url, TITLE, [project], BasicAuth("alice", "s3cret"))
    assert outcomes(await register(studio, stub.url, TITLE, [project], None)) == {project: "updated"}
    stub.received.clear()
    annotate(admin, project)
    assert len(admin.backends(project)) == 1
    assert {path for path, _, _ in stub.received} == {"/health", "/setup", "/webhook"}
    assert not [headers for _, headers, _ in stub.received if "Authorization" in headers]


async def test_missing_credentials_are_diagnosed(studio: LabelStudio, project: int, stub: Any) -> None:
    stub.credentials = BasicAuth("alice", "s3cret").header
    with pytest.raises(RegistrationError, match="HTTP Basic authentication were wrong"):
        await register(studio, stub.url, TITLE, [project], None)


async def test_a_changed_address_moves_row_and_webhook(
    studio: LabelStudio, admin: Any, project: int, start_stub: Callable[[], Any]
) -> None:
    old, new = start_stub(), start_stub()
    await register(studio, old.url, TITLE, [project], None)
    assert outcomes(await register(studio, new.url, TITLE, [project], None)) == {project: "updated"}
    assert [row["url"] for row in admin.backends(project)] == [new.url]
    assert [hook["url"] for hook in admin.webhooks(project)] == [f"{new.url}/webhook"]


async def test_a_namesake_in_another_namespace_keeps_its_row(
    studio: LabelStudio, admin: Any, project: int, start_stub: Callable[[], Any]
) -> None:
    red, blue = start_stub(), start_stub()
    await register(studio, red.url, TITLE, [project], None, "team-red")
    assert outcomes(await register(studio, blue.url, TITLE, [project], None, "team-blue")) == {
        project: "added"
    }
    assert {row["url"] for row in admin.backends(project)} == {red.url, blue.url}
    await unregister(studio, red.url, TITLE, [project], "team-red")
    assert [row["url"] for row in admin.backends(project)] == [blue.url]
    assert [hook["url"] for hook in admin.webhooks(project)] == [f"{blue.url}/webhook"]


async def test_a_row_made_by_hand_is_adopted(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    admin.send("POST", "/api/ml", {"project": project, "url": stub.url, "title": "by hand"})
    assert outcomes(await register(studio, stub.url, TITLE, [project], None)) == {project: "updated"}
    assert [row["title"] for row in admin.backends(project)] == [TITLE]


async def test_rows_left_by_earlier_tries_are_removed_and_the_choice_is_kept(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    await register(studio, stub.url, TITLE, [project], None)
    for _ in range(2):
        admin.send("POST", "/api/ml", {"project": project, "url": stub.url, "title": TITLE})
    admin.send("POST", "/api/webhooks/", {"project": project, "url": f"{stub.url}/webhook"})
    assert outcomes(await register(studio, stub.url, TITLE, [project], None)) == {project: "updated"}
    assert len(admin.backends(project)) == 1
    assert len(admin.webhooks(project)) == 1
    assert admin.get(f"/api/projects/{project}/")["model_version"] == TITLE


async def test_a_try_that_was_broken_off_while_label_studio_worked_on_it_leaves_no_second_row(
    studio: LabelStudio, admin: Any, project: int, stub: Any, until: Any
) -> None:
    first, second = stub.gates = [threading.Event(), threading.Event()]
    gates = len(stub.gates)
    broken_off = asyncio.create_task(register(studio, stub.url, TITLE, [project], BasicAuth("alice", "old")))
    await until(lambda: len(stub.gates) == gates - 1)
    broken_off.cancel()
    again = asyncio.create_task(register(studio, stub.url, TITLE, [project], None))
    await until(lambda: not stub.gates)
    # Label Studio finishes what nobody waits for any more.
    first.set()
    await until(lambda: bool(admin.backends(project)))
    second.set()
    assert outcomes(await again) == {project: "updated"}
    [row] = admin.backends(project)
    assert (row["url"], row["basic_auth_user"]) == (stub.url, "")
    assert [hook["url"] for hook in admin.webhooks(project)] == [f"{stub.url}/webhook"]
    assert admin.get(f"/api/projects/{project}/")["model_version"] == TITLE


async def test_a_lost_or_switched_off_webhook_is_put_back(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    await register(studio, stub.url, TITLE, [project], None)
    [hook] = admin.webhooks(project)
    admin.send("PATCH", f"/api/webhooks/{hook['id']}/", {"is_active": False, "url": hook["url"]})
    assert outcomes(await register(studio, stub.url, TITLE, [project], None)) == {project: "updated"}
    assert admin.webhooks(project)[0]["is_active"]
    admin.send("DELETE", f"/api/webhooks/{hook['id']}/")
    assert outcomes(await register(studio, stub.url, TITLE, [project], None)) == {project: "updated"}
    assert [hook["url"] for hook in admin.webhooks(project)] == [f"{stub.url}/webhook"]


async def test_unregistering_leaves_neither_row_nor_webhook(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    await register(studio, stub.url, TITLE, [project], None)
    assert outcomes(await unregister(studio, stub.url, TITLE, [project])) == {project: "removed"}
    assert admin.backends(project) == []
    assert admin.webhooks(project) == []
    assert outcomes(await unregister(studio, stub.url, TITLE, [project])) == {project: "absent"}


async def test_unregistering_from_a_deleted_project_is_fine(
    studio: LabelStudio, admin: Any, stub: Any
) -> None:
    gone = admin.create_project("gone soon", "<View></View>")
    await register(studio, stub.url, TITLE, [gone], None)
    admin.delete_project(gone)
    assert outcomes(await unregister(studio, stub.url, TITLE, [gone])) == {gone: "absent"}


async def test_a_project_no_longer_named_is_left_but_one_connected_by_hand_stays(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    dropped, by_hand = (admin.create_project(f"project {n}", "<View></View>") for n in (1, 2))
    await register(studio, stub.url, TITLE, [project, dropped], None)
    admin.send("POST", "/api/ml", {"project": by_hand, "url": stub.url, "title": "by hand"})
    reports = outcomes(await register(studio, stub.url, TITLE, [project], None))
    assert reports == {project: "unchanged", dropped: "removed"}
    assert admin.backends(dropped) == []
    assert [row["title"] for row in admin.backends(by_hand)] == ["by hand"]
    for number in (dropped, by_hand):
        admin.delete_project(number)


async def test_a_project_that_does_not_exist_is_named_with_those_that_do(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    with pytest.raises(RegistrationError, match=rf"project 99999, .*{project} \(cats and dogs\)"):
        await register(studio, stub.url, TITLE, [project, 99999], None)
    assert admin.backends(project) == []


async def test_an_older_backend_of_the_project_is_pointed_out(
    studio: LabelStudio, admin: Any, project: int, start_stub: Callable[[], Any]
) -> None:
    older, stub = start_stub(), start_stub()
    admin.send("POST", "/api/ml", {"project": project, "url": older.url, "title": "older"})
    [report] = await register(studio, stub.url, TITLE, [project], None)
    assert report.note is not None
    assert older.url in report.note
    assert [row["title"] for row in admin.backends(project)] == ["older", TITLE]


async def test_a_backend_that_label_studio_cannot_reach_is_diagnosed(
    studio: LabelStudio, admin: Any, project: int
) -> None:
    with pytest.raises(RegistrationError, match=r"connection refused.*labelStudio\.backendURL"):
        await register(studio, "http://127.0.0.1:1", TITLE, [project], None)
    assert admin.backends(project) == []


async def test_a_registered_backend_that_went_away_is_diagnosed(
    studio: LabelStudio, project: int, stub: Any
) -> None:
    await register(studio, stub.url, TITLE, [project], None)
    stub.setup_status = 500
    with pytest.raises(RegistrationError, match=r"/setup failed.*it answered 500"):
        await register(studio, stub.url, TITLE, [project], None)


async def test_a_name_that_does_not_resolve_is_diagnosed(studio: LabelStudio, project: int) -> None:
    with pytest.raises(RegistrationError, match=r"labelStudio\.backendURL"):
        await register(studio, "http://nowhere.invalid:9090", TITLE, [project], None)


async def test_a_host_name_without_a_dot_gets_no_webhook_and_is_diagnosed(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    without_a_dot = f"http://{0x7F000001}:{stub.port}"  # 127.0.0.1, written as one number
    for _ in range(2):
        with pytest.raises(RegistrationError, match=r"has no dot.*labelStudio\.backendURL to localhost"):
            await register(studio, without_a_dot, TITLE, [project], None)
    assert [(row["url"], row["state"]) for row in admin.backends(project)] == [(without_a_dot, "CO")]
    assert outcomes(await register(studio, stub.url, TITLE, [project], None)) == {project: "updated"}


async def test_below_a_sub_path_registering_works_as_elsewhere(
    sub_path_label_studio: Any, sub_path_url: str, stub: Any
) -> None:
    admin = sub_path_label_studio.admin
    project = admin.create_project("below a path", "<View></View>")
    async with LabelStudio.connect(sub_path_url, sub_path_label_studio.token) as studio:
        assert outcomes(await register(studio, stub.url, TITLE, [project], None)) == {project: "added"}
        assert outcomes(await unregister(studio, stub.url, TITLE, [project])) == {project: "removed"}


@pytest.fixture(scope="module")
def default_label_studio(start_label_studio: Callable[[Any], Any]) -> Any:
    """Label Studio as it comes: protected against requests to private addresses."""
    return start_label_studio({"ML_BLOCK_LOCAL_IP": None, "SSRF_PROTECTION_ENABLED": None})


async def test_default_settings_of_label_studio_are_diagnosed(default_label_studio: Any, stub: Any) -> None:
    project = default_label_studio.admin.create_project("guarded", "<View></View>")
    async with LabelStudio.connect(default_label_studio.url, default_label_studio.token) as studio:
        with pytest.raises(
            RegistrationError, match=r"ML_BLOCK_LOCAL_IP=false.*SSRF_PROTECTION_ENABLED=false"
        ):
            await register(studio, stub.url, TITLE, [project], None)


async def test_a_blocked_webhook_is_diagnosed_and_tries_add_no_rows(
    start_label_studio: Callable[[Any], Any], stub: Any
) -> None:
    half_open = start_label_studio({"SSRF_PROTECTION_ENABLED": None})
    project = half_open.admin.create_project("half open", "<View></View>")
    async with LabelStudio.connect(half_open.url, half_open.token) as studio:
        for _ in range(3):
            with pytest.raises(RegistrationError, match="SSRF_PROTECTION_ENABLED=false"):
                await register(studio, stub.url, TITLE, [project], None)
    assert len(half_open.admin.backends(project)) == 1
