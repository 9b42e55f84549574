"""`lsb serve` from start to end: what runs beside the server, in which order, and how all of it stops."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from lsb_backend.label_studio.wanted import BasicAuth
from lsb_backend.runtime.threads import cpu_quota, own_threads
from lsb_backend.serve import recording, rollout
from lsb_backend.serve.app import create_app, create_reports_app
from lsb_backend.serve.listener import Listener, bind, reaches_this_machine_only
from lsb_backend.serve.options import Options
from lsb_backend.serve.parts import Parts, assemble
from lsb_backend.serve.prepare import prepare
from lsb_backend.serve.registering import basic_auth
from lsb_backend.serve.unheeded import unheeded
from lsb_backend.triggers.child import lsb_command
from lsb_crds.errors import UserError

log = logging.getLogger(__name__)
RESTART_PAUSE = 5.0
INTERRUPTED = 130


@dataclass(slots=True)
class Running:
    """The listeners of a server that runs, and the tasks beside them."""

    listeners: list[Listener]
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Run `work` until it ends or everything does."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def stop(self) -> None:
        """End the work beside the server, children included, while the server finishes its answers."""
        for listener in self.listeners:
            listener.stop()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do beside answering; `prepare` is the command that makes version 0."""

    parts: Parts
    prepare: Sequence[str]
    auth: BasicAuth | None

    async def run(self, running: Running) -> None:
        """Do it for ever. Only the first model can end it, with a UserError."""
        parts, services = self.parts, self.parts.services
        if parts.sharing is not None:
            running.start(forever("looking after Redis", parts.sharing.run))
        if parts.launcher is not None:
            await prepare(services.store, services.task, self.prepare, services.status)
            running.start(forever("training", parts.launcher.run))
        else:
            services.status.preparing = "no version is named yet"
            if parts.recording is not None:
                running.start(forever("recording decisions", parts.recording.follow, recording.POLL))
            await parts.rollout.until_served()
        running.start(forever("following the target", parts.rollout.follow, rollout.POLL))
        running.start(forever("working with Label Studio", self._with_label_studio))
        await asyncio.Event().wait()

    async def _with_label_studio(self) -> None:
        # Label Studio calls /setup when it is told of the backend, which needs a model to answer.
        await self.parts.first_model.wait()
        await self.parts.connect(self.auth)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.parts.counting.run())
            group.create_task(self.parts.refresh_each())


async def serve(options: Options, ready: Callable[[int], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT. `ready` is called with the port once requests are answered.

    Raises UserError for what cannot work: the port, the store, the credentials, the weights of version 0.
    """
    asyncio.get_running_loop().set_default_executor(own_threads(cpu_quota()))
    auth = basic_auth(options.basic_auth_file)
    if options.port and options.port == options.metrics_port:
        raise UserError(f"--port and --metrics-port are both {options.port}: give each a port of its own")
    socket = bind(options.host, options.port)
    if auth is None and not reaches_this_machine_only(socket):
        log.warning("Whoever reaches this port can start trainings; --basic-auth-file asks for a password")
    if options.pod is None:
        for line in unheeded(options.backend.spec):
            log.warning("%s", line)
    reports = bind(options.host, options.metrics_port) if options.metrics_port is not None else None
    async with assemble(options, socket.getsockname()[1]) as parts:
        app = create_app(
            parts.services,
            root_path=options.root_path,
            credentials=(auth.user, auth.password) if auth else None,
            with_reports=reports is None,
        )
        listeners = [Listener(app, socket)]
        if reports is not None:
            listeners.append(Listener(create_reports_app(parts.services), reports))
        work = Work(parts, lsb_command(options.child_arguments("prepare")), auth)
        await _run(Running(listeners), work, ready)


async def _run(running: Running, work: Work, ready: Callable[[int], None] | None) -> None:
    serving = [asyncio.ensure_future(listener.run_until_stopped()) for listener in running.listeners]
    main = running.listeners[0]
    with _signals(running):
        try:
            await main.answering.wait()
            if ready is not None:
                ready(main.port)
            working = running.start(work.run(running))
            stopped = asyncio.ensure_future(running.stopping.wait())
            await asyncio.wait({working, stopped, *serving}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if working.done():
                await working
        finally:
            await running.stop()
            await asyncio.gather(*serving)


async def forever(what: str, work: Callable[[], Awaitable[None]], pause: float = RESTART_PAUSE) -> None:
    """Do `work` again and again, `pause` seconds after it has returned.

    A fault in one part must not take predictions from the annotators: it is logged, and the work goes on.
    """
    while True:
        wait = RESTART_PAUSE
        try:
            await work()
            wait = pause
        except (UserError, OSError) as error:
            log.error("%s stopped, and goes on in %.0f s: %s", what.capitalize(), RESTART_PAUSE, error)
        except Exception:
            log.exception("A fault in %s; it goes on in %.0f s", what, RESTART_PAUSE)
        await asyncio.sleep(wait)


@contextlib.contextmanager
def _signals(running: Running) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        if running.stopping.is_set() and number == signal.SIGINT:
            # Asked twice by a person: nothing is waited for. The children end with this process.
            os._exit(INTERRUPTED)
        log.info("Stopping: requests that are under way are finished first (Ctrl-C again ends at once)")
        running.stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
