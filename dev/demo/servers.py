"""Both servers of the demonstration, and what a person has put into Label Studio before."""

import contextlib
import signal
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from label_studio import RunningLabelStudio, free_port
from label_studio_admin import LabelStudioAdmin

from demo.annotator import LABEL_CONFIG, annotation
from demo.backend import RunningBackend
from demo.errors import DemoError
from demo.leftovers import STUDIO, Leftovers
from demo.pictures import CLASSES, Picture
from demo.steps import Steps

ANNOTATED = 80  # of the pictures; the rest is what the model is judged on
_SEED = 0  # of the annotator's hand


@dataclass(frozen=True, slots=True)
class Servers:
    """What runs: both servers, somebody logged in, and the tasks of the project in the pictures' order."""

    studio: RunningLabelStudio
    backend: RunningBackend
    admin: LabelStudioAdmin
    project: int
    tasks: list[int]


@contextlib.contextmanager
def running_servers(
    steps: Steps, leftovers: Leftovers, pictures: Sequence[Picture], keep: bool
) -> Iterator[Servers]:
    """Both servers, with the annotated project in them; ended at the end, unless it went well and `keep`."""
    with contextlib.ExitStack() as stack:
        try:
            started = _start(stack, steps, leftovers, pictures)
            yield started
        finally:
            # A second Ctrl-C must not keep the servers from ending.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        if keep:
            stack.pop_all()


def _start(
    stack: contextlib.ExitStack, steps: Steps, leftovers: Leftovers, pictures: Sequence[Picture]
) -> Servers:
    with steps.step("Start Label Studio"):
        studio = RunningLabelStudio(port=_port(8080), data=leftovers.folder / STUDIO)
        stack.callback(studio.stop)
        leftovers.note()
    admin = LabelStudioAdmin(studio.url, studio.username, studio.password)
    project, tasks = _project(steps, admin, pictures, leftovers.folder / "pictures")
    backend = RunningBackend(leftovers.folder, _port(9090), studio.url, admin.personal_token(), project)
    stack.callback(backend.stop)
    leftovers.note()
    return Servers(studio, backend, admin, project, tasks)


def _project(
    steps: Steps, admin: LabelStudioAdmin, pictures: Sequence[Picture], folder: Path
) -> tuple[int, list[int]]:
    with steps.step(f"Make a project and upload {len(pictures)} pictures"):
        folder.mkdir(parents=True, exist_ok=True)
        for picture in pictures:
            (folder / picture.name).write_bytes(picture.jpeg())
        project = admin.create_project(f"Demo: {', '.join(CLASSES)}", LABEL_CONFIG)
        tasks = admin.upload(project, [folder / picture.name for picture in pictures])
    if len(tasks) != len(pictures):
        raise DemoError(f"Label Studio made {len(tasks)} tasks of {len(pictures)} pictures")
    with steps.step(f"Annotate {ANNOTATED} of them"):
        random = np.random.default_rng(_SEED)
        for task, picture in zip(tasks[:ANNOTATED], pictures, strict=False):
            admin.annotate(task, annotation(picture, random))
    return project, tasks


def _port(preferred: int) -> int:
    """The port people know, else any free one."""
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", preferred)) == 0
    return free_port() if taken else preferred
