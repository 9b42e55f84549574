"""What one run works on, and where its files are."""

from dataclasses import dataclass
from pathlib import Path

from lsb_backend.store.store import Store
from lsb_backend.training.progress import Reporter
from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolve import resolve
from lsb_crds.resolved import Resolved


@dataclass(frozen=True, slots=True)
class Job:
    """One run of the training program; `run` is its folder."""

    backend: LabelStudioBackend
    store: Store
    studio_url: str
    token: str
    run: Path
    report: Reporter

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def resolved(self) -> Resolved:
        """What null in the manifest became."""
        return resolve(self.backend)

    @property
    def dataset(self) -> Path:
        return self.run / "dataset"

    @property
    def plots(self) -> Path:
        """Pictures that go into the version."""
        return self.run / "plots"

    @property
    def exported(self) -> Path:
        """The candidate as it will be served, unless that is by torch."""
        return self.run / "model.onnx"

    @property
    def log(self) -> Path:
        """What ultralytics said."""
        return self.run / "log.txt"
