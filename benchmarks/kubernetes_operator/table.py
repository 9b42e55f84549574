"""The figures as a table for people, with the goal of each."""

from collections.abc import Iterable, Iterator
from typing import Any

Row = tuple[str, str, str, str]


def heading() -> str:
    """What the columns are."""
    return _text([("", "measured", "baseline", "goal")])


def table(part: str, figures: dict[str, Any]) -> str:
    """What was measured in a part, line by line: what, figure, baseline, goal and whether it is reached."""
    return _text({"latency": _latency, "burst": _burst, "crowd": _crowd}[part](figures))


def _text(rows: Iterable[Row]) -> str:
    return "\n".join(
        f"{what:<50}{value:>12}{baseline:>12}  {goal}".rstrip() for what, value, baseline, goal in rows
    )


def _latency(found: dict[str, Any]) -> Iterator[Row]:
    ours, kubectl = found["operator"], found["kubectl"]
    yield ("Applied to last child present; kubectl apply", "", "", "")
    goal = _goal(ours["p50"] <= 100 and ours["p50"] < kubectl["p50"], "100 and less than kubectl")
    yield ("  p50, ms", f"{ours['p50']:.0f}", f"{kubectl['p50']:.0f}", goal)
    yield ("  p90, ms", f"{ours['p90']:.0f}", f"{kubectl['p90']:.0f}", "")
    yield ("  kubectl's requests alone, p50, ms", "", f"{kubectl['requests alone']:.0f}", "")
    yield ("  requests", f"{ours['requests']:.0f}", f"{kubectl['requests']:.0f}", "")
    yield ("  CPU of operator, kubectl, ms", f"{ours['cpu']:.0f}", f"{kubectl['cpu']:.0f}", "")
    yield ("  CPU of API server and etcd, ms", *_pair(ours, kubectl, "server cpu", 0), "")


def _burst(found: dict[str, Any]) -> Iterator[Row]:
    ours = found["operator"]
    baseline = {key: (found["before"][key] + found["after"][key]) / 2 for key in found["before"]}
    yield (f"{ours['children']} children at once; one client, {found['connections']} connections", "", "", "")
    yield ("  children a second", *_pair(ours, baseline, "children a second", 0), "")
    yield ("  share", f"{found['share']:.0%}", "", _goal(found["share"] >= 0.6, "at least 60%"))
    yield ("  wall, s", *_pair(ours, baseline, "seconds", 1), "")
    yield ("  CPU of operator, client, s", *_pair(ours, baseline, "cpu", 1), "")
    yield ("  CPU of API server and etcd, s", *_pair(ours, baseline, "server cpu", 1), "")


def _crowd(found: dict[str, Any]) -> Iterator[Row]:
    filled = found["filled"]
    yield (f"{found['resources']} resources made", "", "", "")
    yield ("  wall until nothing is left to do, s", f"{filled['seconds']:.0f}", "", "")
    yield ("  CPU, s", f"{filled['cpu']:.0f}", "", "")
    yield ("  RSS, MiB", f"{filled['resident']:.0f}", f"{found['empty']['resident']:.0f}", "")
    yield from _restart(found["restart"], found["resources"])
    yield from _idle(found["idle"], found["empty"], found["resources"])
    yield from _repair(found["repair"])


def _idle(idle: dict[str, Any], empty: dict[str, Any], resources: int) -> Iterator[Row]:
    yield (f"{idle['seconds']:.0f} idle seconds, {resources} resources; with none", "", "", "")
    yield ("  writes", str(idle["writes"]), str(empty["writes"]), _goal(not idle["writes"], "none"))
    yield ("  reads", str(idle["reads"]), str(empty["reads"]), _goal(not idle["reads"], "none"))
    yield from ((f"    {what}", str(times), "", "") for what, times in idle["what"].items())
    yield ("  requests for Leases, watches", _others(idle), _others(empty), "")
    goal = _goal(idle["cpu percent"] < 1, "under 1")
    yield ("  CPU, percent of one core", *_pair(idle, empty, "cpu percent", 2), goal)
    yield ("  RSS, MiB", *_pair(idle, empty, "resident", 0), _goal(idle["resident"] <= 150, "at most 150"))


def _repair(found: dict[str, Any]) -> Iterator[Row]:
    baseline = found["replica set"]
    for what in ("deleted", "changed"):
        row = found[what]
        beside = baseline if what == "deleted" else {}
        yield (
            f"A {what} child is back; a deleted ReplicaSet" if beside else f"A {what} child is back",
            "",
            "",
            "",
        )
        yield ("  p50, ms", f"{row['p50']:.0f}", f"{beside['p50']:.0f}" if beside else "", "")
        longest = f"{beside['maximum']:.0f}" if beside else ""
        yield ("  longest, ms", f"{row['maximum']:.0f}", longest, _goal(row["maximum"] <= 1000, "1000"))


def _restart(found: dict[str, Any], resources: int) -> Iterator[Row]:
    yield (f"Restart with {resources} resources; one client lists all", "", "", "")
    goal = _goal(found["seconds"] <= 10, "at most 10")
    yield ("  settled after, s", f"{found['seconds']:.1f}", f"{found['baseline']:.1f}", goal)
    yield ("  writes", str(found["writes"]), "", _goal(not found["writes"], "none"))
    yield from ((f"    {what}", str(times), "", "") for what, times in found["what"].items())
    yield ("  CPU, s", f"{found['cpu']:.1f}", "", "")
    yield ("  RSS, MiB", f"{found['resident']:.0f}", "", "")


def _pair(ours: dict[str, Any], baseline: dict[str, Any], key: str, digits: int) -> tuple[str, str]:
    return f"{ours[key]:.{digits}f}", f"{baseline[key]:.{digits}f}"


def _others(found: dict[str, Any]) -> str:
    return f"{found['leases']}, {found['watches']}"


def _goal(reached: bool, text: str) -> str:
    return f"{'reached' if reached else 'MISSED'}: {text}"
