"""`lsb train` and `lsb prepare`: making versions."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lsb_cli import last_words
from lsb_cli.cluster.options import (
    AnywayOption,
    ContextOption,
    EpochsOption,
    KubeconfigOption,
    NamespaceOption,
    WaitOption,
)
from lsb_cli.cluster.train import train as train_in_cluster
from lsb_cli.options import (
    DecisionsFileOption,
    FileOption,
    NameArgument,
    NameOrFileArgument,
    StoreOption,
    SupervisedOption,
    TokenFileOption,
    follow,
    in_cluster,
    manifest,
    store_root,
)
from lsb_crds.errors import UserError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from lsb_backend.store.store import Store
    from lsb_backend.training.progress import Reporter
    from lsb_backend.training.reporting import Told
    from lsb_crds.results import TrainingResult


def prepare(
    name: NameArgument = None,
    file: FileOption = None,
    store: StoreOption = None,
    decisions_file: DecisionsFileOption = None,
    supervised: SupervisedOption = None,
) -> None:
    """Make the first version from the weights that the manifest names. `lsb serve` does this by itself.

    Example: `lsb prepare -f backend.yaml`
    """
    follow(supervised)
    backend = manifest(file, name, "prepare")
    from lsb_backend.store.store import Store
    from lsb_backend.training.prepare import prepare as prepare_version
    from lsb_backend.training.progress import reporter
    from lsb_crds.results import TrainingResult

    opened = Store.open(store_root(store, backend.metadata.name))
    _record(opened, decisions_file)
    with reporter(sys.stdout) as report, _told(report) as told:
        card = prepare_version(backend, opened, told.report)
        message = f"version {card.version} is ready"
        report.note(message)
        _leave(told, TrainingResult(outcome="Prepared", version=card.version, message=message))


def train(
    name: NameOrFileArgument = None,
    file: FileOption = None,
    store: StoreOption = None,
    token_file: TokenFileOption = None,
    decisions_file: DecisionsFileOption = None,
    run: Annotated[str | None, typer.Option("--run", hidden=True)] = None,
    backend_url: Annotated[str, typer.Option("--backend-url", hidden=True)] = "http://localhost:9090",
    supervised: SupervisedOption = None,
    epochs: EpochsOption = None,
    force: AnywayOption = False,
    wait: WaitOption = False,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
) -> None:
    """Train on what is annotated now; the new version serves if it is better.

    With `-f FILE` here: killed, it goes on where it was when it is called again. Ends with 0 when done, 42
    when the annotations do not suffice, and another code when a retry may help.
    With `NAME` the operator is asked for a training in the cluster; see `kubectl lsb train --help`.

    Example: `LABEL_STUDIO_API_KEY=... lsb train -f backend.yaml`, or in the cluster: `lsb train cats --wait`
    """
    here = {
        "--store": store,
        "--token-file": token_file,
        "--decisions-file": decisions_file,
        "--run": run,
    }
    asked = {"--epochs": epochs, "--force": force, "--wait": wait}
    place = {"--namespace": namespace, "--context": context, "--kubeconfig": kubeconfig}
    if in_cluster("train", name, file, here, {**asked, **place}):
        return train_in_cluster(str(name), epochs, force, wait, namespace, context, kubeconfig)
    return _train_here(file, store, token_file, decisions_file, run, backend_url, supervised)


def _train_here(
    file: Path | None,
    store: Path | None,
    token_file: Path | None,
    decisions_file: Path | None,
    run: str | None,
    backend_url: str,
    supervised: int | None,
) -> None:
    follow(supervised)
    backend = manifest(file, None, "train")
    from lsb_backend.label_studio.token import read_token
    from lsb_backend.serve.address import addressed
    from lsb_backend.store.store import Store
    from lsb_backend.training.progress import reporter
    from lsb_backend.training.reporting import training_result
    from lsb_backend.training.run import train as train_run
    from lsb_backend.triggers.request import Reason, Run, ask

    opened = Store.open(store_root(store, backend.metadata.name))
    _record(opened, decisions_file)
    token = read_token(token_file, os.environ)
    chosen = Run.named(opened, run) if run else ask(opened, Reason.MANUAL)
    with reporter(sys.stdout) as report, _told(report) as told:
        url = backend.spec.label_studio.url
        result = train_run(addressed(backend, backend_url), opened, url, token, chosen.folder, told.report)
        report.note(f"{result.outcome}: {result.message}")
        _leave(told, training_result(result))


def _record(store: "Store", decisions_file: Path | None) -> None:
    """Write into the store what an operator has decided, before anything is made of what it says."""
    if decisions_file is None:
        return
    from lsb_backend.store.decisions import record
    from lsb_crds.decisions import Decisions

    try:
        text = decisions_file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"--decisions-file {decisions_file}: cannot be read ({error.strerror})") from error
    record(store, Decisions.read(text))


def _told(report: "Reporter") -> "AbstractContextManager[Told]":
    """The means of a Job to tell its training how it goes; on a laptop nobody is told."""
    from lsb_backend.cluster import Cluster
    from lsb_backend.training.reporting import told_to

    training, namespace = os.environ.get("LSB_TRAINING"), os.environ.get("LSB_NAMESPACE")
    cluster = Cluster.around(os.environ, namespace) if training and namespace else None
    return told_to(cluster, training, report)


def _leave(told: "Told", result: "TrainingResult") -> None:
    from lsb_backend.training.reporting import message_of

    told.result = result
    last_words.leave(message_of(result, last_words.LONGEST))
