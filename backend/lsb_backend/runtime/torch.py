"""Computes the weights themselves with torch: the reference for the exported models, and the one for GPUs."""

import copy
import queue
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsb_backend.runtime.network import GPU_BATCH, SIDE_BY_SIDE, Description
from lsb_backend.runtime.ultralytics_settings import ultralytics_environment


class TorchNetwork:
    """The network in `weights.pt`, on the first GPU if there is one. `precision: auto` uses its half floats.

    The file is a pickle and runs what it contains: only weights from the store are to be opened.
    """

    def __init__(self, path: Path, precision: str, threads: int) -> None:
        ultralytics_environment()
        import torch
        from ultralytics.nn.tasks import load_checkpoint

        on_gpu = torch.cuda.is_available()
        computing = 1 if on_gpu else min(SIDE_BY_SIDE, threads)
        # On a processor one more prepares and reads what it has found, so that the others' threads stay busy;
        # only a GPU gains from several pictures in one forward pass.
        self.workers = 1 if on_gpu else computing + 1
        self.batch = GPU_BATCH if on_gpu else 1
        self.device = torch.cuda.get_device_name(0) if on_gpu else "CPU"
        self._torch: Any = torch
        self._place = torch.device("cuda:0" if on_gpu else "cpu")
        self._kind = torch.float16 if on_gpu and precision == "auto" else torch.float32
        model, _ = load_checkpoint(path, device=self._place, fuse=True)
        self.description = _described(model)
        self._models: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for one in _side_by_side(model.to(self._kind), self.workers):
            self._models.put(one)
        torch.set_num_threads(threads // computing)

    def forward(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Raw outputs for a batch; see Network."""
        model = self._models.get()
        try:
            with self._torch.inference_mode():
                # Bytes travel to a GPU in a quarter of the time that floats take.
                pixels = self._torch.from_numpy(batch).to(self._place)
                tensor = pixels.permute(0, 3, 1, 2).flip(1).to(self._kind).div_(255)
                output = model(tensor)[0]
        finally:
            self._models.put(model)
        outputs = output if isinstance(output, (tuple, list)) else (output,)
        return [part.float().cpu().numpy() for part in outputs]

    def close(self) -> None:
        """Free the network, and the GPU's memory with it."""
        del self._models
        if self._place.type == "cuda":
            self._torch.cuda.empty_cache()


def _side_by_side(model: Any, count: int) -> list[Any]:
    """`count` models with the same weights: the head keeps its anchors for the shape that it saw last."""
    weights = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    return [model, *(copy.deepcopy(model, dict(weights)) for _ in range(count - 1))]


def _described(model: Any) -> Description:
    names = tuple(str(name) for _, name in sorted(model.names.items()))
    return Description(names, model.task)
