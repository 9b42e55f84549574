"""The web application: which routes there are, and what stands before them."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from lsb_backend.serve import errors, operations, page, protocol
from lsb_backend.serve.basic_auth import BasicAuthMiddleware
from lsb_backend.serve.metrics import MetricsMiddleware
from lsb_backend.serve.services import Services


def create_app(
    services: Services,
    *,
    root_path: str = "",
    credentials: tuple[str, str] | None = None,
    with_reports: bool = True,
) -> Starlette:
    """What Label Studio and people reach.

    `root_path` such as `/cats` is served beside the bare paths, so that no proxy has to rewrite anything.
    `credentials` (user, password) guard everything but the probes. `/status` and `/metrics` are left out
    unless `with_reports`.
    """
    routes: list[BaseRoute] = [
        *protocol.routes(services),
        *operations.probes(services),
        *page.routes(services, root_path),
        *(operations.reports(services) if with_reports else ()),
    ]
    app = _answering([*routes, Mount(root_path, routes=routes)] if root_path else routes)
    if credentials:
        user, password = credentials
        app.add_middleware(BasicAuthMiddleware, user=user, password=password, root_path=root_path)
    app.add_middleware(MetricsMiddleware, metrics=services.metrics)
    return app


def create_reports_app(services: Services) -> Starlette:
    """/status, /metrics and the probes, for a listener that only the operators of the server reach."""
    return _answering([*operations.probes(services), *operations.reports(services)])


def _answering(routes: Sequence[BaseRoute]) -> Starlette:
    app = Starlette(routes=routes)
    errors.install(app)
    return app
