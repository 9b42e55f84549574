"""Readers of images die for lack of shared memory unless there are few enough of them."""

from pathlib import Path

import pytest

from lsb_backend.training.workers import free_shared_memory, worker_count

MEBIBYTE = 2**20


@pytest.mark.parametrize(
    ("wanted", "cores", "shared", "count"),
    [
        (8, 16, 64 * 1024 * MEBIBYTE, 8),
        (8, 2, 64 * 1024 * MEBIBYTE, 2),
        # What Docker gives without being asked is not enough for one.
        (8, 16, 64 * MEBIBYTE, 0),
        (8, 16, 1024 * MEBIBYTE, 2),
        (8, 16, 0, 0),
        (0, 16, 1024 * MEBIBYTE, 0),
    ],
)
def test_count(wanted: int, cores: int, shared: int, count: int) -> None:
    workers = worker_count(wanted, cores, shared, batch=16, image_size=640)
    assert workers.count == count
    # What all of them hold at once: 4 batches each for training, and twice 2 double ones for validation.
    assert workers.count * 12 * 16 * 3 * 640 * 640 <= shared


def test_the_log_says_what_to_raise() -> None:
    assert "training.sharedMemory" in worker_count(8, 16, 64 * MEBIBYTE, 16, 640).reason
    assert "2 cores" in worker_count(8, 2, 64 * 1024 * MEBIBYTE, 16, 640).reason


def test_a_machine_without_shared_memory_has_none_free(tmp_path: Path) -> None:
    assert free_shared_memory(tmp_path / "missing") == 0
    assert free_shared_memory(tmp_path) > 0
