"""Runs a YOLO network on pictures of mixed sizes, whatever library computes it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lsb_backend.detection import Detection, Parameters
from lsb_backend.runtime import postprocess, preprocess
from lsb_backend.runtime.network import Network
from lsb_backend.runtime.preprocess import Prepared


class YoloRuntime:
    """Prepares pictures, computes batches of one padded size, and reads the results."""

    def __init__(self, network: Network, names: tuple[str, ...]) -> None:
        self.names = names
        self.device = network.device
        self.workers = network.workers
        self.batch = network.batch
        self._network = network

    def prepare(self, image: NDArray[np.uint8], parameters: Parameters) -> Prepared:
        """Scale and pad a picture; what comes back is a megabyte or so, whatever the size of `image`."""
        return preprocess.prepare(image, parameters.image_size)

    def predict(self, prepared: Sequence[Prepared], parameters: Parameters) -> list[list[Detection]]:
        """Detections of each picture, best first, in its own pixels; all of one padded size."""
        output, *rest = self._network.forward(np.stack([picture.pixels for picture in prepared]))
        return [
            postprocess.detections(
                output[place],
                rest[0][place] if rest else None,
                len(self.names),
                picture.letterbox,
                parameters,
            )
            for place, picture in enumerate(prepared)
        ]

    def close(self) -> None:
        """Free the network."""
        self._network.close()
