"""What Kubernetes and Prometheus ask the operator, over HTTP: /livez, /readyz and /metrics."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from lsb_crds.errors import UserError
from lsb_operator.watch import SERVER_TIMEOUT

LONGEST_WORK = 300.0
LONGEST_SILENCE = 3.0 * SERVER_TIMEOUT


class Health:
    """Whether the operator does its work: a restart helps where it does not.

    `oldest_age` and `silence` are asked for seconds; both are 0 for a replica that waits for its turn.
    """

    def __init__(self) -> None:
        self.ready = False
        self.rest()

    def rest(self) -> None:
        """There is no work: nothing can be stuck."""
        self.oldest_age: Callable[[], float] = lambda: 0.0
        self.silence: Callable[[], float] = lambda: 0.0

    def complaints(self) -> list[str]:
        """What is stuck, in sentences; empty when all is well."""
        age, silence = self.oldest_age(), self.silence()
        found = []
        if age > LONGEST_WORK:
            found.append(f"A backend has been waiting to be reconciled for {age:.0f} s.")
        if silence > LONGEST_SILENCE:
            found.append(f"A watch has not been renewed for {silence:.0f} s.")
        return found


@asynccontextmanager
async def serving(health: Health, registry: CollectorRegistry, host: str, port: int) -> AsyncIterator[int]:
    """Answer while the context lasts; gives the port, which is a free one for 0.

    Raises UserError for an address that cannot be had.
    """

    async def livez(_: web.Request) -> web.Response:
        complaints = health.complaints()
        return web.Response(status=500 if complaints else 200, text="\n".join(complaints) or "ok")

    async def readyz(_: web.Request) -> web.Response:
        return web.Response(status=200 if health.ready else 503, text="ok" if health.ready else "starting")

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise UserError(
                f"Probes and metrics cannot be answered on {host}, port {port}: {error.strerror}. "
                "To do: name another one by --host and --port."
            ) from None
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
