"""The limit of what these cores can do: decode the pictures and compute the network, nothing else.

Several arrangements of threads are tried, and the best is the limit.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from queue import Queue
from typing import Any

import cv2
import numpy as np
import openvino
from benchmarks.bed.bed import cores
from benchmarks.bed.worker import answer, settings
from benchmarks.workers.shapes_of import chunks, padded

_SEARCHED = 2
"""How often each arrangement is tried in the search."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """`streams` pictures are computed at once, each by `threads` threads, `at_once` in a batch of one size.

    `decoders` threads decode ahead of that; 0: each stream decodes what it computes.
    """

    streams: int
    threads: int
    decoders: int
    at_once: int


def arrangements(processors: int) -> list[Arrangement]:
    """Those worth a try."""
    one = [Arrangement(1, processors, decoders, at_once) for decoders in (0, 1, 2) for at_once in (1, 4)]
    if processors == 1:
        return one
    many = [
        Arrangement(processors, 1, decoders, at_once) for decoders in (0, 1, processors) for at_once in (1, 4)
    ]
    return one + many


class Limit:
    """The network and the bytes of the pictures."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._size = given["size"]
        self._files: list[str] = given["pictures"]
        self._model = openvino.Core().read_model(given["model"])
        self._precision = given["precision"]
        self._compiled: dict[tuple[int, int], Any] = {}
        self._inputs: dict[tuple[int, int, int], Any] = {}
        # A picture a thread: the threads of the pool are those of the arrangement.
        cv2.setNumThreads(1)
        self._shapes = [self._shape(file) for file in self._files]

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """`search` tries the arrangements, anything else takes the one named in it."""
        if "search" not in question:
            return {"seconds": self._seconds(Arrangement(**question))}
        tried = [
            {**asdict(one), "seconds": min(self._seconds(one) for _ in range(_SEARCHED))}
            for one in arrangements(cores())
        ]
        return {"tried": tried, "best": min(tried, key=lambda one: one["seconds"])}

    def _seconds(self, chosen: Arrangement) -> float:
        requests: Queue[Any] = Queue()
        for _ in range(chosen.streams):
            requests.put(self._network(chosen).create_infer_request())
        groups = chunks(self._shapes, chosen.at_once)
        began = time.perf_counter()
        with ThreadPoolExecutor(chosen.streams) as streams:
            if chosen.decoders:
                self._ahead(groups, chosen, requests, streams)
            else:
                _finish(streams, [self._both(group, requests) for group in groups])
        return time.perf_counter() - began

    def _ahead(self, groups: Any, chosen: Arrangement, requests: Any, streams: ThreadPoolExecutor) -> None:
        with ThreadPoolExecutor(chosen.decoders) as decoders:
            decoding = [[decoders.submit(self._decode, index) for index in group] for group in groups]

            def compute(group: tuple[int, ...], decoded: list[Any]) -> Callable[[], None]:
                def work() -> None:
                    for one in decoded:
                        one.result()
                    self._infer(group, requests)

                return work

            _finish(streams, [compute(*pair) for pair in zip(groups, decoding, strict=True)])

    def _both(self, group: tuple[int, ...], requests: Any) -> Callable[[], None]:
        def work() -> None:
            for index in group:
                self._decode(index)
            self._infer(group, requests)

        return work

    def _decode(self, index: int) -> None:
        # The pixels are dropped: to keep all of them is not part of the work.
        _decoded(self._files[index])

    def _infer(self, group: tuple[int, ...], requests: Any) -> None:
        shape = (len(group), *self._shapes[group[0]])
        if shape not in self._inputs:
            self._inputs[shape] = np.random.default_rng(0).random((shape[0], 3, *shape[1:]), np.float32)
        request = requests.get()
        request.infer({0: self._inputs[shape]})
        requests.put(request)

    def _network(self, chosen: Arrangement) -> Any:
        key = (chosen.streams, chosen.threads)
        if key not in self._compiled:
            options = {
                "NUM_STREAMS": str(chosen.streams),
                "INFERENCE_NUM_THREADS": str(chosen.streams * chosen.threads),
            }
            if self._precision == "f32":
                options["INFERENCE_PRECISION_HINT"] = "f32"
            self._compiled[key] = openvino.Core().compile_model(self._model, "CPU", options)
        return self._compiled[key]

    def _shape(self, file: str) -> tuple[int, int]:
        height, width = np.asarray(_decoded(file)).shape[:2]
        return padded(height, width, self._size)


def _decoded(file: str) -> Any:
    # OpenCV's quickest way to pixels: from memory it would copy them once more.
    return cv2.imread(file, None, cv2.IMREAD_COLOR)


def _finish(pool: ThreadPoolExecutor, work: list[Callable[[], None]]) -> None:
    for done in [pool.submit(one) for one in work]:
        done.result()


if __name__ == "__main__":
    answer(Limit(settings()).answer)
