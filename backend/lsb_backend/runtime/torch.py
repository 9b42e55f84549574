"""Computes the weights themselves with torch: the reference for the exported models, and the one for GPUs."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsb_backend.runtime.network import GPU_BATCH, Description
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
        # One forward pass uses every thread it is given; only a GPU gains from several pictures in it.
        self.workers = 1
        self.batch = GPU_BATCH if on_gpu else 1
        self.device = torch.cuda.get_device_name(0) if on_gpu else "CPU"
        self._torch: Any = torch
        self._place = torch.device("cuda:0" if on_gpu else "cpu")
        self._kind = torch.float16 if on_gpu and precision == "auto" else torch.float32
        model, _ = load_checkpoint(path, device=self._place, fuse=True)
        self._model = model.to(self._kind)
        self.description = _described(model)
        torch.set_num_threads(threads)

    def forward(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Raw outputs for a batch; see Network."""
        with self._torch.inference_mode():
            # Bytes travel to a GPU in a quarter of the time that floats take.
            pixels = self._torch.from_numpy(batch).to(self._place)
            tensor = pixels.permute(0, 3, 1, 2).flip(1).to(self._kind).div_(255)
            output = self._model(tensor)[0]
        outputs = output if isinstance(output, (tuple, list)) else (output,)
        return [part.float().cpu().numpy() for part in outputs]

    def close(self) -> None:
        """Free the network, and the GPU's memory with it."""
        del self._model
        if self._place.type == "cuda":
            self._torch.cuda.empty_cache()


def _described(model: Any) -> Description:
    names = tuple(str(name) for _, name in sorted(model.names.items()))
    return Description(names, model.task)
