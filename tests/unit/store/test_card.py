"""A card survives figures that are no numbers, and refuses names that lead out of its folder."""

import json

import pytest
from pydantic import ValidationError

from lsb_backend.store.card import Card, CardDraft, Metrics, card_schema


def test_figures_that_are_no_numbers_are_left_out() -> None:
    metrics = Metrics(weights={"mAP50": 0.5, "loss": float("nan"), "lr": float("inf")})
    assert json.loads(metrics.model_dump_json())["weights"] == {"mAP50": 0.5}


@pytest.mark.parametrize("name", ["/etc/passwd", "../other/card.json", "plots/../../x"])
def test_plots_lie_inside_the_version(name: str) -> None:
    with pytest.raises(ValidationError, match="inside the version's folder"):
        CardDraft(task="detect", classes=[], trained=True, plots=[name])


def test_the_schema_names_every_field() -> None:
    properties = card_schema()["properties"]
    assert set(properties) == set(Card.model_fields)
    assert properties["format"]["const"] == 1
