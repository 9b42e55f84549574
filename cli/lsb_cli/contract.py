"""`lsb crd`: the contract as the cluster wants it."""

import typer


def crd() -> None:
    """Print the CustomResourceDefinitions as YAML.

    Example: `lsb crd | kubectl apply -f -`
    """
    from lsb_crds.crd import crd_documents

    typer.echo("---\n".join(crd_documents().values()), nl=False)
