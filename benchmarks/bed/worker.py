"""A baseline in a process of its own, which does a round when it is told to.

Both ends are here: `Worker` starts a script of `benchmarks.workers` and asks it; `answer` is what that
script calls. One line of JSON each way; answers have a pipe of their own, since libraries print to stdout.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.bed.environment import ROOT, as_shipped

Handler = Callable[[Any], Any]

_ANSWERS = "BENCHMARK_ANSWERS"  # the number of the pipe


class Worker:
    """A running script of `benchmarks.workers`; its own messages go to `log`."""

    def __init__(
        self,
        module: str,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        python: str = sys.executable,
        **settings: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{module}.log"
        reading, writing = os.pipe()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [python, "-m", f"benchmarks.workers.{module}", json.dumps(settings)],
                cwd=ROOT,
                env={**(environment or as_shipped(folder)), _ANSWERS: str(writing)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(writing,),
            )
        os.close(writing)
        self._answers = os.fdopen(reading)
        self._module = module

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, **question: Any) -> Any:
        """What the script answers. Raises RuntimeError, with the end of its log, if it has ended."""
        pipe = self._process.stdin
        try:
            if pipe is not None:
                pipe.write(json.dumps(question).encode() + b"\n")
                pipe.flush()
        except BrokenPipeError:
            raise RuntimeError(self._ended()) from None
        line = self._answers.readline()
        if not line:
            raise RuntimeError(self._ended())
        return json.loads(line)

    def _ended(self) -> str:
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        return f"{self._module} has ended:\n{tail}"

    def close(self) -> None:
        """End it: its input has an end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def settings() -> Any:
    """What `Worker` was given."""
    return json.loads(sys.argv[1])


def answer(handler: Handler) -> None:
    """Answer each question with what `handler` makes of it, until there are no more."""
    with os.fdopen(int(os.environ[_ANSWERS]), "w") as answers:
        for line in sys.stdin:
            answers.write(json.dumps(handler(json.loads(line))) + "\n")
            answers.flush()
