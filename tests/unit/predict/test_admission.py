"""Who may wait, and who is told when to come back."""

import pytest

from lsb_backend.predict.admission import LONGEST_WAIT, Admission
from lsb_backend.predict.errors import OverloadedError
from lsb_backend.predict.statistics import Statistics


def test_requests_are_counted_for_as_long_as_they_run() -> None:
    admission = Admission(Statistics(), requests=2)
    with admission.enter(3) as first, admission.enter(3) as second:
        second.done = 1
        first.done = 1
        assert admission.running == (first, second)
        assert admission.waiting == 4
        with pytest.raises(OverloadedError), admission.enter(1):
            pass
    assert not admission.running
    with admission.enter(1):
        assert admission.waiting == 1


def test_a_large_request_is_let_in_and_what_comes_behind_it_is_not() -> None:
    admission = Admission(Statistics(), tasks=10)
    with admission.enter(1000) as large:
        with pytest.raises(OverloadedError), admission.enter(1):
            pass
        large.done = 991
        with admission.enter(1):
            pass


@pytest.mark.parametrize(
    ("seconds_per_image", "tasks", "seconds"), [(0.1, 95, 10), (0.001, 1, 1), (10, 100, LONGEST_WAIT)]
)
def test_the_wait_is_estimated_from_the_speed_of_the_model(
    seconds_per_image: float, tasks: int, seconds: int
) -> None:
    statistics = Statistics()
    statistics.batch(images=4, seconds=4 * seconds_per_image)
    admission = Admission(statistics, requests=1)
    with admission.enter(tasks), pytest.raises(OverloadedError) as refusal, admission.enter(1):
        pass
    assert refusal.value.retry_after == seconds
    assert refusal.value.headers == {"Retry-After": str(seconds)}
    assert f"{tasks} tasks wait" in str(refusal.value)


def test_the_speed_follows_the_last_batches() -> None:
    statistics = Statistics()
    assert statistics.images_per_second == 0
    statistics.batch(images=2, seconds=20)
    assert statistics.images_per_second == pytest.approx(0.1)
    for _ in range(60):
        statistics.batch(images=2, seconds=1)
    assert statistics.images_per_second == pytest.approx(2, rel=0.01)
