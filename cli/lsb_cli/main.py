"""The command `lsb`: what there is to type, and how an error reads."""

from typing import Annotated

import typer

from lsb_cli import contract, first_process, model, operator_command, render, running, server, trainer
from lsb_cli.cluster import edit, logs, promote

app = typer.Typer(
    name="lsb",
    help="A model for Label Studio that learns from what annotators correct.\n\n"
    "`-f FILE` means here, on this machine, and `NAME` in the cluster. "
    "Start with: `lsb serve -f backend.yaml`",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from lsb_crds.release import release

        typer.echo(f"lsb {release()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the release.")
    ] = False,
) -> None:
    """Options of `lsb` itself; its help is the app's."""


app.command("serve")(server.serve)
app.command("register")(server.register)
app.command("unregister")(server.unregister)
app.command("train")(trainer.train)
app.command("prepare")(trainer.prepare)
app.command("versions")(model.versions)
app.command("pin")(model.pin)
app.command("promote")(promote.promote)
app.command("pause")(edit.pause)
app.command("resume")(edit.resume)
app.command("logs")(logs.logs)
app.command("crd")(contract.crd)
app.command("operator")(operator_command.operator)
app.command("render")(render.render)


def run() -> None:
    """Run the command line."""
    first_process.in_a_second_process(lambda: running.run(app))
