"""`lsb serve`, and connecting and disconnecting it by hand."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lsb_cli.options import (
    DecisionsFileOption,
    FileOption,
    NameArgument,
    StoreOption,
    TokenFileOption,
    manifest,
    store_root,
)
from lsb_crds.errors import UserError
from lsb_crds.exit_codes import BAD_SURROUNDINGS

if TYPE_CHECKING:
    from lsb_backend.serve.options import Options


class SurroundingsError(UserError):
    """A pod cannot serve, whichever version it was started with."""

    exit_code = BAD_SURROUNDINGS


_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")

RootPathOption = Annotated[
    str, typer.Option("--root-path", metavar="PATH", help="Serve below this prefix too, such as /cats.")
]
BasicAuthOption = Annotated[
    Path | None,
    typer.Option(
        "--basic-auth-file", metavar="FILE", help="File with one line user:password that callers must give."
    ),
]
PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 for a free one.")
]


def serve(
    name: NameArgument = None,
    file: FileOption = None,
    store: StoreOption = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host", help="Address to listen on [default: this machine's own, or all for a backendURL]."
        ),
    ] = None,
    port: PortOption = 9090,
    token_file: TokenFileOption = None,
    root_path: RootPathOption = "",
    basic_auth_file: BasicAuthOption = None,
    metrics_port: Annotated[
        int | None,
        typer.Option("--metrics-port", min=0, max=65535, help="Port of its own for /metrics and /status."),
    ] = None,
    version_file: Annotated[
        Path | None,
        typer.Option(
            "--version-file",
            metavar="FILE",
            help="Serve the version that this file names, and follow it: for pods of an operator.",
        ),
    ] = None,
    decisions_file: DecisionsFileOption = None,
    redis_url_file: Annotated[
        Path | None,
        typer.Option(
            "--redis-url-file",
            metavar="FILE",
            help="File with the URL of a Redis through which replicas share who counts annotations.",
        ),
    ] = None,
) -> None:
    """Serve predictions to Label Studio, and train when annotators have corrected enough of them.

    Example: `LABEL_STUDIO_API_KEY=... lsb serve -f backend.yaml`
    """
    if version_file is None and decisions_file:
        raise UserError("--decisions-file is for pods: it goes with --version-file")
    with _told_apart() if version_file else nullcontext():
        backend = manifest(file, name, "serve")
        from lsb_backend.serve.address import default_host
        from lsb_backend.serve.options import Options, Pod

        options = Options(
            manifest=file.absolute() if file else Path(),
            backend=backend,
            store=store_root(store, backend.metadata.name),
            host=host or default_host(backend.spec.label_studio.backend_url),
            port=port,
            metrics_port=metrics_port,
            token_file=token_file.absolute() if token_file else None,
            root_path=_prefix(root_path),
            basic_auth_file=basic_auth_file,
            redis_url_file=redis_url_file.absolute() if redis_url_file else None,
            pod=Pod(version_file, decisions_file) if version_file else None,
        )
        _serve(options)


def _serve(options: "Options") -> None:
    import asyncio

    from lsb_backend.runtime.memory import give_memory_back
    from lsb_backend.runtime.threads import cpu_quota, limit_threads
    from lsb_crds.resolve import resolve

    give_memory_back(resolve(options.backend).runtime)
    limit_threads(cpu_quota())
    from lsb_backend.serve.supervisor import serve as serve_until_stopped
    from lsb_cli.banner import banner
    from lsb_cli.logs import log_to_stderr

    log_to_stderr()
    asyncio.run(serve_until_stopped(options, lambda bound: banner(options, bound)))


@contextmanager
def _told_apart() -> Iterator[None]:
    """Give what is not the version's fault an exit code of its own: the operator gives no version up then."""
    try:
        yield
    except UserError as error:
        from lsb_backend.serve.rollout import BrokenVersionError

        if isinstance(error, BrokenVersionError):
            raise
        raise SurroundingsError(str(error)) from error


def register(
    name: NameArgument = None,
    file: FileOption = None,
    token_file: TokenFileOption = None,
    port: PortOption = 9090,
    root_path: RootPathOption = "",
    basic_auth_file: BasicAuthOption = None,
) -> None:
    """Put the backend into the projects of its manifest; it must be serving. `lsb serve` does this by itself.

    Example: `lsb register -f backend.yaml`
    """
    backend = manifest(file, name, "register")
    import asyncio

    from lsb_backend.serve.address import addressed, local_url
    from lsb_backend.serve.registering import basic_auth
    from lsb_backend.serve.registering import register as register_now
    from lsb_cli.logs import log_to_stderr

    log_to_stderr()
    known = addressed(backend, local_url(port, _prefix(root_path)))
    asyncio.run(register_now(known, basic_auth(basic_auth_file), token_file))
    typer.echo(f"Registered {backend.metadata.name} in {_projects(backend.spec.label_studio.projects)}.")


def unregister(
    name: NameArgument = None,
    file: FileOption = None,
    token_file: TokenFileOption = None,
    port: PortOption = 9090,
    root_path: RootPathOption = "",
) -> None:
    """Take the backend out of the projects of its manifest, with the webhook that Label Studio would keep.

    Example: `lsb unregister -f backend.yaml`
    """
    backend = manifest(file, name, "unregister")
    import asyncio

    from lsb_backend.serve.address import addressed, local_url
    from lsb_backend.serve.registering import unregister as unregister_now
    from lsb_cli.logs import log_to_stderr

    log_to_stderr()
    known = addressed(backend, local_url(port, _prefix(root_path)))
    asyncio.run(unregister_now(known, token_file))
    typer.echo(f"{backend.metadata.name} is out of {_projects(backend.spec.label_studio.projects)}.")


def _prefix(root_path: str) -> str:
    stripped = root_path.strip("/")
    prefix = f"/{stripped}" if stripped else ""
    if not _PREFIX.fullmatch(prefix):
        raise UserError(
            f"--root-path {root_path}: must be the path of an address, such as /cats or /models/cats: "
            "letters, digits, '.', '_', '~' and '-' between slashes"
        )
    return prefix


def _projects(projects: list[int]) -> str:
    if not projects:
        return "no project: the manifest lists none (labelStudio.projects)"
    return f"project {', '.join(map(str, projects))}"
