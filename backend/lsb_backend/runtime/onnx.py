"""Computes an exported model with ONNX Runtime, on any processor and on CUDA where its build has it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lsb_backend.runtime import preprocess
from lsb_backend.runtime.network import GPU_BATCH, SIDE_BY_SIDE, describe
from lsb_backend.runtime.telemetry import disable_telemetry


class OnnxNetwork:
    """A session on `model.onnx`. Weights are computed in the precision they were exported in, f32."""

    def __init__(self, path: Path, threads: int) -> None:
        disable_telemetry()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # A call computes in its own thread too, so two side by side use `threads` threads together.
        options.intra_op_num_threads = max(1, threads - 1)
        options.inter_op_num_threads = 1
        # Threads that spin while they wait take the processor from the requests being answered meanwhile.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
        available = onnxruntime.get_available_providers()
        self._session = onnxruntime.InferenceSession(
            path, options, providers=[provider for provider in wanted if provider in available]
        )
        self._input = self._session.get_inputs()[0].name
        on_gpu = "CUDAExecutionProvider" in self._session.get_providers()
        self.device = "CUDA" if on_gpu else "CPU"
        self.workers = 1 if on_gpu else min(SIDE_BY_SIDE, threads)
        self.batch = GPU_BATCH if on_gpu else 1
        self.description = describe(self._session.get_modelmeta().custom_metadata_map)

    def forward(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Raw outputs for a batch; see Network."""
        pictures = preprocess.planes(batch)
        return [np.asarray(output) for output in self._session.run(None, {self._input: pictures})]

    def close(self) -> None:
        """Free the network."""
        del self._session
