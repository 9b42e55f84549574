"""Makes the allocator give back what large pictures and batches needed."""

import ctypes
import os

from lsb_crds.resolved import Runtime

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_MEBIBYTE = 2**20


def give_memory_back(runtime: Runtime) -> None:
    """Have what is larger than all that `runtime` uses over and over returned to the system once it is freed.

    glibc moves that limit up to 32 MiB as pictures are freed, and keeps them in a heap of every thread:
    measured, a server that had seen 12 million pixels held a hundred megabytes more. What somebody has set
    in the environment stays, and other allocators are left alone.
    """
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    # The others hold on to what they compute in. Torch asks for every layer's tensors anew, and getting their
    # pages back from the system each time took 5 to 9 ms of the 110 of a picture.
    mapped, kept = (32, 64) if runtime == "torch" else (4, 1)
    for option, value in (
        (_MMAP_THRESHOLD, mapped * _MEBIBYTE),
        (_TRIM_THRESHOLD, kept * _MEBIBYTE),
        (_ARENA_MAX, 2),
    ):
        set_option(option, value)
