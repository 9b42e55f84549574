"""Opens a version of the store with the runtime asked for, and makes sure it is what its card says."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lsb_backend.runtime import postprocess
from lsb_backend.runtime.base import Runtime
from lsb_backend.runtime.compiled import CompiledModels
from lsb_backend.runtime.dummy import DummyRuntime
from lsb_backend.runtime.errors import MissingRuntimeError, ModelError, first_line
from lsb_backend.runtime.network import Network
from lsb_backend.runtime.yolo import YoloRuntime
from lsb_backend.store.card import Card

# Sides of the first picture, in pixels: small, and of a shape that a fixed-size export refuses.
_WARM_UP_SHAPE = (64, 96)
_OUTPUTS = {"detect": 1, "segment": 2}
SERVED_TASKS = (*_OUTPUTS, "dummy")
"""The values of `model.task` that this release serves."""


def load(
    folder: Path,
    card: Card,
    runtime: str,
    precision: str,
    threads: int,
    compiled: CompiledModels | None = None,
) -> Runtime:
    """A warm runtime for the version in `folder`.

    `runtime` is `openvino`, `onnx`, `torch` or `dummy`; `precision` is `f32` or `auto`; `compiled` keeps
    what a start need not compile again. Raises ModelError.
    """
    names = tuple(card.classes)
    if runtime == "dummy":
        return DummyRuntime(names)
    path = folder / ("weights.pt" if runtime == "torch" else "model.onnx")
    network = _open(path, runtime, precision, threads, compiled)
    try:
        _check(path, network, card)
    except BaseException:
        network.close()
        raise
    return YoloRuntime(network, names)


def _open(path: Path, runtime: str, precision: str, threads: int, compiled: CompiledModels | None) -> Network:
    if not path.is_file():
        raise ModelError(f"{path}: missing, runtime {runtime} needs it: pin another version or train again")
    try:
        return _network(path, runtime, precision, threads, compiled)
    except ModelError:
        raise
    except ImportError as error:
        raise MissingRuntimeError(
            f"runtime {runtime} needs {error.name}, not installed here: choose another"
        ) from error
    except Exception as error:  # the libraries raise whatever their parsers do
        raise ModelError(f"{path}: not a model that {runtime} can load ({first_line(error)})") from error


def _network(
    path: Path, runtime: str, precision: str, threads: int, compiled: CompiledModels | None
) -> Network:
    """Imports only the library asked for: an image has one of them, and torch takes seconds."""
    match runtime:
        case "openvino":
            from lsb_backend.runtime.openvino import OpenvinoNetwork

            return OpenvinoNetwork(path, precision, threads, compiled)
        case "onnx":
            from lsb_backend.runtime.onnx import OnnxNetwork

            return OnnxNetwork(path, threads)
        case "torch":
            from lsb_backend.runtime.torch import TorchNetwork

            return TorchNetwork(path, precision, threads)
        case _:
            raise ModelError(f"runtime {runtime} is unknown: use openvino, onnx, torch or dummy")


def _check(path: Path, network: Network, card: Card) -> None:
    """Compare what the file says and computes with the card; computing warms it up as well."""
    expected, said = _OUTPUTS.get(card.task), network.description
    if expected is None:
        raise ModelError(f"model.task {card.task} is not served by this release")
    if said.task not in (None, card.task):
        raise ModelError(f"{path}: made for task {said.task}, its card says {card.task}")
    if said.names not in (None, tuple(card.classes)):
        raise ModelError(
            f"{path}: its classes are {_listed(said.names)}, its card says {_listed(card.classes)}"
        )
    try:
        outputs = network.forward(np.zeros((1, *_WARM_UP_SHAPE, 3), dtype=np.uint8))
    except Exception as error:  # as above
        raise ModelError(f"{path}: loads but does not compute ({first_line(error)})") from error
    if len(outputs) != expected:
        raise ModelError(f"{path}: gives {len(outputs)} outputs, task {card.task} needs {expected}")
    try:
        coefficients = outputs[1].shape[1] if expected == 2 else 0
        postprocess.is_end_to_end(outputs[0].shape[1:], len(card.classes), coefficients)
    except ValueError as error:
        raise ModelError(f"{path}: does not fit its card, {error}") from error


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown or "none"
