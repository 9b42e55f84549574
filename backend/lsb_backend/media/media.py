"""The images of tasks, wherever they are."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from yarl import URL

from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.media.fetch import Fetcher
from lsb_backend.media.fetched import Fetched, Identity, Validators
from lsb_backend.media.inline import decode_uri
from lsb_backend.media.limits import Limits
from lsb_backend.media.local import read_file
from lsb_backend.media.locate import Inline, LocalFile, locate

UPLOADS = "/data/upload/"


class Media:
    """Reads images for one Label Studio. An asynchronous context manager; `close` in the end otherwise."""

    def __init__(
        self,
        studio: LabelStudio,
        hosts: Sequence[str] = (),
        directory: Path | None = None,
        limits: Limits | None = None,
    ) -> None:
        """`hosts`: others that tasks may point to. `directory`: Label Studio's media folder, if mounted."""
        self._url = URL(studio.url)
        self._hosts = hosts
        self._directory = directory
        self.limits = limits or Limits()
        self._fetcher = Fetcher(studio, hosts, self.limits)
        self._reading = asyncio.Semaphore(self.limits.connections)

    async def read(self, task_id: int | None, value: str) -> bytes:
        """The image file that a task names with `value`; raises MediaError, a line that names the cause."""
        fetched = await self.fetch(task_id, value)
        return fetched.data or b""

    async def fetch(self, task_id: int | None, value: str, known: Validators | None = None) -> Fetched:
        """As `read`, with what tells later whether the file has changed.

        Without data if the file is still the one that `known` was given with.
        """
        source = locate(task_id, value, self._url, self._hosts, self._directory)
        async with self._reading:
            if isinstance(source, Inline):
                return Fetched(await asyncio.to_thread(decode_uri, source.uri, self.limits.bytes))
            if isinstance(source, LocalFile):
                data = await asyncio.to_thread(read_file, source, self.limits.bytes)
                return await self._fetcher.fetch(source.remote, known) if data is None else Fetched(data)
            return await self._fetcher.fetch(source, known)

    def identity(self, task_id: int | None, value: str) -> Identity | None:
        """Which image a task names, None for one that it holds itself. Raises MediaError as `read` does."""
        source = locate(task_id, value, self._url, self._hosts, self._directory)
        if isinstance(source, Inline):
            return None
        remote = source.remote if isinstance(source, LocalFile) else source
        # Label Studio gives every upload a name of its own and never writes to it again.
        uploads = f"{self._url.raw_path.rstrip('/')}{UPLOADS}"
        return Identity(str(remote.url), remote.trusted and remote.url.raw_path.startswith(uploads))

    async def close(self) -> None:
        """Give the connections back."""
        await self._fetcher.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
