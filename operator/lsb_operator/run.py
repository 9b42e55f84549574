"""`lsb operator`: waits for its turn, watches and reconciles until it is told to stop."""

import asyncio
import gc
import logging
import os
import random
import signal
import socket
import uuid
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from lsb_crds.errors import UserError
from lsb_operator.api import Api
from lsb_operator.cache import Cache
from lsb_operator.clients import connect
from lsb_operator.leader import Leader, Timing
from lsb_operator.listing import Listing
from lsb_operator.metrics import Metrics
from lsb_operator.prerequisites import check_version, definitions
from lsb_operator.probes import Health, serving
from lsb_operator.queue import Queue
from lsb_operator.reconcile import Reconciler
from lsb_operator.reports import Reports
from lsb_operator.watch import watching

LEASE = "lsbackends-operator"
RESYNC = 600.0
"""Seconds after which everything is looked at again, whatever the watches said."""

log = logging.getLogger(__name__)
Task = asyncio.Task[None]


class LeaseLostError(UserError):
    """Another replica may be active now: this one must not write any more."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the operator runs. `namespaces` are those that it serves; none: all."""

    namespaces: tuple[str, ...] = ()
    lease_namespace: str = "default"
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 10
    timing: Timing = field(default_factory=Timing)


def identity() -> str:
    """What this process calls itself in the Lease and in Events, and no other does."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


async def run(options: Options) -> None:
    """Run until SIGTERM or SIGINT.

    An API server that does not answer is waited for. Raises NoClusterError, ClusterTooOldError, and
    LeaseLostError when another one took over.
    """
    # What is read from the cluster stays: looking through it for garbage is a fifth of a start's time.
    gc.set_threshold(50_000, 20, 50)
    stop = asyncio.Event()
    _on_signals(stop)
    health, metrics = Health(), Metrics()
    name = identity()
    async with (
        connect() as clients,
        serving(health, metrics.registry, options.host, options.port) as port,
        aiohttp.ClientSession() as pods,
    ):
        log.info("answering probes on port %d", port)
        api = Api(clients.dynamic)
        leader = Leader(api, options.lease_namespace, LEASE, name, options.timing)
        await check_version(api)
        if not await _before(definitions(api), stop):
            return
        health.ready = True
        while not stop.is_set() and await _before(leader.acquire(), stop):
            log.info("active as %s", name)
            metrics.leading.set(1)
            cache = Cache()
            reconciler = Reconciler(api, cache, Reports(pods), metrics, name)
            queue = Queue(reconciler, reconciler.report, options.workers)
            listing = Listing(options.namespaces, cache, queue.add)
            health.oldest_age, health.silence = queue.oldest_age, listing.silence
            metrics.depth.set_function(queue.depth)
            # kopf ends every task that was started after it: these are started before.
            lost = asyncio.create_task(leader.hold())
            work = asyncio.create_task(_work(cache, listing, queue))
            async with watching(clients, listing, options.namespaces) as watches:
                # It has taken the signals for itself.
                _on_signals(stop)
                await _lead(stop, queue, work, lost, watches, leader)
            metrics.leading.set(0)
            health.rest()
            if not stop.is_set():
                log.warning("the API server does not answer: waiting, and beginning anew when it does")


async def _lead(
    stop: asyncio.Event,
    queue: Queue,
    work: Task,
    lost: "asyncio.Task[str | None]",
    watches: Task,
    leader: Leader,
) -> None:
    """Work until there is a reason to end; what is at hand is finished while the Lease is still ours.

    Returns when asked to stop, and when the Lease could not be renewed in time.
    """
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([stopping, work, lost, watches], return_when=asyncio.FIRST_COMPLETED)
    was_lost = lost.done()
    queue.stop()
    await _ended(stopping, cancel=True)
    await _ended(work, cancel=was_lost or not queue.running)
    await _ended(lost, cancel=True)
    if was_lost:
        holder = lost.result()
        if holder is not None:
            raise LeaseLostError(f"The Lease {LEASE} was lost; another replica is active now: {holder}.")
        return
    await leader.release()
    if not work.cancelled():
        work.result()


async def _work(cache: Cache, listing: Listing, queue: Queue) -> None:
    """Reconcile, but not before everything was seen once: what is not known yet must not be made again."""
    await listing.synced()
    log.info("everything is listed: %d backends", len(cache.backends()))
    resync = asyncio.create_task(_resync(cache, queue))
    try:
        await queue.run()
    finally:
        resync.cancel()


async def _resync(cache: Cache, queue: Queue) -> None:
    while True:
        await asyncio.sleep(RESYNC)
        for key in cache.backends():
            # Spread out, so that a thousand of them are no burst.
            queue.later(random.uniform(0, RESYNC / 2), key)  # noqa: S311


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def _before(work: Awaitable[None], stop: asyncio.Event) -> bool:
    """Whether `work` ended before the signal to stop came."""
    task, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
    await asyncio.wait([task, stopping], return_when=asyncio.FIRST_COMPLETED)
    finished = task.done()
    await _ended(stopping, cancel=True)
    await _ended(task, cancel=True)
    return finished


async def _ended(task: "asyncio.Future[Any]", cancel: bool) -> None:
    if cancel:
        task.cancel()
    await asyncio.wait([task])
