"""A request of a thousand large pictures holds no more memory than one of ten."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.bed import pictures
from benchmarks.bed.bed import Bed
from benchmarks.bed.callers import predict_body
from benchmarks.bed.memory import Peak
from serving import ServingProcess

SIZE = (4000, 3000)
DECODED = SIZE[0] * SIZE[1] * 3 / 2**20  # MiB


@pytest.fixture(scope="session")
def large(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Path]]:
    """Where pictures of 12 million pixels are served, under any number of addresses; and their files."""
    paths = pictures.write(tmp_path_factory.mktemp("large"), 2, (SIZE,))
    return bed.serve_pictures(paths[0].parent), paths


def peak(server: ServingProcess, bed: Bed, large: tuple[str, list[Path]], tasks: int) -> float:
    """The most MiB that are resident during a request."""
    url, paths = large
    addresses = [f"{url}/{tasks}-{number}/{paths[number % len(paths)].name}" for number in range(tasks)]
    body = json.loads(predict_body(bed.label_config, addresses))
    with Peak(server.pid) as most:
        answers = server.ask("/predict", body)["results"]
    assert len(answers) == tasks
    assert all(answers)
    return most.mebibytes


def test_a_thousand_pictures_take_hardly_more_than_ten(
    bed: Bed, start: Callable[..., ServingProcess], large: tuple[str, list[Path]]
) -> None:
    few = peak(start("ten"), bed, large, 10)
    many = peak(start("thousand"), bed, large, 1000)
    # Less than two decoded pictures more, where a thousand have 34 GiB.
    assert many - few < 2 * DECODED
