"""Options that several commands share, and what they stand for."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lsb_crds.errors import UserError

if TYPE_CHECKING:
    from lsb_crds.backend import LabelStudioBackend

FileOption = Annotated[
    Path | None,
    typer.Option("-f", "--file", metavar="FILE", help="Manifest of the backend, here on this machine."),
]
NameArgument = Annotated[
    str | None, typer.Argument(metavar="NAME", help="A backend in the cluster.", hidden=True)
]
NameOrFileArgument = Annotated[
    str | None, typer.Argument(metavar="NAME", help="A backend in the cluster, instead of -f FILE.")
]


def folder(text: str) -> Path:
    """The folder that somebody typed, absolute. Raises UserError for none, and for ~ of an unknown user."""
    if not text:
        # As a path this would be the working directory, which nobody has named.
        raise UserError("--store: no folder is named: give one, or leave the option out")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise UserError(
            f"{text}: nobody here has this home folder: write the folder out, as in --store /data/cats"
        ) from error


StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        parser=folder,
        metavar="FOLDER",
        help="Where versions are kept [default: ~/.local/share/lsbackends/NAME].",
    ),
]
TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help="File with the Label Studio token, instead of LABEL_STUDIO_API_KEY.",
    ),
]
DecisionsFileOption = Annotated[
    Path | None,
    typer.Option(
        "--decisions-file",
        metavar="FILE",
        help="File with what an operator decided about versions, to be written into the store.",
    ),
]
SupervisedOption = Annotated[int | None, typer.Option("--supervised", metavar="PID", hidden=True)]


def manifest(file: Path | None, name: str | None, command: str) -> "LabelStudioBackend":
    """The backend that `-f` names; raises UserError with the way out where there is none."""
    if name is not None:
        raise UserError(
            f"`lsb {command}` is for this machine: name the manifest of {name}, lsb {command} -f FILE; "
            f"what runs in the cluster is the operator's (see: kubectl lsb --help)"
        )
    if file is None:
        raise UserError(f"Which backend? Name its manifest: lsb {command} -f backend.yaml")
    from lsb_crds.manifest import load_backend

    return load_backend(file)


def in_cluster(
    command: str,
    name: str | None,
    file: Path | None,
    here: Mapping[str, object],
    there: Mapping[str, object],
) -> bool:
    """Whether a command is about NAME in the cluster, and not about `-f FILE` here.

    `here` and `there` are the options for one of the two, by their spelling; raises UserError for a mixture.
    """
    if name is not None and file is not None:
        raise UserError(
            f"`lsb {command}` takes one of the two: {name} means the cluster, -f {file} this machine"
        )
    foreign, means = (here, "-f FILE, on this machine") if name else (there, "NAME, in the cluster")
    for option, value in foreign.items():
        if value not in (None, False):
            raise UserError(f"`lsb {command}`: {option} goes with {means}; leave it out")
    return name is not None


def store_root(store: Path | None, name: str) -> Path:
    """The folder of a backend's versions: `store`, else one by its name in the user's data folder."""
    if store is not None:
        return store
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return folder(data) / "lsbackends" / name


def follow(parent: int | None) -> None:
    """Bind this process to the one that started it, if one did."""
    if parent is not None:
        from lsb_backend.triggers.child import follow_parent

        follow_parent(parent)
