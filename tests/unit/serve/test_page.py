"""The page tells people how the versions did, and lets nobody put markup into it."""

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from lsb_backend.serve.chart import Bar, bar_chart
from lsb_backend.serve.page import main_figure, render
from lsb_backend.serve.status import Status
from lsb_backend.store.card import Card, DatasetSummary, Metrics
from lsb_backend.store.promotion import Decision, Promotion, Verdict

METRIC = "metrics/mAP50-95(B)"
EVIL = "<script>alert(1)</script>\"'&"


def card(sequence: int, value: float | None, **more: Any) -> Card:
    figures = {} if value is None else {METRIC: value}
    return Card(
        **{
            "task": "detect",
            "classes": ["cat"],
            "trained": True,
            "version": f"{sequence}-{sequence:08x}",
            "sequence": sequence,
            "sha256": "0" * 64,
            "created_at": datetime(2026, 1, 1, tzinfo=UTC),
            "metrics": Metrics(exported=figures),
            **more,
        }
    )


def state(**more: Any) -> dict[str, Any]:
    model = {"version": "1-00000001", "trained": True, "device": "cpu", "classes": ["cat"]}
    return {
        "name": "cats",
        "task": "detect",
        "model": model,
        "training": None,
        **Status().model_dump(),
        **more,
    }


def promotion(*decisions: Decision) -> Promotion:
    return Promotion(promoted="1-00000001", history=decisions)


def test_it_shows_versions_newest_first_with_figures_images_and_reasons() -> None:
    summary = DatasetSummary(digest="x", counts={"train": 80})
    decision = Decision(
        version="1-00000001", verdict=Verdict.PROMOTED, reason="0.61 beats 0.10", metric=METRIC
    )
    html = render(state(), [card(0, 0.1), card(1, 0.61, dataset=summary)], promotion(decision), "")
    assert html.index("<td>1-00000001") < html.index("<td>0-00000000")
    assert "0.610" in html
    assert "80 images" in html
    assert "0.61 beats 0.10" in html
    assert html.count("<rect") == 2


def test_the_reason_shown_is_that_of_the_last_decision() -> None:
    decisions = [
        Decision(version="1-00000001", verdict=Verdict.PROMOTED, reason="better"),
        Decision(version="1-00000001", verdict=Verdict.ROLLED_BACK, reason="crashed"),
    ]
    html = render(state(model=None), [card(1, 0.5)], promotion(*decisions), "")
    assert "crashed" in html
    assert "better" not in html


def test_nothing_from_outside_becomes_markup() -> None:
    evil = state(
        name=EVIL,
        task=EVIL,
        model={"version": EVIL, "trained": True, "device": EVIL, "classes": [EVIL]},
        training={"run": EVIL, "epoch": 1, "epochs": 2, "message": EVIL},
        label_studio={"message": EVIL},
        setup_refusals={EVIL: {"message": EVIL}},
        last_training=EVIL,
    )
    decision = Decision(version="1-00000001", verdict=Verdict.REJECTED, reason=EVIL)
    html = render(evil, [card(1, 0.5, plots=[f"{EVIL}.png"])], promotion(decision), "/cats")
    assert "<script" not in html
    assert EVIL not in html


def test_pictures_of_the_served_version_are_fetched_below_the_prefix() -> None:
    html = render(state(), [card(1, 0.5, plots=["plots/a b.png", "plots/results.csv"])], promotion(), "/cats")
    assert 'src="/cats/pictures/1-00000001/plots/a%20b.png"' in html
    assert "results.csv" not in html


def test_samples_come_first_each_before_the_training_beside_itself_after_it() -> None:
    names = ["results.png", "sample-1-after.jpg", "sample-1-before.jpg", "sample-2-after.jpg"]
    html = render(state(), [card(1, 0.6, plots=[f"plots/{name}" for name in names])], Promotion(), "")
    order = ["sample-1-before.jpg", "sample-1-after.jpg", "sample-2-after.jpg", "results.png"]
    places = [html.index(f"plots/{name}</figcaption>") for name in order]
    assert places == sorted(places)


def test_before_the_first_version_it_says_what_is_awaited() -> None:
    assert "version 0 is being prepared" in render(
        state(model=None, preparing="version 0 is being prepared"), [], Promotion(), ""
    )


def test_a_running_training_is_shown_with_its_progress() -> None:
    html = render(
        state(training={"run": "after-0", "epoch": 3, "epochs": 10, "message": ""}), [], Promotion(), ""
    )
    assert "epoch 3 of 10" in html
    assert "<progress value=3 max=10>" in html


def test_the_figure_is_that_of_what_serves_and_of_the_gate() -> None:
    both = Metrics(weights={METRIC: 0.7, "other": 0.2}, exported={METRIC: 0.6, "other": 0.3})
    assert main_figure(card(1, None, metrics=both), "other") == 0.3
    assert main_figure(card(1, None, metrics=both), None) == 0.6
    assert main_figure(card(1, None), METRIC) is None


def test_the_chart_is_well_formed_and_inside_its_frame() -> None:
    chart = bar_chart([Bar(EVIL, 7.0, True), Bar("b", -1.0, False)], EVIL)
    bars = [node for node in ElementTree.fromstring(chart).iter() if node.tag == "rect"]
    assert all(float(bar.attrib["y"]) >= 0 for bar in bars)
    assert bar_chart([], "x") == ""
