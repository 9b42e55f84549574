"""A child process: its lines, its end, and its death with ours."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lsb_backend.triggers.child import Outcome, run_child

Until = Callable[[Callable[[], bool]], Awaitable[None]]


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


async def test_lines_of_both_streams_arrive_and_the_last_of_stderr_is_the_message() -> None:
    output: list[str] = []
    log: list[str] = []
    code = "import sys; print('{\"epoch\": 1}'); print('first', file=sys.stderr); sys.exit('error: too few')"
    outcome = await run_child(python(code), output.append, log.append)
    assert outcome.code == 1
    assert output == ['{"epoch": 1}']
    assert log == ["first", "error: too few"]
    assert outcome.message == "too few"


async def test_a_progress_bar_without_line_ends_and_a_huge_line_are_no_trouble() -> None:
    output: list[str] = []
    code = "import sys; sys.stdout.write('a\\rb\\r' + 'x' * 3_000_000)"
    outcome = await run_child(python(code), output.append, print)
    assert outcome.code == 0
    assert output[:2] == ["a", "b"]
    assert len(output[-1]) <= 1 << 20


async def test_the_message_of_a_killed_child_names_the_signal() -> None:
    outcome = await run_child(python("import os; os.kill(os.getpid(), 9)"), print, print)
    assert outcome == Outcome(-9, ())
    assert "-9" in outcome.message


async def test_cancelling_ends_the_child_by_sigterm(tmp_path: Path) -> None:
    started = asyncio.Event()
    output: list[str] = []

    def take(line: str) -> None:
        output.append(line)
        started.set()

    code = (
        "import signal, sys, time\n"
        "def end(*_): open(sys.argv[1], 'w').write('terminated'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('up', flush=True)\n"
        "signal.pause()"
    )
    mark = tmp_path / "mark"
    work = asyncio.create_task(run_child([*python(code), str(mark)], take, print))
    await started.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert mark.read_text() == "terminated"


async def test_cancelling_kills_a_child_that_will_not_end_and_its_own_children(until: Until) -> None:
    pids: list[int] = []
    started = asyncio.Event()

    def take(line: str) -> None:
        pids.extend(int(part) for part in line.split())
        started.set()

    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "worker = os.fork()\n"
        "if worker: print(os.getpid(), worker, flush=True)\n"
        "while True: signal.pause()"
    )
    work = asyncio.create_task(run_child(python(code), take, print, grace=0.05))
    await started.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    for pid in pids:
        await until(lambda pid=pid: not is_running(pid))  # type: ignore[misc]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has died")
async def test_a_supervised_child_ends_with_a_parent_that_was_killed(until: Until) -> None:
    code = (
        "import os, subprocess, sys\n"
        "inner = 'import os, signal, sys; from lsb_backend.triggers.child import follow_parent; '"
        "'follow_parent(int(sys.argv[1])); print(os.getpid(), os.nice(0), flush=True); signal.pause()'\n"
        "child = subprocess.Popen([sys.executable, '-c', inner, str(os.getpid())], stdout=subprocess.PIPE)\n"
        "print(child.stdout.readline().decode(), flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    output: list[str] = []
    outcome = await run_child(python(code), output.append, print)
    assert outcome.code == -signal.SIGKILL
    pid, niceness = map(int, output[0].split())
    assert niceness > 0
    await until(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
