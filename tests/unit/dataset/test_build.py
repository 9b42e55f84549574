"""A dataset folder from an export, with everything that can be wrong in one."""

import errno
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from lsb_backend.dataset.build import MANIFEST, WORKERS, SourceDownError, build, read_manifest
from lsb_backend.dataset.classes import classes
from lsb_backend.dataset.manifest import Export, Manifest, ProjectExport
from lsb_backend.dataset.split import Part, Split
from lsb_backend.media.error import MediaError, Reason
from lsb_backend.store.space import DiskFullError
from lsb_crds.errors import UserError

Read = Callable[[int, str], Awaitable[bytes]]


def export_of(make: Any, *tasks: dict[str, Any], config: str | None = None, project: int = 1) -> Export:
    return Export(projects=[ProjectExport(id=project, label_config=config or make.config, tasks=list(tasks))])


async def built(export: Export, folder: Path, read: Read, split: Split, task: str = "detect") -> Manifest:
    learned = classes([(project.id, project.label_config) for project in export.projects], task)
    split.assign([f"{p.id}:{t['id']}" for p in export.projects for t in p.tasks], 0.3)
    return await build(export, folder, read, learned, task, split)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def failing(make: Any, bad: Mapping[int, Exception]) -> Read:
    async def read(task_id: int, address: str) -> bytes:
        if task_id in bad:
            raise bad[task_id]
        return bytes(make.png(seed=task_id))

    return read


async def test_a_dataset_is_complete_and_says_what_it_holds(make: Any, split: Split, tmp_path: Path) -> None:
    tasks = [make.task(n, make.annotation(make.box(), make.box("ant"))) for n in range(1, 9)]
    folder = tmp_path / "run" / "dataset"
    manifest = await built(export_of(make, *tasks), folder, make.reader(), split)
    assert manifest.train + manifest.validation == 8
    assert manifest.validation >= 1
    assert manifest.classes == ["zebra", "ant"]
    assert manifest.train_regions == {"zebra": manifest.train, "ant": manifest.train}
    assert manifest.validation_regions == {"zebra": manifest.validation, "ant": manifest.validation}
    assert manifest.skipped == []
    data = yaml.safe_load((folder / "data.yaml").read_text())
    assert data == {"train": "images/train", "val": "images/val", "names": {0: "zebra", 1: "ant"}}
    for number in range(1, 9):
        part = "val" if split.part(f"1:{number}") is Part.VALIDATION else "train"
        assert (folder / f"images/{part}/1-{number}.png").read_bytes() == make.png(seed=number)
        lines = (folder / f"labels/{part}/1-{number}.txt").read_text().splitlines()
        assert [line[0] for line in lines] == ["0", "1"]
    assert len(files(folder)) == 2 * 8 + 2
    assert read_manifest(folder) == manifest
    assert names(folder.parent) == ["dataset"]


async def test_equal_file_names_never_meet(make: Any, split: Split, tmp_path: Path) -> None:
    tasks = [
        make.task(1, make.annotation(make.box("zebra")), image="/data/local-files/?d=a/cat.png"),
        make.task(2, make.annotation(make.box("ant")), image="/data/local-files/?d=b/cat.png"),
    ]
    one = ProjectExport(id=1, label_config=make.config, tasks=tasks)
    export = Export(projects=[one, one.model_copy(update={"id": 11})])
    manifest = await built(export, tmp_path / "dataset", make.reader(), split)
    assert manifest.train + manifest.validation == 4
    images = {Path(name).stem for name in files(tmp_path / "dataset") if name.startswith("images")}
    assert images == {"1-1", "1-2", "11-1", "11-2"}


async def test_an_empty_annotation_is_a_background_and_a_skipped_one_is_nothing(
    make: Any, split: Split, tmp_path: Path
) -> None:
    tasks = [
        make.task(1, make.annotation()),
        make.task(2, make.annotation(make.box(), was_cancelled=True)),
        make.task(3, make.annotation(make.box())),
    ]
    manifest = await built(export_of(make, *tasks), tmp_path / "dataset", make.reader(), split)
    assert manifest.train + manifest.validation == 2
    (label,) = (tmp_path / "dataset").glob("labels/*/1-1.txt")
    assert label.read_text() == ""


async def test_broken_images_are_listed_and_cost_nothing_else(
    make: Any, split: Split, tmp_path: Path
) -> None:
    tasks = [make.task(n, make.annotation(make.box())) for n in range(1, 7)]
    tasks[2]["data"] = {"picture": "/data/upload/3.png"}
    tasks.append(make.task(7, make.annotation(make.box()), image="https://elsewhere/7.png"))
    bad = {
        1: MediaError(Reason.MISSING, "There is no image at /data/upload/1/1.png."),
        2: UserError("It cannot be had."),
        7: MediaError(Reason.UNREACHABLE, "elsewhere is down."),
    }

    async def read(task_id: int, address: str) -> bytes:
        return b"not an image" if task_id == 4 else await failing(make, bad)(task_id, address)

    manifest = await built(export_of(make, *tasks), tmp_path / "dataset", read, split)
    assert manifest.train + manifest.validation == 2
    reasons = {skipped.task: skipped.reason for skipped in manifest.skipped}
    assert set(reasons) == {"1:1", "1:2", "1:3", "1:4", "1:7"}
    assert "no image under 'image'" in reasons["1:3"]
    assert "no image at" in reasons["1:1"]


async def test_label_studio_going_down_stops_the_build(make: Any, split: Split, tmp_path: Path) -> None:
    tasks = [make.task(n, make.annotation(make.box())) for n in range(1, 30)]
    read = failing(make, {9: MediaError(Reason.UNREACHABLE, "Label Studio cannot be read.")})
    with pytest.raises(SourceDownError, match="Task 1:9: Label Studio cannot be read"):
        await built(export_of(make, *tasks), tmp_path / "dataset", read, split)
    assert names(tmp_path) == []


async def test_a_full_disk_says_so_and_leaves_nothing(make: Any, split: Split, tmp_path: Path) -> None:
    tasks = [make.task(n, make.annotation(make.box())) for n in range(1, 5)]
    read = failing(make, {2: OSError(errno.ENOSPC, "No space left on device")})
    with pytest.raises(DiskFullError, match="disk full"):
        await built(export_of(make, *tasks), tmp_path / "dataset", read, split)
    assert names(tmp_path) == []


async def test_a_killed_build_is_begun_anew(make: Any, split: Split, tmp_path: Path) -> None:
    leftover = tmp_path / ".tmp-dataset" / "images" / "train"
    leftover.mkdir(parents=True)
    (leftover / "1-99.png").write_bytes(b"half")
    assert read_manifest(tmp_path / "dataset") is None
    tasks = [make.task(n, make.annotation(make.box())) for n in (1, 2)]
    await built(export_of(make, *tasks), tmp_path / "dataset", make.reader(), split)
    assert not (tmp_path / ".tmp-dataset").exists()
    assert not list((tmp_path / "dataset").rglob("1-99.png"))


async def test_a_dataset_is_replaced_whole(make: Any, split: Split, tmp_path: Path) -> None:
    tasks = [make.task(n, make.annotation(make.box())) for n in range(1, 5)]
    await built(export_of(make, *tasks), tmp_path / "dataset", make.reader(), split)
    await built(export_of(make, *tasks[:2]), tmp_path / "dataset", make.reader(), split)
    assert len(list((tmp_path / "dataset").glob("images/*/*"))) == 2


async def test_if_all_validation_images_are_broken_another_task_joins_for_good(
    make: Any, split: Split, tmp_path: Path
) -> None:
    tasks = [make.task(n, make.annotation(make.box())) for n in range(1, 9)]
    split.assign([f"1:{n}" for n in range(1, 9)], 0.3)
    judges = [n for n in range(1, 9) if split.part(f"1:{n}") is Part.VALIDATION]
    read = failing(make, {n: UserError("broken") for n in judges})
    manifest = await built(export_of(make, *tasks), tmp_path / "dataset", read, split)
    assert manifest.validation == 1
    saved = json.loads((tmp_path / "split.json").read_text())
    assert sum(part == "validation" for part in saved.values()) == len(judges) + 1


async def test_several_images_of_a_task_are_kept_apart(make: Any, split: Split, tmp_path: Path) -> None:
    config = """<View><Image name="front" value="$front"/><Image name="back" value="$back"/>
    <RectangleLabels name="f" toName="front"><Label value="zebra"/></RectangleLabels>
    <RectangleLabels name="b" toName="back"><Label value="ant"/></RectangleLabels></View>"""
    drawn = [make.box("zebra") | {"from_name": "f"}, make.box("ant") | {"from_name": "b"}]
    task = make.task(5, make.annotation(*drawn)) | {"data": {"front": "/f.png", "back": "/b.png"}}
    read = make.reader({"/f.png": make.png(seed=1), "/b.png": make.png(seed=2)})
    manifest = await built(export_of(make, task, config=config), tmp_path / "dataset", read, split)
    assert manifest.train == 2
    labels = {path.stem: path.read_text()[0] for path in (tmp_path / "dataset").glob("labels/train/*")}
    assert labels == {"1-5-1": "0", "1-5-2": "1"}
    assert (tmp_path / "dataset/images/train/1-5-2.png").read_bytes() == make.png(seed=2)


async def test_regions_left_out_are_counted_by_reason(make: Any, split: Split, tmp_path: Path) -> None:
    gone, empty = make.box("lion"), make.box("ant", width=0.0)
    tasks = [
        make.task(1, make.annotation(gone, gone, make.box())),
        make.task(2, make.annotation(gone)),
        make.task(3, make.annotation(empty, make.box())),
    ]
    manifest = await built(export_of(make, *tasks), tmp_path / "dataset", make.reader(), split)
    found = {left.reason: (left.regions, left.tasks) for left in manifest.left_out}
    assert found == {
        "its label 'lion' is no longer in the label config": (3, ["1:1", "1:2"]),
        "its box has no area": (1, ["1:3"]),
    }
    assert manifest.train + manifest.validation == 3


async def test_an_image_all_of_whose_regions_are_damaged_is_no_background(
    make: Any, split: Split, tmp_path: Path
) -> None:
    tasks = [make.task(1, make.annotation(make.box(x=float("nan")))), make.task(2, make.annotation())]
    manifest = await built(export_of(make, *tasks), tmp_path / "dataset", make.reader(), split)
    assert [skipped.task for skipped in manifest.skipped] == ["1:1"]
    assert "none of its regions can be used: x is not a finite number" in manifest.skipped[0].reason


async def test_the_digest_tells_datasets_apart(make: Any, split: Split, tmp_path: Path) -> None:
    tasks = [make.task(n, make.annotation(make.box())) for n in range(1, 5)]

    async def digest(
        *tasks: dict[str, Any], images: dict[int, Exception] | None = None, seed: int = 0
    ) -> str:
        async def read(task_id: int, address: str) -> bytes:
            return bytes(make.png(seed=task_id + seed))

        manifest = await built(export_of(make, *tasks), tmp_path / "dataset", read, split)
        return manifest.digest

    first = await digest(*tasks)
    assert await digest(*reversed(tasks)) == first
    assert await digest(*tasks[:3]) != first
    assert await digest(*tasks, seed=100) != first
    assert await digest(*tasks[:3], make.task(4, make.annotation(make.box("ant")))) != first


async def test_images_are_fetched_side_by_side_but_not_all_at_once(
    make: Any, split: Split, tmp_path: Path
) -> None:
    tasks = [make.task(n, make.annotation(make.box())) for n in range(1, 40)]
    running, most, seen = 0, 0, []

    async def read(task_id: int, address: str) -> bytes:
        nonlocal running, most
        running += 1
        most = max(most, running)
        data = await make.reader()(task_id, address)
        await make.turn()
        running -= 1
        return bytes(data)

    export = export_of(make, *tasks)
    split.assign([f"1:{n}" for n in range(1, 40)], 0.3)
    await build(
        export, tmp_path / "dataset", read, ("zebra", "ant"), "detect", split,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert 2 <= most <= WORKERS
    assert seen == [(n, 39) for n in range(1, 40)]


async def test_an_export_without_annotations_makes_an_empty_dataset(
    make: Any, split: Split, tmp_path: Path
) -> None:
    manifest = await built(export_of(make), tmp_path / "dataset", make.reader(), split)
    assert (manifest.train, manifest.validation) == (0, 0)
    assert files(tmp_path / "dataset") == {"data.yaml", MANIFEST}
