"""How long `/health` takes while a training and a full prediction queue use the same cores.

Label Studio gives up on `/health` after a second and then skips predictions without a word, so this is the
figure that decides whether annotators see boxes during a training. The baseline is the same server doing
nothing, in the same run.
"""

import contextlib
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import shapes
from benchmarks.bed.bed import Bed
from benchmarks.bed.rounds import say
from benchmarks.figures import Goal, Line
from benchmarks.spread import percentile, spread
from label_studio import RunningLabelStudio
from label_studio_admin import LabelStudioAdmin
from serving import ServingProcess, until

ANNOTATED, CALLERS, TASKS_IN_A_REQUEST = 30, 8, 64
_PATIENCE_OF_LABEL_STUDIO = 1000.0  # milliseconds


def measure(bed: Bed) -> list[Line]:
    """Milliseconds of `/health` of an idle and of a busy server."""
    with RunningLabelStudio() as studio:
        idle, busy = _measured(bed, studio)
    ratio = percentile(busy, 99) / percentile(idle, 99)
    return [
        Line(
            key="health/p99",
            what="/health while a training and a full queue use the same cores, p99",
            unit="ms",
            better="lower",
            figure=spread([percentile(busy, 99)]),
            baseline=spread([percentile(idle, 99)]),
            baseline_name="the same server, idle, p99",
            ratio=spread([ratio]),
            tolerance=1.0,
            details={"p50": round(percentile(busy, 50), 2), "idle p50": round(percentile(idle, 50), 2)},
        ),
        Line(
            key="health/longest",
            what="the longest of these calls",
            unit="ms",
            better="lower",
            figure=spread([max(busy)]),
            baseline=spread([max(idle)]),
            baseline_name="the same server, idle, the longest; Label Studio gives up after 1 s",
            goals=(Goal(of="figure", kind="at most", limit=_PATIENCE_OF_LABEL_STUDIO),),
            tolerance=2.0,
            details={"calls": len(busy)},
        ),
    ]


def _measured(bed: Bed, studio: RunningLabelStudio) -> tuple[list[float], list[float]]:
    admin = LabelStudioAdmin(studio.url, studio.username, studio.password)
    project = admin.create_project("health", shapes.LABEL_CONFIG)
    folder = bed.folder / "health"
    tasks = admin.upload(project, shapes.write(folder / "pictures", range(ANNOTATED)))
    for number, task in enumerate(tasks):
        admin.annotate(task, shapes.annotation(number))
    # The first training is judged at the size of its pictures; afterwards they are predicted as users' are.
    backend = ServingProcess(folder, studio.url, admin.personal_token(), _spec(project, shapes.SIZE))
    try:
        say("trains a first version")
        backend.start()
        _train(admin, project, backend)
        until(lambda: backend.ask("/status")["training"] is None, "the first training is over", 900)
        backend.stop()
        backend.write_manifest(studio.url, _spec(project, 640))
        backend.start()
        say("asks the idle server, then the busy one")
        idle = _health(backend, bed.amount.health_calls)
        _train(admin, project, backend)
        until(lambda: (backend.ask("/status")["training"] or {}).get("epoch"), "an epoch of the second", 900)
        with _full_queue(admin, project, backend):
            busy = _health(backend, bed.amount.health_calls)
            if backend.ask("/status")["training"] is None:
                raise SystemExit("the training was over before the measurement: nothing was measured")
    finally:
        backend.stop()
    return idle, busy


def _spec(project: int, image_size: int) -> dict[str, Any]:
    arguments = {**shapes.TRAINING, "imgsz": shapes.SIZE}
    return {
        "labelStudio": {"projects": [project]},
        "model": {"task": "detect", "weights": "yolov8n.yaml", "imageSize": image_size},
        "training": {
            "epochs": 60,
            "minimumAnnotations": 10,
            "triggers": {"annotations": 0},
            "arguments": arguments,
        },
        "prelabel": {"afterRollout": False},
    }


def _train(admin: LabelStudioAdmin, project: int, backend: ServingProcess) -> None:
    record = until(lambda: admin.backends(project), "registered")[0]
    admin.start_training(record["id"])
    until(lambda: backend.ask("/status")["training"], "a training runs")


@contextlib.contextmanager
def _full_queue(admin: LabelStudioAdmin, project: int, backend: ServingProcess) -> Iterator[None]:
    """Several callers, each asking for a request full of tasks again and again."""
    tasks = [{"id": one["id"], "data": one["data"], "project": project} for one in admin.export(project)]
    wanted = (tasks * (TASKS_IN_A_REQUEST // len(tasks) + 1))[:TASKS_IN_A_REQUEST]
    body = {"tasks": wanted, "project": f"{project}.1", "label_config": shapes.LABEL_CONFIG}
    stopping = threading.Event()

    def ask() -> None:
        while not stopping.is_set():
            # A full queue answers 503; that caller comes back.
            with contextlib.suppress(urllib.error.HTTPError):
                backend.ask("/predict", body)

    callers = [threading.Thread(target=ask) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        until(lambda: len(backend.ask("/status")["predicting"]["requests"]) >= CALLERS // 2, "a full queue")
        yield
    finally:
        stopping.set()
        for caller in callers:
            caller.join()


def _health(backend: ServingProcess, asked: int) -> list[float]:
    """Milliseconds of each call, a new connection each, as Label Studio does."""
    taken = []
    for _ in range(asked):
        began = time.perf_counter()
        with urllib.request.urlopen(f"{backend.url}/health", timeout=30) as answer:  # noqa: S310
            answer.read()
        taken.append((time.perf_counter() - began) * 1000)
    return taken
