"""Computes an exported model with OpenVINO, the quickest on Intel and compatible processors."""

import queue
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsb_backend.runtime.compiled import CompiledModels
from lsb_backend.runtime.network import SIDE_BY_SIDE, Description, describe
from lsb_backend.runtime.telemetry import disable_telemetry


class OpenvinoNetwork:
    """A compiled `model.onnx`. `precision` is `f32`, or `auto` for what the processor is quickest in."""

    device = "CPU"
    batch = 1

    def __init__(
        self, path: Path, precision: str, threads: int, compiled: CompiledModels | None = None
    ) -> None:
        """`compiled` keeps what was compiled before, if there is a place for it."""
        disable_telemetry()
        import openvino

        streams = min(SIDE_BY_SIDE, threads)
        # One more waits inside the library, so that no stream is idle while Python reads what it has found.
        self.workers = streams + 1
        settings: dict[str, Any] = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
            # Pinned threads stay on the first cores of the machine, whoever else is busy there, such as
            # another pod with the same settings.
            "ENABLE_CPU_PINNING": False,
        }
        if precision == "f32":
            # Otherwise processors with bfloat16 units use them, and scores move by some hundredths.
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        core = openvino.Core()
        model, self.description = _opened(core, path, self.device, settings, compiled)
        self._outputs = len(model.outputs)
        # The first one ever must not be made by two threads at a time: each would wait for the other, for
        # ever (one for a lock of the bindings, the other for the interpreter's).
        openvino.Tensor(np.zeros(1, np.uint8))
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(self.workers):
            self._requests.put(model.create_infer_request())

    def forward(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Raw outputs for a batch; see Network."""
        request = self._requests.get()
        try:
            request.infer({0: batch}, share_inputs=True)
            # Copied because the tensors belong to the request and the next call overwrites them.
            return [request.get_output_tensor(index).data.copy() for index in range(self._outputs)]
        finally:
            self._requests.put(request)

    def close(self) -> None:
        """Free the network."""
        del self._requests


def _opened(
    core: Any, path: Path, device: str, settings: dict[str, Any], compiled: CompiledModels | None
) -> tuple[Any, Description]:
    """The model, ready to compute, and what its file says: from the compiled ones, else compiled now."""
    name = compiled and compiled.name(path, core.get_property(device, "FULL_DEVICE_NAME"), settings)
    if compiled and name and (kept := compiled.read(name)):
        try:
            return core.import_model(kept.data, device, settings), kept.description
        except Exception as error:  # the library raises whatever its parser does
            compiled.discard(name, error)
    model = core.read_model(path)
    description = describe(_metadata(model))
    made = core.compile_model(_taking_bytes(model), device, settings)
    if compiled and name:
        compiled.write(name, description, made.export_model)
    return made, description


def _taking_bytes(model: Any) -> Any:
    """The model with the conversion to RGB in 0..1 inside, where it costs a fraction of what numpy takes."""
    import openvino
    from openvino.preprocess import ColorFormat, PrePostProcessor

    steps = PrePostProcessor(model)
    given = steps.input()
    given.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    given.tensor().set_color_format(ColorFormat.BGR)
    given.model().set_layout(openvino.Layout("NCHW"))
    given.preprocess().convert_color(ColorFormat.RGB).convert_element_type(openvino.Type.f32).scale(255.0)
    return steps.build()


def _metadata(model: Any) -> dict[str, str]:
    if not model.has_rt_info(["framework"]):
        return {}
    return dict(model.get_rt_info(["framework"]).value)
