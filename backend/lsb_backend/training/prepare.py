"""Makes the first version of a store from the weights that the manifest names."""

import importlib.metadata
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsb_backend.runtime.export import export_onnx
from lsb_backend.runtime.load import SERVED_TASKS
from lsb_backend.runtime.ultralytics_settings import ultralytics_environment
from lsb_backend.store.atomic import write_atomic
from lsb_backend.store.card import Card, CardDraft
from lsb_backend.store.store import EXPORTED, WEIGHTS, Store
from lsb_backend.training.arguments import SEED
from lsb_backend.training.errors import DataError
from lsb_backend.training.progress import Reporter
from lsb_backend.training.quiet import printing_into
from lsb_backend.training.weights import WeightsError, fetch
from lsb_crds.backend import LabelStudioBackend
from lsb_crds.errors import UserError
from lsb_crds.resolve import resolve

LIBRARIES = ("lsbackends", "ultralytics", "torch", "onnx", "onnxruntime")
_DUMMY = "dummy"


def prepare(backend: LabelStudioBackend, store: Store, report: Reporter) -> Card:
    """The first version of a store, promoted; where there is one already, that one and nothing is done.

    A store from the time when the backend was a dummy gets a first version of the task it has now.
    Raises UserError: weights that cannot be had, are no model, or are for another task than `model.task`;
    DataError: a task that this release does not serve.
    """
    task = backend.spec.model.task
    if task not in SERVED_TASKS:
        raise DataError(
            f"model.task {task} is not served by this release: set it to one of {', '.join(SERVED_TASKS)}"
        )
    # Whatever is pinned: a pin says what serves now, and not what was found to be good.
    promoted = store.promotion().promoted
    served = None if promoted is None else store.card(promoted)
    if served is not None and served.task == task:
        return served
    if served is not None and served.task != _DUMMY:
        raise UserError(
            f"{store.root}: holds versions for the task {served.task}, and model.task is {task}: "
            "change it back, or use --store with another folder"
        )
    weights = resolve(backend).weights
    report.stage("prepare", f"makes the first version from {weights.partition('#')[0]}")
    card = _make(backend, store, weights)
    store.promote(card.version, reason=f"first version for the task {task}")
    return card


def _make(backend: LabelStudioBackend, store: Store, weights: str) -> Card:
    model = backend.spec.model
    with store.staging() as staging:
        if model.task == _DUMMY:
            write_atomic(staging / WEIGHTS, b"The dummy model has no weights.\n")
            draft = CardDraft(task=_DUMMY, classes=[], run=_run(_DUMMY), trained=True, libraries=libraries())
            return store.commit(staging, draft)
        ultralytics_environment()
        with (
            tempfile.TemporaryDirectory(prefix="lsbackends-") as temporary,
            printing_into(Path(temporary) / "log.txt"),
        ):
            network = _network(weights, model.task, Path(temporary))
            network.save(staging / WEIGHTS)
            export_onnx(staging / WEIGHTS, staging / EXPORTED, model.image_size)
        return store.commit(staging, _draft(network, weights, model.task))


def libraries() -> dict[str, str]:
    """Versions of what makes a model what it is, by name; those installed."""
    installed = {}
    for name in LIBRARIES:
        try:
            installed[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed


def _draft(network: Any, weights: str, task: str) -> CardDraft:
    return CardDraft(
        task=task,
        classes=[str(name) for _, name in sorted(network.names.items())],
        run=_run(task),
        trained=not _is_architecture(weights),
        libraries=libraries(),
    )


def _network(weights: str, task: str, folder: Path) -> Any:
    import torch
    from ultralytics import YOLO

    if _is_architecture(weights):
        # The same random weights on every machine, so that the same manifest gives the same first version.
        torch.manual_seed(SEED)
        return _checked(weights, lambda: YOLO(weights, task=task), task)
    path = fetch(weights, folder)
    if not zipfile.is_zipfile(path):
        raise WeightsError(f"model.weights: {path.name} is not a model: it must be a .pt file of ultralytics")
    return _checked(weights, lambda: YOLO(path), task)


def _checked(weights: str, load: Callable[[], Any], task: str) -> Any:
    """What `load` gives, if it is a model of `task`."""
    shown = weights.partition("#")[0]
    try:
        model = load()
    # Whatever is in the file decides what ultralytics, torch or pickle raise.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise WeightsError(
            f"model.weights: {shown} is not a model that ultralytics can load ({reason})"
        ) from error
    if model.task != task:
        raise WeightsError(
            f"model.weights: {shown} is for the task {model.task}, and model.task is {task}: "
            "change one of the two"
        )
    return model


def _run(task: str) -> str:
    # The store makes one version of a run, so a killed preparation leaves no second one.
    return f"prepare-{task}"


def _is_architecture(weights: str) -> bool:
    return weights.endswith((".yaml", ".yml")) and "://" not in weights
