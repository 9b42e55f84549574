"""Endpoints for whoever runs the server: probes, status and metrics."""

import asyncio
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lsb_backend.serve.services import Services
from lsb_backend.serve.status import Entry
from lsb_backend.store.promotion import Promotion
from lsb_backend.store.store import Store
from lsb_crds.errors import UserError


def probes(services: Services) -> list[Route]:
    """/livez, and /readyz which is 200 while a model is loaded."""

    async def livez(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_: Request) -> Response:
        return JSONResponse({"model_version": services.served().version})

    return [Route("/livez", livez), Route("/readyz", readyz)]


def reports(services: Services) -> list[Route]:
    """/status as JSON and /metrics for Prometheus."""

    async def status(_: Request) -> Response:
        return JSONResponse(await report(services))

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(services.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/status", status), Route("/metrics", metrics)]


async def report(services: Services) -> dict[str, Any]:
    """What is served, what runs, and what is wrong."""
    promotion, damage = await asyncio.to_thread(read_promotion, services.store)
    status = services.status.model_copy(update={"store": services.status.store or damage})
    progress = await services.triggers.progress()
    return {
        "name": services.name,
        "task": services.task,
        "model": _model(services),
        "promoted": promotion.promoted,
        "previous": promotion.previous,
        "pinned": promotion.pinned,
        "predicting": _predicting(services),
        "training": progress.model_dump(mode="json") if progress else None,
        **status.model_dump(mode="json"),
    }


def read_promotion(store: Store) -> tuple[Promotion, Entry | None]:
    """What serves and why; an empty one, and what is wrong, where the store cannot say."""
    try:
        return store.promotion(), None
    except UserError as error:
        return Promotion(), Entry(message=str(error))


def _predicting(services: Services) -> dict[str, Any]:
    statistics = services.engine.statistics
    return {
        "requests": [{"tasks": one.total, "done": one.done} for one in services.predictor.admission.running],
        "outcomes": dict(statistics.outcomes),
        "images_per_second": round(statistics.images_per_second, 2),
    }


def _model(services: Services) -> dict[str, Any] | None:
    served = services.slot.current
    if served is None:
        return None
    return {
        "version": served.version,
        "trained": served.card.trained,
        "device": served.runtime.device,
        "classes": list(served.names),
        "metrics": served.card.metrics.model_dump(mode="json"),
    }
