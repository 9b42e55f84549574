"""What the client reads from a real Label Studio, and that reading asks no backend for predictions."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.label_studio.errors import LabelStudioError
from lsb_backend.label_studio.registration import register


@pytest.fixture
async def studio(label_studio: Any) -> AsyncIterator[LabelStudio]:
    async with LabelStudio.connect(label_studio.url, label_studio.token) as connected:
        yield connected


def make_tasks(admin: Any, project: int, count: int) -> list[int]:
    tasks: list[int] = admin.import_tasks(
        project, [{"data": {"image": f"http://images.invalid/{number}.png"}} for number in range(count)]
    )
    return tasks


async def test_the_export_holds_annotated_and_skipped_tasks_only(
    studio: LabelStudio, admin: Any, project: int
) -> None:
    annotated, skipped, _ = make_tasks(admin, project, 3)
    admin.annotate(annotated, [])
    admin.annotate(skipped, [], was_cancelled=True)
    assert sorted(task["id"] for task in await studio.export(project)) == [annotated, skipped]


async def test_an_export_beyond_the_limit_is_refused(studio: LabelStudio, admin: Any, project: int) -> None:
    for task in make_tasks(admin, project, 3):
        admin.annotate(task, [])
    with pytest.raises(LabelStudioError, match="larger than"):
        await studio.export(project, maximum_bytes=1000)


@pytest.mark.parametrize("page_size", [1, 2, 3, 4, 100])
async def test_pages_of_unlabelled_tasks_hold_each_task_once(
    studio: LabelStudio, admin: Any, project: int, page_size: int
) -> None:
    tasks = make_tasks(admin, project, 5)
    admin.annotate(tasks.pop(1), [])
    pages = [page async for page in studio.unlabelled(project, page_size)]
    assert [task for page in pages for task in page] == tasks
    assert all(0 < len(page) <= page_size for page in pages)


async def test_annotating_between_two_pages_hides_no_task(
    studio: LabelStudio, admin: Any, project: int
) -> None:
    tasks = make_tasks(admin, project, 6)
    seen: list[int] = []
    async for page in studio.unlabelled(project, 2):
        seen += page
        for task in page:
            admin.annotate(task, [])
    assert seen == tasks


async def test_listing_and_exporting_ask_no_backend_but_retrieving_does(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    tasks = make_tasks(admin, project, 3)
    admin.annotate(tasks[0], [])
    await register(studio, stub.url, "quiet", [project], None)
    await studio.export(project)
    [page] = [page async for page in studio.unlabelled(project)]
    assert not [path for path, _, _ in stub.received if path == "/predict"]
    await studio.retrieve_predictions(project, page)
    assert [len(body["tasks"]) for path, _, body in stub.received if path == "/predict"] == [2]
    assert [len(admin.predictions(task)) for task in tasks] == [0, 1, 1]


async def test_whether_anything_was_stored_is_read_back(
    studio: LabelStudio, admin: Any, project: int, stub: Any
) -> None:
    tasks = make_tasks(admin, project, 3)
    await register(studio, stub.url, "quiet", [project], None)
    version = "1-cafecafe"
    # Neither that it is down nor that it is slow keeps Label Studio from reporting success.
    stub.health_status = 503
    await studio.retrieve_predictions(project, [tasks[1]])
    assert not await studio.any_predicted(project, version, tasks)
    stub.health_status = 200
    await studio.retrieve_predictions(project, [tasks[1]])
    assert await studio.any_predicted(project, version, tasks)
    assert not await studio.any_predicted(project, version, [tasks[0]])
    assert not await studio.any_predicted(project, version, [tasks[2]])
    assert not await studio.any_predicted(project, "2-00000002", tasks)


async def test_below_a_sub_path_everything_is_found(sub_path_label_studio: Any, sub_path_url: str) -> None:
    admin = sub_path_label_studio.admin
    project = admin.create_project("below a path", "<View></View>")
    first, second = make_tasks(admin, project, 2)
    admin.annotate(first, [])
    async with LabelStudio.connect(sub_path_url + "/", sub_path_label_studio.token) as studio:
        await studio.check()
        assert [task["id"] for task in await studio.export(project)] == [first]
        assert [page async for page in studio.unlabelled(project)] == [[second]]
