"""What `lsb serve` says when it has begun: what is served, where, and what to do next."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

if TYPE_CHECKING:
    from lsb_backend.serve.options import Options


def banner(options: "Options", port: int) -> None:
    """Print the banner on stderr, with the port that was bound."""
    spec = options.backend.spec
    studio = spec.label_studio
    page = f"http://localhost:{port}{options.root_path}/"
    projects = ", ".join(map(str, studio.projects))
    if options.pod is not None:
        then = f"serves the version that {options.pod.version_file} names"
    elif projects and studio.register_backend:
        then = f"registers itself in project {projects}"
    else:
        then = f"add {studio.backend_url or page.rstrip('/')} in Label Studio: project > Settings > Model"
    lines = [
        ("serves      ", f"{spec.model.task}, as {options.backend.metadata.name}"),
        ("page        ", page),
        ("Label Studio", studio.url),
        ("store       ", str(options.store)),
        ("next        ", then),
    ]
    body = Text("\n").join(Text.assemble((name, "dim"), "  ", (value, "bold")) for name, value in lines)
    Console(stderr=True).print(Panel(body, title="lsbackends", border_style="green", expand=False))
