"""How many processes may read images beside a training without running out of cores or shared memory."""

import os
from dataclasses import dataclass
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (only measured)

# ultralytics' loaders, in batches of the training batch's size, by worker: 4 waiting for the training loader,
# and for the validation loader twice the workers, each with 2 waiting of twice the size.
_WAITING = 4 + 2 * 2 * 2
_CHANNELS = 3
# The rest is for what else lives there: masks, labels, the queues of CUDA and NCCL.
_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Workers:
    """How many there are, and why not more."""

    count: int
    reason: str


def worker_count(wanted: int, cores: int, shared_bytes: int, batch: int, image_size: int) -> Workers:
    """At most `wanted`, as few as `cores` and `shared_bytes` of shared memory make it; 0 is none beside us.

    A loader's worker that finds no shared memory dies of a bus error and takes the training with it.
    """
    batch_bytes = batch * _CHANNELS * image_size * image_size
    fitting = int(shared_bytes * _SHARE) // (_WAITING * batch_bytes)
    count = max(0, min(wanted, cores, fitting))
    if count == wanted:
        return Workers(count, "as many as asked for")
    if fitting < cores:
        return Workers(
            count,
            f"{SHARED_MEMORY} has {shared_bytes // 2**20} MiB free, which is enough for {fitting}: "
            "raise training.sharedMemory for more",
        )
    return Workers(count, f"there are {cores} cores")


def free_shared_memory(folder: Path = SHARED_MEMORY) -> int:
    """Free bytes of shared memory; 0 on a machine without any."""
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize
