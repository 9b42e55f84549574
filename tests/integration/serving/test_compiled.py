"""The compiled models in a store: shared by replicas, and missed by nobody where they cannot be kept."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.bed.bed import Bed
from serving import ServingProcess, until


def predicted(server: ServingProcess, bed: Bed) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = server.ask("/predict", json.loads(bed.body("compiled")))["results"]
    assert all(one["result"] for one in results)
    return [{"score": round(one["score"], 3), "regions": len(one["result"])} for one in results]


def test_two_replicas_that_start_at_once_share_one_store(bed: Bed) -> None:
    replicas = [bed.prepared("replica", "openvino"), bed.backend("other-replica", "openvino")]
    replicas[1].store = replicas[0].store
    cache = replicas[0].store / "cache" / "compiled"
    assert not list(cache.glob("*"))
    try:
        for replica in replicas:
            replica.start(wait=False)
        for replica in replicas:
            until(replica.ready, "both replicas serve")
        assert predicted(replicas[0], bed) == predicted(replicas[1], bed)
    finally:
        for replica in replicas:
            replica.stop()
    (kept,) = cache.iterdir()
    written = kept.read_bytes()
    # The next one reads it: it is whole, and not made again.
    with_cache = replicas[1].start()
    try:
        predicted(with_cache, bed)
    finally:
        with_cache.stop()
    assert [path.name for path in cache.iterdir()] == [kept.name]
    assert kept.read_bytes() == written
    assert not any("compiled model" in replica.log for replica in replicas)


def test_a_store_that_keeps_nothing_compiled_serves_all_the_same(
    bed: Bed, start: Callable[..., ServingProcess]
) -> None:
    cache = bed.prepared("unwritable", "openvino").store / "cache"
    # Where nobody can write, root included.
    (cache / "compiled").symlink_to(Path("/proc/compiled"))
    assert predicted(start("unwritable"), bed)
