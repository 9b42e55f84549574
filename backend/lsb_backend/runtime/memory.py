"""Makes the allocator give back what large pictures and batches needed."""

import ctypes
import os

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_MEBIBYTE = 2**20


def give_memory_back() -> None:
    """Have whatever is larger than four megabytes returned to the system as soon as it is freed.

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
    # What the network takes and gives for a picture is smaller, and used again and again.
    for option, value in ((_MMAP_THRESHOLD, 4 * _MEBIBYTE), (_TRIM_THRESHOLD, _MEBIBYTE), (_ARENA_MAX, 2)):
        set_option(option, value)
