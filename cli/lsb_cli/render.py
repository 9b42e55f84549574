"""`lsb render`: what the operator would apply, for reading, diffing and reviewing."""

import typer

from lsb_cli.options import FileOption, NameArgument, manifest


def render(name: NameArgument = None, file: FileOption = None) -> None:
    """Print what the operator would apply for a manifest, as YAML; no cluster is asked.

    There are no pods before there is a version: give `model.version` to see them. Passwords are shown as
    `<password of NAME>`; owners are left out, since only the cluster knows their ids.

    Example: `lsb render -f backend.yaml`
    """
    backend = manifest(file, name, "render")
    from datetime import UTC, datetime

    from lsb_operator.children.all import children
    from lsb_operator.children.secrets import secrets
    from lsb_operator.children.text import to_yaml
    from lsb_operator.facts import Facts

    resource = backend.model_dump(mode="json", by_alias=True, exclude_none=True)
    facts = Facts(backend=resource, now=datetime.now(UTC), target=backend.spec.model.version)
    made = [one.filled(f"<password of {one.manifest['metadata']['name']}>") for one in secrets(backend)]
    typer.echo("---\n".join(map(to_yaml, [*made, *children(backend, facts)])), nl=False)
