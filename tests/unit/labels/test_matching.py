"""Classes of a model against labels of a project."""

from lsb_backend.labels.config import Label
from lsb_backend.labels.matching import match


def names(class_names: list[str], labels: list[Label]) -> dict[int, str]:
    return {index: label.name for index, label in match(class_names, labels).by_class.items()}


def test_names_match_without_regard_to_case() -> None:
    assert names(["BICYCLE", "dog"], [Label("Dog"), Label("Bicycle")]) == {0: "Bicycle", 1: "Dog"}


def test_predicted_values_match_without_regard_to_case() -> None:
    assert names(["Truck", "bus", "cat"], [Label("car", ("TRUCK", "Bus"))]) == {0: "car", 1: "car"}


def test_what_matches_nothing_is_listed_on_both_sides() -> None:
    found = match(["cat", "tree"], [Label("Cat"), Label("Zebra")])
    assert found.unmatched_classes == ("tree",)
    assert found.unmatched_labels == ("Zebra",)


def test_the_first_of_two_labels_that_claim_a_class_gets_it() -> None:
    assert names(["car", "x"], [Label("a", ("car",)), Label("b", ("car",))]) == {0: "a"}


def test_predicted_values_win_over_a_name_for_a_base_model() -> None:
    labels = [Label("vehicle", ("car",)), Label("car")]
    assert names(["person", "car"], labels) == {1: "vehicle"}


def test_a_model_trained_on_these_labels_is_matched_by_name() -> None:
    labels = [Label("vehicle", ("car",)), Label("car")]
    assert names(["vehicle", "car"], labels) == {0: "vehicle", 1: "car"}


def test_a_model_without_classes_matches_nothing() -> None:
    assert match([], [Label("cat")]).unmatched_labels == ("cat",)
