"""Alerts and dashboard ask for metrics that operator and backends really have."""

import json
import re
from collections import Counter
from types import SimpleNamespace
from typing import Any

import promql_parser
import pytest
import yaml
from chart.dashboard import expressions
from chart.made import CHART, ROOT
from prometheus_client import CollectorRegistry

from lsb_backend.predict.statistics import Statistics
from lsb_backend.serve import metrics as serving
from lsb_crds.results import TrainingPhase
from lsb_operator import metrics as operating

ALERTS = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"]
RULES = [rule for group in ALERTS for rule in group["rules"]]
DASHBOARD = json.loads((CHART / "files" / "dashboard.json").read_text())
# Grafana puts them in, as Prometheus' own labels are put there by Prometheus.
VARIABLES = {"$__rate_interval": "5m", "$namespace": "studio", "$backend": "cats"}
TARGET = {"namespace", "pod", "instance", "job", "lsbackends_dev_backend"}
ASKED = [rule["expr"] for rule in RULES] + expressions()


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    """Each series that there is, with the labels that it has."""
    statistics = Statistics(outcomes=Counter(ok=1), lookups=Counter(computed=1), images=1, batches=1)
    engine: Any = SimpleNamespace(statistics=statistics, depth=0)
    served = serving.Metrics()
    served.observe(engine, SimpleNamespace(waiting=0))  # type: ignore[arg-type]
    served.requests.labels("predict", "200").inc()
    served.seconds.labels("predict").observe(1)
    served.swaps.labels("swapped").inc()
    served.serves("1-cafecafe")
    operator = operating.Metrics()
    operator.reconciles.labels("done").inc()
    operator.errors.labels("Forbidden").inc()
    operator.writes.labels("Service", "apply").inc()
    return _series(served.registry) | _series(operator.registry)


@pytest.mark.parametrize("expression", ASKED)
def test_an_expression_asks_for_series_and_labels_that_exist(
    expression: str, known: dict[str, set[str]]
) -> None:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    selectors = list(_selectors(promql_parser.parse(expression)))
    assert selectors
    for selector in selectors:
        assert selector.name in known
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels <= known[selector.name] | TARGET


@pytest.mark.parametrize("expression", ASKED)
def test_an_expression_adds_up_by_labels_that_exist(expression: str, known: dict[str, set[str]]) -> None:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    for labels, inner in _sums(promql_parser.parse(expression)):
        for selector in _selectors(inner):
            assert labels <= known[selector.name] | TARGET


def test_the_values_that_alerts_look_for_are_counted() -> None:
    phases = set(TrainingPhase.__args__)  # type: ignore[attr-defined]
    assert set(operating.ENDS) <= phases
    names = "".join(rule["expr"] for rule in RULES)
    assert 'phase="Failed"' in names
    assert "Failed" in operating.ENDS
    assert 'outcome="RolledBack"' in names
    assert "RolledBack" in operating.OUTCOMES


def test_every_alert_says_what_to_do() -> None:
    for rule in RULES:
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_every_series_is_on_the_page_about_operations(known: dict[str, set[str]]) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    # Of a histogram the page has the name that its series begin with; when each was made is Prometheus' own.
    names = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known if not name.endswith("_created")}
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells


def _series(registry: CollectorRegistry) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for family in registry.collect():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def _selectors(node: Any) -> Any:
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    elif isinstance(node, promql_parser.MatrixSelector):
        yield node.vector_selector
    else:
        for part in _parts(node):
            yield from _selectors(part)


def _sums(node: Any) -> Any:
    if isinstance(node, promql_parser.AggregateExpr):
        yield set(node.modifier.labels) if node.modifier else set(), node.expr
    for part in _parts(node):
        yield from _sums(part)


def _parts(node: Any) -> list[Any]:
    if isinstance(node, promql_parser.Call):
        return list(node.args)
    return [getattr(node, name) for name in ("lhs", "rhs", "expr") if hasattr(node, name)]
