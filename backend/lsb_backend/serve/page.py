"""The page for people: what is served, how each version did, and the training that runs."""

import asyncio
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse
from starlette.routing import Route

from lsb_backend.serve.chart import Bar, bar_chart
from lsb_backend.serve.errors import RefusalError
from lsb_backend.serve.operations import read_promotion, report
from lsb_backend.serve.services import Services
from lsb_backend.store.card import Card
from lsb_backend.store.promotion import Promotion
from lsb_backend.store.store import Store
from lsb_crds.errors import UserError

CHARTED = 12
LISTED = 30
PICTURES = (".png", ".jpg", ".jpeg", ".webp")
# Nothing but the page's own styles and pictures may load, whatever a label or a file name holds.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'"
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1c2330}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dde1e8}
.problem{background:#fff1e6;border-left:4px solid #d9660b;padding:.5rem .8rem;margin:.5rem 0}
svg{width:100%;max-width:640px}svg text{font-size:11px;text-anchor:middle;fill:#495468}
.served{fill:#1f7a4d}.other{fill:#b7c1d1}figure{display:inline-block;margin:.5rem;max-width:28rem}
img{max-width:100%;border:1px solid #dde1e8}progress{width:20rem}small{color:#667085}
@media(prefers-color-scheme:dark){body{background:#14171d;color:#e4e7ec}td,th,img{border-color:#333a47}
.problem{background:#3a2714}svg text{fill:#a9b3c4}}
"""


def routes(services: Services, root_path: str) -> list[Route]:
    """The page at / and the pictures in it."""

    async def page(_: Request) -> HTMLResponse:
        state = await report(services)
        cards, promotion = await asyncio.to_thread(_stored, services)
        html = render(state, cards, promotion, root_path)
        return HTMLResponse(html, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})

    async def picture(request: Request) -> FileResponse:
        asked = request.path_params
        path = await asyncio.to_thread(_picture, services.store, asked["version"], asked["name"])
        if path is None:
            raise RefusalError(404, "There is no such picture.")
        return FileResponse(path)

    return [Route("/", page), Route("/pictures/{version}/{name:path}", picture)]


def render(state: dict[str, Any], cards: Sequence[Card], promotion: Promotion, root_path: str) -> str:
    """The whole page as HTML; every text in it is escaped."""
    served = (state["model"] or {}).get("version")
    name = escape(state["name"])
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8><meta http-equiv=refresh content=10>"
        "<meta name=viewport content='width=device-width'>"
        f"<title>{name}</title><style>{STYLE}</style></head><body>"
        f"<h1>{name} <small>{escape(state['task'])}</small></h1>"
        f"{_serving(state)}{_problems(state)}{_training(state['training'], state['last_training'])}"
        f"{_versions(cards, promotion, served)}{_pictures(cards, served, root_path)}"
        "</body></html>"
    )


def main_figure(card: Card, metric: str | None) -> float | None:
    """The figure a version is compared by: of what serves, else of the weights."""
    figures = card.metrics.exported or card.metrics.weights
    if metric and metric in figures:
        return figures[metric]
    return next((value for name, value in figures.items() if "mAP50-95" in name), None)


def _stored(services: Services) -> tuple[list[Card], Promotion]:
    promotion, _ = read_promotion(services.store)
    try:
        return services.store.versions(), promotion
    except UserError:
        # The page says what is wrong with the store in its own words.
        return [], promotion


def _picture(store: Store, version: str, name: str) -> Path | None:
    """Where a picture of a version is; None if there is none."""
    try:
        card = store.card(version)
    except UserError:
        return None
    # Only what the card lists is sent: a path made up by a caller never reaches the disk.
    if name not in card.plots or not name.lower().endswith(PICTURES):
        return None
    path = store.folder(version) / name
    return path if path.is_file() else None


def _serving(state: dict[str, Any]) -> str:
    model = state["model"]
    if model is None:
        return f"<p>No model is loaded yet: {escape(state['preparing'] or 'loading')}.</p>"
    serves = f"Version <b>{escape(model['version'])}</b> serves on {escape(model['device'])}."
    if not model["trained"]:
        return f"<p>{serves} It has learned nothing yet and proposes nothing.</p>"
    classes = escape(", ".join(model["classes"][:20]))
    return f"<p>{serves}</p><p><small>{len(model['classes'])} classes: {classes}</small></p>"


def _problems(state: dict[str, Any]) -> str:
    entries = {
        "Label Studio": state["label_studio"],
        "Registration": state["registration"],
        "Store": state["store"],
        "New version": state["swap_failed"],
        "Training": state["training_refused"],
        "Redis": state["redis"],
        "Cluster": state["cluster"],
    }
    entries |= {f"Project {project}": entry for project, entry in state["setup_refusals"].items()}
    return "".join(
        f"<p class=problem><b>{escape(what)}:</b> {escape(entry['message'])}</p>"
        for what, entry in entries.items()
        if entry
    )


def _training(training: dict[str, Any] | None, last: str | None) -> str:
    if training is None:
        before = f" Last one: {escape(last)}" if last else ""
        return f"<h2>Training</h2><p>None runs.{before}</p>"
    epoch, epochs = training.get("epoch"), training.get("epochs")
    bar = f"<progress value={epoch} max={epochs}></progress> epoch {epoch} of {epochs}" if epochs else ""
    message = escape(training.get("message") or training.get("phase") or "")
    return f"<h2>Training</h2><p><b>{escape(training['run'])}</b> {bar} {message}</p>"


def _versions(cards: Sequence[Card], promotion: Promotion, served: str | None) -> str:
    if not cards:
        return ""
    metric = next((entry.metric for entry in reversed(promotion.history) if entry.metric), None)
    bars = [
        Bar(card.version, value, card.version == served)
        for card in cards[-CHARTED:]
        if (value := main_figure(card, metric)) is not None
    ]
    rows = "".join(_row(card, promotion, served, metric) for card in reversed(cards[-LISTED:]))
    head = f"<tr><th>Version<th>Figure<th>Trained on<th>Made<th>State</tr>{rows}"
    return f"<h2>Versions</h2>{bar_chart(bars, metric or 'mAP50-95')}<table>{head}</table>"


def _row(card: Card, promotion: Promotion, served: str | None, metric: str | None) -> str:
    value = main_figure(card, metric)
    images = card.dataset.counts.get("train") if card.dataset else None
    verdict = promotion.verdict(card.version)
    history = reversed(promotion.history)
    reason = next((entry.reason for entry in history if entry.version == card.version), "")
    state = "serves" if card.version == served else (verdict or "")
    return (
        f"<tr><td>{escape(card.version)}<td>{'' if value is None else f'{value:.3f}'}"
        f"<td>{'' if images is None else f'{images} images'}<td>{card.created_at:%Y-%m-%d %H:%M}"
        f"<td>{escape(state)} <small>{escape(reason)}</small></tr>"
    )


def _beside_its_pair(path: str) -> tuple[bool, str]:
    """Samples first, each before the training beside itself after it; then the plots."""
    name = path.rpartition("/")[2]
    return not name.startswith("sample-"), name.replace("-before.", "-0.").replace("-after.", "-1.")


def _pictures(cards: Sequence[Card], served: str | None, root_path: str) -> str:
    card = next((card for card in cards if card.version == served), None)
    names = [name for name in card.plots if name.lower().endswith(PICTURES)] if card else []
    if card is None or not names:
        return ""
    names.sort(key=_beside_its_pair)
    figures = "".join(
        f'<figure><img src="{escape(root_path)}/pictures/{quote(card.version)}/{quote(name)}" alt="">'
        f"<figcaption>{escape(name)}</figcaption></figure>"
        for name in names
    )
    return f"<h2>What version {escape(card.version)} learned</h2>{figures}"
