"""Grafana's dashboard of operator and backends."""

import json
from dataclasses import dataclass
from typing import Any

_WIDTH, _HEIGHT, _COLUMNS = 8, 8, 3
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_BACKEND = 'namespace=~"$namespace",lsbackends_dev_backend=~"$backend"'


@dataclass(frozen=True)
class Panel:
    """One graph: what it shows, in which unit of Grafana's, and its expressions with their legends."""

    title: str
    unit: str
    expressions: dict[str, str]
    about: str = ""


ROWS: dict[str, tuple[Panel, ...]] = {
    "Backends": (
        Panel(
            "Requests",
            "reqps",
            {
                f"sum by (lsbackends_dev_backend, route, status) (rate(lsbackend_requests_total{{{_BACKEND}}}"
                "[$__rate_interval]))": "{{lsbackends_dev_backend}} {{route}} {{status}}"
            },
        ),
        Panel(
            "Time of a prediction (95 %)",
            "s",
            {
                "histogram_quantile(0.95, sum by (le, lsbackends_dev_backend) (rate("
                f'lsbackend_request_seconds_bucket{{{_BACKEND},route="predict"}}[$__rate_interval])))': ""
                "{{lsbackends_dev_backend}}"
            },
            "Label Studio gives a request up after 100 seconds.",
        ),
        Panel(
            "Tasks by how they ended",
            "ops",
            {
                f"sum by (lsbackends_dev_backend, outcome) (rate(lsbackend_tasks_total{{{_BACKEND}}}"
                "[$__rate_interval]))": "{{lsbackends_dev_backend}} {{outcome}}"
            },
        ),
        Panel(
            "Waiting",
            "short",
            {
                f"sum by (lsbackends_dev_backend) (lsbackend_waiting_tasks{{{_BACKEND}}})": ""
                "{{lsbackends_dev_backend}} tasks",
                f"sum by (lsbackends_dev_backend) (lsbackend_queue_images{{{_BACKEND}}})": ""
                "{{lsbackends_dev_backend}} images",
            },
        ),
        Panel(
            "Images in a batch",
            "short",
            {
                f"sum by (lsbackends_dev_backend) (rate(lsbackend_images_total{{{_BACKEND}}}"
                "[$__rate_interval])) / sum by (lsbackends_dev_backend) (rate(lsbackend_batches_total"
                f"{{{_BACKEND}}}[$__rate_interval]))": "{{lsbackends_dev_backend}}"
            },
        ),
        Panel(
            "Seconds of work by stage",
            "s",
            {
                f"sum by (lsbackends_dev_backend, stage) (rate(lsbackend_stage_seconds_total{{{_BACKEND}}}"
                "[$__rate_interval]))": "{{lsbackends_dev_backend}} {{stage}}"
            },
        ),
        Panel(
            "Replicas by version",
            "short",
            {
                f"sum by (lsbackends_dev_backend, version) (lsbackend_model{{{_BACKEND}}})": ""
                "{{lsbackends_dev_backend}} {{version}}"
            },
        ),
        Panel(
            "Swaps of the model",
            "short",
            {
                "sum by (lsbackends_dev_backend, outcome) (increase(lsbackend_swaps_total"
                f"{{{_BACKEND}}}[$__rate_interval]))": "{{lsbackends_dev_backend}} {{outcome}}"
            },
        ),
    ),
    "Operator": (
        Panel(
            "Active",
            "short",
            {"sum(lsb_leader)": "operators"},
            "One operator is active; the others wait.",
        ),
        Panel(
            "Trainings that ended",
            "short",
            {"sum by (phase) (increase(lsb_trainings_total[$__rate_interval]))": "{{phase}}"},
        ),
        Panel(
            "Roll-outs",
            "short",
            {"sum by (outcome) (increase(lsb_rollouts_total[$__rate_interval]))": "{{outcome}}"},
        ),
        Panel(
            "Reconciles",
            "ops",
            {"sum by (outcome) (rate(lsb_reconciles_total[$__rate_interval]))": "{{outcome}}"},
        ),
        Panel(
            "Time of a reconcile (95 %)",
            "s",
            {
                "histogram_quantile(0.95, sum by (le) (rate(lsb_reconcile_seconds_bucket"
                "[$__rate_interval])))": "95 %"
            },
        ),
        Panel(
            "Failed reconciles",
            "ops",
            {"sum by (reason) (rate(lsb_reconcile_errors_total[$__rate_interval]))": "{{reason}}"},
        ),
        Panel(
            "Writes of children",
            "ops",
            {"sum by (kind, write) (rate(lsb_child_writes_total[$__rate_interval]))": "{{kind}} {{write}}"},
        ),
        Panel("Queue", "short", {"sum(lsb_queue_depth)": "backends"}),
    ),
}


def expressions() -> list[str]:
    """All expressions of the dashboard, with Grafana's variables in them."""
    return [one for panels in ROWS.values() for panel in panels for one in panel.expressions]


def dashboard() -> str:
    """The dashboard as JSON."""
    document = {
        "uid": "lsbackends",
        "title": "lsbackends",
        "tags": ["lsbackends", "label-studio"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": _panels(),
    }
    return json.dumps(document, indent=1) + "\n"


def _variables() -> list[dict[str, Any]]:
    source = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"}
    return [
        source,
        _variable("namespace", "label_values(lsbackend_model, namespace)"),
        _variable(
            "backend", 'label_values(lsbackend_model{namespace=~"$namespace"}, lsbackends_dev_backend)'
        ),
    ]


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "label": name.capitalize(),
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    line = 0
    for title, panels in ROWS.items():
        place = {"x": 0, "y": line, "w": _WIDTH * _COLUMNS, "h": 1}
        found.append({"id": len(found) + 1, "type": "row", "title": title, "gridPos": place, "panels": []})
        line += 1
        for number, panel in enumerate(panels):
            x, y = number % _COLUMNS * _WIDTH, line + number // _COLUMNS * _HEIGHT
            found.append(_panel(panel, len(found) + 1, {"x": x, "y": y, "w": _WIDTH, "h": _HEIGHT}))
        line += -(-len(panels) // _COLUMNS) * _HEIGHT
    return found


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + index), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
        for index, (expression, legend) in enumerate(panel.expressions.items())
    ]
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": targets,
    }
