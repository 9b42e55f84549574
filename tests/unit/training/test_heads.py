"""Known classes keep what they know when the label set changes."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from lsb_backend.labels.config import Label
from lsb_backend.runtime.ultralytics_settings import ultralytics_environment
from lsb_backend.training.heads import transfer_names


def test_classes_take_the_names_of_the_labels_they_mean() -> None:
    names = transfer_names(["cat", "dog", "car"], [Label("Hund", ("dog",)), Label("Cat")])
    assert names == {0: "Cat", 1: "Hund", 2: "car (class 2, no label)"}


def test_of_two_classes_for_one_label_the_one_called_so_is_taken() -> None:
    names = transfer_names(["truck", "car", "bus"], [Label("car", ("truck", "car", "bus"))])
    assert names[1] == "car"
    assert list(names.values()).count("car") == 1


def test_random_weights_without_class_names_carry_none_over() -> None:
    assert set(transfer_names(["0", "1"], [Label("cat"), Label("dog")]).values()).isdisjoint({"cat", "dog"})


@pytest.fixture(scope="module")
def learned() -> Any:
    """A network that is taken as having learned cat and dog."""
    ultralytics_environment()
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(0)
    network = DetectionModel("yolov8n.yaml", nc=2, verbose=False).eval()
    network.names = {0: "cat", 1: "dog"}
    for branch in network.model[-1].cv3:
        # Random weights score all classes nearly alike; learned ones do not.
        branch[-1].bias.data = torch.tensor([0.5, -0.5])
        branch[-1].weight.data.normal_(0, 0.5)
    return network


def _started_from(learned: Any, labels: list[Label]) -> Any:
    """The network that ultralytics' trainer starts with, untrained."""
    from ultralytics.models.yolo.detect import DetectionTrainer

    learned.names = transfer_names(["cat", "dog"], labels)
    trainer = DetectionTrainer.__new__(DetectionTrainer)
    trainer.args = SimpleNamespace(cls_remap=True)
    trainer.data = {
        "nc": len(labels),
        "channels": 3,
        "names": {i: label.name for i, label in enumerate(labels)},
    }
    return trainer.get_model(cfg=learned.yaml, weights=learned, verbose=False).eval()


def _scores(network: Any) -> torch.Tensor:
    with torch.inference_mode():
        scores: torch.Tensor = network(torch.ones(1, 3, 64, 64) / 3)[0][0, 4:]
    return scores


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        ([Label("dog"), Label("cat")], {1: 0, 0: 1}),
        ([Label("bird"), Label("dog"), Label("cat")], {1: 1, 0: 2}),
        ([Label("dog")], {1: 0}),
        ([Label("Katze", ("cat",)), Label("Hund", ("dog",))], {0: 0, 1: 1}),
        ([Label("bird"), Label("cat")], {0: 1}),
    ],
    ids=["reordered", "added", "removed", "renamed", "exchanged"],
)
def test_scores_of_known_classes_stay(learned: Any, labels: list[Label], rows: dict[int, int]) -> None:
    before, after = _scores(learned), _scores(_started_from(learned, labels))
    assert len(after) == len(labels)
    for old, new in rows.items():
        torch.testing.assert_close(after[new], before[old])


def test_a_new_class_starts_afresh_where_it_takes_the_place_of_another(learned: Any) -> None:
    before, after = _scores(learned), _scores(_started_from(learned, [Label("cat"), Label("bird")]))
    torch.testing.assert_close(after[0], before[0])
    assert not torch.allclose(after[1], before[1])
