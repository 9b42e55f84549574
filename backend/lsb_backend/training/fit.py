"""The fitting itself: ultralytics' trainer, resumed where an earlier process was killed."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lsb_backend.runtime.threads import cpu_quota
from lsb_backend.store.atomic import write_atomic
from lsb_backend.training.checkpoints import BEST, Checkpoint, keep, loads, move_durably, newest
from lsb_backend.training.progress import Reporter

_FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Plan:
    """Fit `base`, its classes called `names`, on `data` in the folder `run`; `arguments` are ultralytics'."""

    base: Path
    names: Mapping[int, str]
    data: Path
    task: str
    arguments: Mapping[str, Any]
    run: Path

    @property
    def trained(self) -> Path:
        """The weights that come out, there once they are whole."""
        return self.run / "trained.pt"

    @property
    def checkpoints(self) -> Path:
        """Finished epochs."""
        return self.run / "checkpoints"

    @property
    def output(self) -> Path:
        """What ultralytics writes, in place and not safe from a kill."""
        return self.run / "fit"


def fit(plan: Plan, report: Reporter) -> None:
    """Make `plan.trained`, from the newest finished epoch if there is one; nothing to do if it is there.

    Raises whatever ultralytics raises.
    """
    if plan.trained.exists():
        return
    checkpoint = newest(plan.checkpoints)
    if checkpoint is None or not (plan.checkpoints / _FINISHED).exists():
        _train(plan, checkpoint, report)
    _commit(plan)


def _train(plan: Plan, checkpoint: Checkpoint | None, report: Reporter) -> None:
    from ultralytics import YOLO

    arguments = {**plan.arguments, "data": str(plan.data), "save_dir": str(plan.output), "plots": True}
    if checkpoint is None:
        shutil.rmtree(plan.output, ignore_errors=True)
        model = YOLO(plan.base, task=plan.task)
        model.model.names = dict(plan.names)
    else:
        report.note(f"resumes after epoch {checkpoint.epoch}")
        _restore(plan, checkpoint)
        model = YOLO(checkpoint.path, task=plan.task)
        # The checkpoint's own arguments hold; of ours ultralytics takes those that may change, such as paths.
        arguments["resume"] = str(checkpoint.path)
    model.add_callback("on_train_start", _use_all_cores)
    model.add_callback("on_model_save", lambda trainer: _saved(trainer, plan, report))
    model.train(**arguments)


def _use_all_cores(trainer: Any) -> None:
    # ultralytics leaves one core free, by the machine's count and not by the container's.
    torch.set_num_threads(cpu_quota())


def _saved(trainer: Any, plan: Plan, report: Reporter) -> None:
    """Keep the epoch that ultralytics has just written; only then is it reported."""
    epoch = trainer.epoch + 1
    # Of the best epoch ultralytics has written the same bytes to two files.
    keep(trainer.last, plan.checkpoints, epoch, best=trainer.best_fitness == trainer.fitness)
    if trainer.stop:
        write_atomic(plan.checkpoints / _FINISHED, b"")
    figures = {name: value for name, value in trainer.metrics.items() if name.startswith("metrics/")}
    report.epoch(epoch, trainer.epochs, figures)


def _restore(plan: Plan, checkpoint: Checkpoint) -> None:
    """Put ultralytics' folder back to where it was after the checkpoint's epoch."""
    weights = plan.output / "weights"
    weights.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(checkpoint.path, weights / "last.pt")
    (weights / BEST).unlink(missing_ok=True)
    best = plan.checkpoints / BEST
    if best.exists():
        shutil.copyfile(best, weights / BEST)
    table = plan.output / "results.csv"
    if table.exists():
        table.write_text(rows_until(table.read_text(), checkpoint.epoch))


def rows_until(table: str, epoch: int) -> str:
    """The header of ultralytics' results.csv and its whole rows up to `epoch`, which is the first column."""
    lines = table.splitlines(keepends=True)
    kept = [line for line in lines[1:] if line.endswith("\n") and int(line.partition(",")[0]) <= epoch]
    return "".join([*lines[:1], *kept])


def _commit(plan: Plan) -> None:
    from ultralytics.utils.torch_utils import strip_optimizer

    best, last = plan.checkpoints / BEST, newest(plan.checkpoints)
    # No epoch is the best where no fitness was a number.
    source = best if loads(best) else last.path if last else None
    if source is None:
        raise RuntimeError("ultralytics ended without a checkpoint")
    unfinished = plan.run / "trained.part.pt"
    strip_optimizer(source, s=str(unfinished))
    move_durably(unfinished, plan.trained)
