"""What a manifest asks for and `lsb serve` on one machine does not do, said before anybody waits for it."""

from collections.abc import Iterator
from pathlib import Path

from lsb_crds.backend import BackendSpec


def unheeded(spec: BackendSpec) -> Iterator[str]:
    """A line for each such field, and what to do instead; sizes and places of pods are not among them."""
    studio = spec.label_studio
    if spec.training.triggers.schedule is not None:
        yield "training.triggers.schedule: only in a cluster; here a training is started by lsb train -f FILE"
    if studio.ca_bundle is not None:
        yield "labelStudio.caBundle: only in a cluster; here SSL_CERT_FILE names the file to trust"
    if studio.media is not None and studio.media.path is None:
        yield "labelStudio.media.claimName: only in a cluster; here media.path names the folder"
    elif studio.media is not None and not Path(str(studio.media.path)).is_dir():
        yield f"labelStudio.media.path: {studio.media.path} is no folder, so uploads are read over HTTP"
