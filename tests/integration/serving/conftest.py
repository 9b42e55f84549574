"""The bed of the benchmarks: a model that finds something, pictures on loopback, servers as processes."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from benchmarks.bed.bed import Bed
from benchmarks.options import QUICK, Options
from serving import ServingProcess

Start = Callable[..., ServingProcess]


@pytest.fixture(scope="session")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """Four pictures of mixed sizes, and all that is made from them."""
    with contextlib.ExitStack() as stack:
        yield Bed(Options(replace(QUICK, tasks=4), tmp_path_factory.mktemp("bed")), stack)


@pytest.fixture
def start(bed: Bed) -> Iterator[Start]:
    """Start a server of the model; `name` is that of its folder, and with it of its store."""
    started: list[ServingProcess] = []

    def begin(name: str, runtime: str = "openvino") -> ServingProcess:
        server = bed.prepared(name, runtime)
        started.append(server)
        return server.start()

    yield begin
    for server in started:
        server.stop()
