"""Prometheus metrics of one server, in a registry of its own."""

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lsb_backend.predict.admission import Admission
from lsb_backend.predict.engine import Engine

SECONDS = (0.005, 0.02, 0.1, 0.5, 1, 3, 10, 30, 100, 300, 1000)


class Metrics:
    """What is counted and measured; durations are in seconds."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "lsbackend_requests", "Requests answered", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "lsbackend_request_seconds",
            "Time until an answer was complete",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.swaps = Counter("lsbackend_swaps", "Model swaps tried", ["outcome"], registry=self.registry)
        self.trainings = Counter(
            "lsbackend_trainings", "Trainings finished", ["outcome"], registry=self.registry
        )
        self.model = Gauge(
            "lsbackend_model", "1 for the version that serves", ["version"], registry=self.registry
        )

    def observe(self, engine: Engine, admission: Admission) -> None:
        """Report what the prediction engine counts by itself."""
        self.registry.register(PredictionCollector(engine, admission))

    def serves(self, version: str) -> None:
        """Name the version that serves from now on."""
        self.model.clear()
        self.model.labels(version).set(1)


class PredictionCollector(Collector):
    """Reads the engine's own numbers when somebody asks."""

    def __init__(self, engine: Engine, admission: Admission) -> None:
        self._engine = engine
        self._admission = admission

    def collect(self) -> Iterator[Metric]:
        """The numbers of this moment."""
        statistics = self._engine.statistics
        tasks = CounterMetricFamily("lsbackend_tasks", "Tasks by how they ended", labels=["outcome"])
        for outcome, number in statistics.outcomes.items():
            tasks.add_metric([outcome], number)
        yield tasks
        stages = CounterMetricFamily("lsbackend_stage_seconds", "Time spent on images", labels=["stage"])
        for stage, seconds in statistics.seconds.items():
            stages.add_metric([stage], seconds)
        yield stages
        lookups = CounterMetricFamily("lsbackend_lookups", "Images by how they were answered", labels=["how"])
        for how, number in statistics.lookups.items():
            lookups.add_metric([how], number)
        yield lookups
        yield CounterMetricFamily("lsbackend_images", "Images that went through the model", statistics.images)
        yield CounterMetricFamily("lsbackend_batches", "Batches of them", statistics.batches)
        yield GaugeMetricFamily("lsbackend_queue_images", "Images before the model", self._engine.depth)
        yield GaugeMetricFamily("lsbackend_waiting_tasks", "Tasks not answered yet", self._admission.waiting)


class MetricsMiddleware:
    """Counts each request under the name of the route that answered it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0
        started = time.monotonic()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            # The route's own name, never the path: a stranger's paths must not grow the metrics without end.
            route = getattr(scope.get("endpoint"), "__name__", "none")
            self._metrics.requests.labels(route, str(status or 499)).inc()
            self._metrics.seconds.labels(route).observe(time.monotonic() - started)
