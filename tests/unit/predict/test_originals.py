"""Decoded pictures have room for so many pixels, and a larger one is let in alone."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

from lsb_backend.predict.originals import Originals


def test_no_more_pixels_are_held_than_there_is_room_for_unless_one_picture_has_them_all() -> None:
    originals, lock, held, seen = Originals(100), threading.Lock(), [], []
    sizes = [random.Random(seed).choice((10, 40, 90, 250)) for seed in range(400)]

    def use(pixels: int) -> None:
        with originals.hold(pixels):
            with lock:
                held.append(pixels)
                seen.append(list(held))
            with lock:
                held.remove(pixels)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, sizes))
    assert len(seen) == len(sizes)
    assert all(sum(together) <= 100 or len(together) == 1 for together in seen)


def test_a_picture_that_fails_gives_its_room_back() -> None:
    originals = Originals(100)
    for _ in range(3):
        try:
            with originals.hold(90):
                raise ValueError
        except ValueError:
            pass
    with originals.hold(90):
        pass
