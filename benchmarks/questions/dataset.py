"""How long it takes from annotated tasks in Label Studio to a folder that a trainer reads."""

import contextlib
import shutil
from pathlib import Path
from typing import Any

import shapes
from benchmarks.bed import sdk
from benchmarks.bed.bed import Bed
from benchmarks.bed.picture_server import marked
from benchmarks.bed.rounds import interleaved, say
from benchmarks.bed.worker import Worker
from benchmarks.figures import Goal, Line
from benchmarks.spread import paired, spread
from label_studio import RunningLabelStudio
from label_studio_admin import LabelStudioAdmin

_GOAL = 5.0
_CONVERTER = "client and YOLO converter of label-studio-sdk, images included"


def measure(bed: Bed) -> list[Line]:
    """Seconds for uploads of Label Studio, and for images of another server."""
    with RunningLabelStudio() as studio, contextlib.ExitStack() as stack:
        admin = LabelStudioAdmin(studio.url, studio.username, studio.password)
        # The SDK's converter knows no other kind of token for images.
        admin.allow_tokens(personal=True, legacy=True)
        access = {"url": studio.url, "token": admin.legacy_token()}
        ours = stack.enter_context(bed.worker("our_dataset", **access))
        theirs = stack.enter_context(sdk.worker(bed.folder / "workers", "sdk_dataset", **access))
        lines = []
        for kind, project in (("uploads", _uploads(bed, admin)), ("http", _elsewhere(bed, admin))):
            lines += _lines(bed, kind, _Sides(bed, project, ours, theirs))
    return lines


class _Sides:
    """Both sides of a project's dataset; each gives seconds."""

    def __init__(self, bed: Bed, project: int, ours: Worker, theirs: Worker) -> None:
        self._bed, self._project = bed, project
        self._ours, self._theirs = ours, theirs
        self.exports: list[float] = []

    def first(self, number: int) -> float:
        """Ours with an empty store."""
        store = self._store(number)
        shutil.rmtree(store, ignore_errors=True)
        return self._built(store, "first")

    def again(self, number: int) -> float:
        """Ours once more, for the next training."""
        return self._built(self._store(number), "again")

    def sdk(self, number: int) -> float:
        """The SDK's, which begins anew each time."""
        folder = self._bed.folder / f"sdk-{self._project}"
        found = self._theirs.ask(project=self._project, folder=str(folder))
        self._require_whole(found)
        return float(found["seconds"])

    def clear(self, number: int) -> None:
        """Give the room back."""
        shutil.rmtree(self._store(number), ignore_errors=True)

    def _store(self, number: int) -> Path:
        return self._bed.folder / f"dataset-{self._project}-{number}"

    def _built(self, store: Path, run: str) -> float:
        found = self._ours.ask(project=self._project, store=str(store), run=run)
        self._require_whole(found)
        self.exports.append(float(found["export"]))
        return float(found["seconds"])

    def _require_whole(self, found: dict[str, Any]) -> None:
        wanted = self._bed.amount.dataset_tasks
        if (found["images"], found["labels"]) != (wanted, wanted):
            raise SystemExit(f"a dataset of {wanted} tasks has {found}: nothing measured")


def _lines(bed: Bed, kind: str, sides: _Sides) -> list[Line]:
    say(f"builds datasets of {bed.amount.dataset_tasks} tasks, images: {kind}")

    def sdk_and_clear(number: int) -> float:
        sides.clear(number)
        return sides.sdk(number)

    taken = interleaved(
        {"first": sides.first, "again": sides.again, "sdk": sdk_and_clear},
        bed.amount.dataset_rounds,
        warm_up=False,
    )
    whose = "uploads of Label Studio" if kind == "uploads" else "images of another server"
    export = spread(sides.exports)
    return [
        Line(
            key=f"dataset/{kind}/{which}",
            what=f"dataset of {bed.amount.dataset_tasks} tasks, {whose}, {run}",
            unit="s",
            better="lower",
            figure=spread(taken[which]),
            baseline=spread(taken["sdk"]),
            baseline_name=_CONVERTER,
            ratio=paired(taken[which], taken["sdk"]),
            goals=(Goal(of="ratio", kind="at most", limit=1 / _GOAL),),
            tolerance=0.2,
            details={"of that the export by Label Studio, s": round(export.median, 2)},
        )
        for which, run in (("first", "first training"), ("again", "next training"))
    ]


def _uploads(bed: Bed, admin: LabelStudioAdmin) -> int:
    say("fills Label Studio")
    folder = bed.folder / "uploads"
    folder.mkdir()
    files = []
    for number in range(bed.amount.dataset_tasks):
        source = bed.pictures[number % len(bed.pictures)]
        path = folder / f"{number:05d}.jpg"
        path.write_bytes(marked(source.read_bytes(), str(number)))
        files.append(path)
    uploaded = admin.create_project("uploads", shapes.LABEL_CONFIG)
    admin.upload_together(uploaded, files)
    shutil.rmtree(folder)
    return _annotated(admin, "annotated uploads", [task["data"]["image"] for task in admin.export(uploaded)])


def _elsewhere(bed: Bed, admin: LabelStudioAdmin) -> int:
    url, names = bed.picture_url, [path.name for path in bed.pictures]
    addresses = [f"{url}/{number}/{names[number % len(names)]}" for number in range(bed.amount.dataset_tasks)]
    return _annotated(admin, "annotated pictures", addresses)


def _annotated(admin: LabelStudioAdmin, title: str, addresses: list[str]) -> int:
    project = admin.create_project(title, shapes.LABEL_CONFIG)
    admin.import_tasks(
        project,
        [
            {"data": {"image": address}, "annotations": [{"result": shapes.annotation(number)}]}
            for number, address in enumerate(addresses)
        ],
    )
    return project
