"""`kubectl lsb`: the commands about a cluster alone. kubectl finds it by its name, kubectl-lsb."""

from functools import partial

import typer

from lsb_cli import running
from lsb_cli.cluster import edit, logs, promote, train, versions

app = typer.Typer(
    name="kubectl lsb",
    help="Backends of Label Studio in this cluster: train them, and choose what they serve.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("train")(train.train)
app.command("versions")(versions.versions)
app.command("pin")(edit.pin)
app.command("promote")(promote.promote)
app.command("pause")(edit.pause)
app.command("resume")(edit.resume)
app.command("logs")(logs.logs)


def run() -> None:
    """Run the command line, named as it was typed."""
    running.run(partial(app, prog_name="kubectl lsb"))
