"""What a benchmark run writes: one line for each question, with its baseline, its goal and the spread."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, computed_field

Better = Literal["higher", "lower"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Spread(_Model):
    """The median of some samples, between their first and third quartile."""

    median: float
    low: float
    high: float
    samples: int


class Goal(_Model):
    """A limit for a line: for its own figure, for its ratio to the baseline, or for the difference to it."""

    of: Literal["ratio", "figure", "difference"]
    kind: Literal["at least", "at most"]
    limit: float

    def met(self, value: float) -> bool:
        """Whether `value` keeps to the limit."""
        return value >= self.limit if self.kind == "at least" else value <= self.limit


class Line(_Model):
    """One measured figure. `ratio` is figure / baseline, paired round by round where there are rounds."""

    key: str
    what: str
    unit: str
    better: Better
    figure: Spread
    baseline: Spread | None = None
    baseline_name: str = ""
    ratio: Spread | None = None
    goals: tuple[Goal, ...] = ()
    tolerance: float = 0.1
    """By how much the ratio may get worse from one run to the next, as a share of it."""
    details: dict[str, float | str] = {}

    @computed_field  # type: ignore[prop-decorator]
    @property
    def met(self) -> bool | None:
        """Whether every goal is met; None for a line without one."""
        verdicts = [goal.met(value) for goal in self.goals if (value := self._value(goal)) is not None]
        return all(verdicts) if verdicts else None

    def _value(self, goal: Goal) -> float | None:
        if goal.of == "figure":
            return self.figure.median
        if goal.of == "ratio":
            return self.ratio.median if self.ratio else None
        return self.figure.median - self.baseline.median if self.baseline else None


class Machine(_Model):
    """Where the figures come from: they compare with those of no other machine."""

    processor: str
    flags: list[str]
    cores: int
    quota: int
    memory_gib: float
    system: str
    python: str
    libraries: dict[str, str]
    commit: str
    load: float


class Report(_Model):
    """The contents of the JSON file of a run."""

    measured_at: str
    quick: bool
    machine: Machine
    lines: list[Line]
