"""The five endpoints that Label Studio calls."""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lsb_backend.labels.config import Control, usable
from lsb_backend.labels.config import parse as parse_config
from lsb_backend.labels.matching import match
from lsb_backend.predict.predictor import PredictRequest
from lsb_backend.predict.request import project_number
from lsb_backend.serve.body import MEBIBYTE, UNREAD, Bodies, parse
from lsb_backend.serve.errors import UNPROCESSABLE, RefusalError
from lsb_backend.serve.keepalive import PatientResponse
from lsb_backend.serve.services import Services
from lsb_backend.serve.status import Entry
from lsb_crds.errors import UserError

log = logging.getLogger(__name__)
START_TRAINING = "START_TRAINING"
SETUP_LIMIT = 2 * MEBIBYTE
# Room for the 5000 tasks that Label Studio puts into one event of an import.
EVENT_LIMIT = 16 * MEBIBYTE
# Tasks and regions whose answer is written at once: boxes in less time than another thread takes to wake up,
# outlines in some milliseconds.
FEW = 50
COUNTED = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_CREATED", "ANNOTATIONS_DELETED")


class SetupRequest(BaseModel):
    """What is used of a /setup: Label Studio's host name and token in it are not trusted."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    project: str | None = None
    label_config: str = Field(alias="schema")


class Event(BaseModel):
    """What is used of a webhook: nothing but its name, for Label Studio is asked what there is."""

    action: str | None = None


def routes(services: Services) -> list[Route]:
    """/health, /setup, /predict, /webhook and /versions of one server."""
    bodies = Bodies()

    async def health(_: Request) -> Response:
        served = services.slot.current
        return JSONResponse({"status": "UP", "model_version": served.version if served else None})

    async def setup(request: Request) -> Response:
        asked = parse(SetupRequest, await bodies.read(request, SETUP_LIMIT))
        _check_config(services, asked)
        return JSONResponse({"model_version": services.served().version})

    async def predict(request: Request) -> Response:
        asked = parse(PredictRequest, await bodies.read(request))
        services.served()

        async def work() -> bytes:
            return await _predicted(services, asked)

        return PatientResponse(work, _joined([b"{}"] * len(asked.tasks)), services.pace)

    async def webhook(request: Request) -> Response:
        action = await _action(request, bodies)
        if action == START_TRAINING:
            return JSONResponse(await _start_training(services))
        if action in COUNTED:
            services.triggers.annotations_changed()
        return JSONResponse({})

    async def versions(_: Request) -> Response:
        cards = await asyncio.to_thread(services.store.versions)
        return JSONResponse({"versions": [card.version for card in reversed(cards)]})

    return [
        Route("/health", health),
        Route("/setup", setup, methods=["POST"]),
        Route("/predict", predict, methods=["POST"]),
        Route("/webhook", webhook, methods=["POST"]),
        Route("/versions", versions),
    ]


async def _action(request: Request, bodies: Bodies) -> str | None:
    """The name of the event, None for anything that is none."""
    try:
        return parse(Event, await bodies.read(request, EVENT_LIMIT)).action
    except RefusalError as error:
        if error.status in UNREAD:
            # Unread it is still a hint that something has changed, and Label Studio tells it only once.
            return COUNTED[0]
        if error.status == UNPROCESSABLE:
            return None
        raise


def _check_config(services: Services, asked: SetupRequest) -> None:
    number = project_number(asked.project)
    project = "unknown" if number is None else str(number)
    try:
        controls = usable(parse_config(asked.label_config), services.task)
    except UserError as error:
        log.warning("Project %s cannot be connected: %s", project, error)
        services.status.refuse_setup(project, str(error))
        raise
    services.status.accept_setup(project)
    served = services.slot.current
    if served is not None and served.names:
        services.status.note_unmatched(project, *unmatched(controls, served.names))


def unmatched(controls: Sequence[Control], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Labels of a project that no class of the model means, and classes that mean none of its labels."""
    maps = [match(names, control.labels) for control in controls]
    labels = {label for found in maps for label in found.unmatched_labels}
    classes = set(names).intersection(*(found.unmatched_classes for found in maps))
    return sorted(labels), [name for name in names if name in classes]


async def _predicted(services: Services, asked: PredictRequest) -> bytes:
    items = await services.predictor.predict(asked)
    if asked.interactive:
        # The labelling window reads `result` of the one item, so a failed one must have it.
        items = [item or {"result": [], "score": 0.0} for item in items]
    if sum(1 + len(item.get("result", ())) for item in items) <= FEW:
        return _encode(items)
    return await asyncio.to_thread(_encode, items)


def _encode(items: list[dict[str, Any]]) -> bytes:
    """The answer to /predict. An item with a figure that JSON has no word for counts as failed."""
    return _joined([_encode_item(item) for item in items])


def _joined(items: Sequence[bytes]) -> bytes:
    return b'{"results": [' + b", ".join(items) + b"]}"


def _encode_item(item: dict[str, Any]) -> bytes:
    try:
        return json.dumps(item, allow_nan=False).encode()
    except ValueError as error:
        log.error("A prediction was dropped: %s", error)
        return b"{}"


async def _start_training(services: Services) -> dict[str, Any]:
    served = services.slot.current
    answer: dict[str, Any] = {"job": None, "model_version": served.version if served else None}
    try:
        answer["job"] = await services.triggers.start_training()
        services.status.training_refused = None
    except UserError as error:
        # Label Studio shows a refusal to nobody, and takes anything but 2xx for a broken backend.
        log.warning("Start training was refused: %s", error)
        services.status.training_refused = Entry(message=str(error))
        answer["message"] = str(error)
    return answer
