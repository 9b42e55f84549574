"""What the operator counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from lsb_operator.events import Event

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

ENDS = ("Succeeded", "Rejected", "Failed", "Superseded")
"""Phases in which a training ends."""
OUTCOMES = ("RollingOut", "RolledBack")


class Metrics:
    """The metrics of one operator, each described where it is made."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.reconciles = Counter(
            "lsb_reconciles", "Reconciles of a backend, by outcome.", ["outcome"], registry=self.registry
        )
        self.seconds = Histogram(
            "lsb_reconcile_seconds",
            "Time that a reconcile took, seconds.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.errors = Counter(
            "lsb_reconcile_errors", "Failed reconciles, by reason.", ["reason"], registry=self.registry
        )
        self.writes = Counter(
            "lsb_child_writes",
            "Writes of children, by kind and what was done.",
            ["kind", "write"],
            registry=self.registry,
        )
        self.trainings = Counter(
            "lsb_trainings", "Finished trainings, by phase.", ["phase"], registry=self.registry
        )
        self.rollouts = Counter(
            "lsb_rollouts", "New targets, by what became of them.", ["outcome"], registry=self.registry
        )
        # One that appears with its first failure shows no increase.
        for phase in ENDS:
            self.trainings.labels(phase)
        for outcome in OUTCOMES:
            self.rollouts.labels(outcome)
        self.depth = Gauge(
            "lsb_queue_depth", "Backends that wait for a reconcile or have one.", registry=self.registry
        )
        self.leading = Gauge("lsb_leader", "1 while this replica is the active one.", registry=self.registry)

    def count(self, event: Event) -> None:
        """Count what an Event tells of: trainings that ended, and versions that come and go."""
        phase = event.reason.removeprefix("Training")
        if phase != event.reason and phase != "Started":
            self.trainings.labels(phase).inc()
        elif event.reason in OUTCOMES:
            self.rollouts.labels(event.reason).inc()
