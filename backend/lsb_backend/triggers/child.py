"""Running one of our own commands as a child process that cannot outlive us."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

TAIL = 40
LONGEST_LINE = 1 << 20
LAST_LINES = 5.0
# Low enough that an answer to /health never waits for a training on the same cores.
NICENESS = 15
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a child ended: its exit code (negative for a signal) and the last lines of its stderr."""

    code: int
    tail: tuple[str, ...]

    @property
    def message(self) -> str:
        """The one line that says most: the last of stderr, unless a signal ended it."""
        if self.code < 0 or not self.tail:
            return f"the process ended with code {self.code}"
        return self.tail[-1].removeprefix("error: ")


def lsb_command(arguments: Sequence[str]) -> list[str]:
    """The command line of `lsb <arguments>` as a child of this process, by the same Python."""
    return [sys.executable, "-m", "lsb_cli", *arguments, "--supervised", str(os.getpid())]


async def run_child(
    command: Sequence[str],
    on_output: Callable[[str], None],
    on_log: Callable[[str], None],
    grace: float = 20.0,
) -> Outcome:
    """Run a command in a session of its own; `on_output` gets its lines of stdout, `on_log` those of stderr.

    When cancelled, the child gets SIGTERM, and SIGKILL `grace` seconds later.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Ctrl-C in the terminal is ours to answer: the child must hear of it from us, once.
        start_new_session=True,
    )
    tail: deque[str] = deque(maxlen=TAIL)

    def log(line: str) -> None:
        tail.append(line)
        on_log(line)

    reading = asyncio.gather(_drain(process.stdout, on_output), _drain(process.stderr, log))
    try:
        code = await process.wait()
        # Not longer: a process that the child left behind may hold its streams open for ever.
        await asyncio.wait({reading}, timeout=LAST_LINES)
    finally:
        reading.cancel()
        if process.returncode is None:
            await _end(process, grace)
        # Looked at, or asyncio complains with a traceback that nobody did.
        await asyncio.gather(reading, return_exceptions=True)
    return Outcome(code, tuple(tail))


def follow_parent(parent: int) -> None:
    """Called in the child: lower its priority, and end it by SIGTERM when the process `parent` ends."""
    os.nice(NICENESS)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # It may have ended before the line above.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


async def _end(process: asyncio.subprocess.Process, grace: float) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(grace):
            await process.wait()
    except TimeoutError:
        # The whole session, so that no worker of the child is left.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _drain(stream: asyncio.StreamReader | None, take: Callable[[str], None]) -> None:
    async for line in _lines(stream):
        if line.strip():
            take(line)


async def _lines(stream: asyncio.StreamReader | None) -> AsyncIterator[str]:
    # Not readline(): a progress bar writes carriage returns only, and an overlong line would be an error.
    held = b""
    while stream and (chunk := await stream.read(1 << 16)):
        *complete, held = (held + chunk).replace(b"\r", b"\n").split(b"\n")
        for line in complete:
            yield line.decode(errors="replace")
        held = held[-LONGEST_LINE:]
    yield held.decode(errors="replace")
