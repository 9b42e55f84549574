"""The operator's image."""

from collections.abc import Callable

from images.container import Container

Run = Callable[..., Container]


def test_without_a_cluster_it_says_so_in_one_line(operator: str, container: Run) -> None:
    ended = container(operator).run()
    assert ended.code == 1
    assert ended.out == ""
    (line,) = ended.err.strip().splitlines()
    assert line.startswith("error: No cluster to talk to")


def test_there_is_no_machine_learning_in_it(operator: str, python: Callable[..., str]) -> None:
    look = "import importlib.util as i; print([n for n in ('numpy', 'cv2', 'torch') if i.find_spec(n)])"
    assert python(operator, look) == "[]"
