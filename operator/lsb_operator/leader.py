"""One active operator at a time, by a Lease in the cluster."""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lsb_operator.api import Api, ApiError
from lsb_operator.facts import Manifest
from lsb_operator.kinds import LEASE

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: how long a lease is good for, how long renewing may fail, and how often it is done.

    A holder gives up (`deadline`) before another one may take over (`duration`).
    """

    duration: int = 15
    deadline: float = 10.0
    period: float = 3.0

    @classmethod
    def of(cls, duration: int) -> "Timing":
        """The usual proportions for a duration."""
        return cls(duration, deadline=duration * 2 / 3, period=duration / 5)


class Leader:
    """Holds the Lease `name` in `namespace` as `identity`, which no other process may have."""

    def __init__(
        self, api: Api, namespace: str, name: str, identity: str, timing: Timing | None = None
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._timing = timing or Timing()
        self._seen: tuple[str, float] = ("", 0.0)
        self._holder: str | None = None
        self._refusal = (logging.INFO, "")

    async def acquire(self) -> None:
        """Wait until the Lease is ours, and say what for: a replica without rights waits like any other."""
        told = self._refusal
        while not await self._attempt():
            if self._refusal != told:
                told = self._refusal
                log.log(*told)
            await asyncio.sleep(self._timing.period)

    async def hold(self) -> str | None:
        """Keep the Lease for as long as possible; whoever has it then, None if nobody could be asked."""
        renewed = time.monotonic()
        self._holder = None
        while time.monotonic() - renewed < self._timing.deadline:
            await asyncio.sleep(self._timing.period)
            if await self._attempt():
                renewed = time.monotonic()
        return self._holder

    async def release(self) -> None:
        """Let another one take over at once, if the Lease is still ours."""
        try:
            lease = await self._api.get(LEASE, self._namespace, self._name)
            if lease is not None and lease["spec"].get("holderIdentity") == self._identity:
                await self._api.replace(LEASE, {**lease, "spec": {**lease["spec"], "holderIdentity": ""}})
        except ApiError:
            # It runs out by itself.
            return

    async def _attempt(self) -> bool:
        """Whether the Lease is ours now; False too when the API server could not be asked in time."""
        self._holder = None
        try:
            async with asyncio.timeout(self._timing.deadline / 2):
                return await self._take()
        except (ApiError, TimeoutError) as error:
            why = str(error) or "no answer in time"
            self._refusal = (
                logging.WARNING,
                f"the Lease {self._namespace}/{self._name} cannot be had: {why}",
            )
            return False

    async def _take(self) -> bool:
        lease = await self._api.get(LEASE, self._namespace, self._name)
        if lease is None:
            return await self._api.create(LEASE, self._lease({})) is not None
        spec = lease.get("spec") or {}
        if spec.get("holderIdentity") != self._identity and not self._is_free(lease, spec):
            self._holder = str(spec.get("holderIdentity"))
            held = f"the Lease {self._namespace}/{self._name} is held by {self._holder}"
            self._refusal = (logging.INFO, f"{held}: waiting")
            return False
        await self._api.replace(LEASE, {**lease, **self._lease(spec), "metadata": lease["metadata"]})
        return True

    def _is_free(self, lease: Manifest, spec: Manifest) -> bool:
        """Whether its holder let go, or has not renewed it in time, by our own clock."""
        version = lease["metadata"]["resourceVersion"]
        if version != self._seen[0]:
            self._seen = (version, time.monotonic())
        waited = time.monotonic() - self._seen[1]
        return not spec.get("holderIdentity") or waited > float(spec.get("leaseDurationSeconds") or 0)

    def _lease(self, before: Manifest) -> Manifest:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        ours = before.get("holderIdentity") == self._identity
        spec: dict[str, Any] = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._timing.duration,
            "acquireTime": before.get("acquireTime") if ours else now,
            "renewTime": now,
            "leaseTransitions": int(before.get("leaseTransitions") or 0) + (not ours),
        }
        return {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.name,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": spec,
        }
