"""The quickstart in a cluster with a node: operator, Label Studio, Redis, serving and training as pods."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import shapes
import yaml
from chart.installing import OPERATOR, SYSTEM
from chart.made import CHART
from cluster import Cluster, Node, kind
from cluster.progress import Progress
from helm import Helm, find_helm
from images.build import Wanted, build
from images.catalogue import ALL
from images.engine import find
from installed import NAMESPACE, QUICKSTART, Installed, forwarded
from label_studio_admin import LabelStudioAdmin
from rich.console import Console
from rich.table import Table

PICTURES = 60
FIGURES = pytest.StashKey[dict[str, str]]()
PHASES = pytest.StashKey[list[tuple[str, float]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[PHASES] = []
    config.stash[FIGURES] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    report = yield
    if call.when != "teardown" and call.duration > 1:
        what = item.name.removeprefix("test_").replace("_", " ")
        item.config.stash[PHASES].append(
            (what if call.when == "call" else f"({call.when}) {what}", call.duration)
        )
    return report


def pytest_terminal_summary(config: pytest.Config) -> None:
    if not config.stash[PHASES]:  # a run of other tests
        return
    table = Table("phase", "seconds", title="End to end in a cluster")
    for what, seconds in config.stash[PHASES]:
        table.add_row(what, f"{seconds:.0f}")
    table.add_row("all of it", f"{sum(seconds for _, seconds in config.stash[PHASES]):.0f}")
    Console().print(table)
    for what, figure in config.stash[FIGURES].items():
        Console().print(f"{what}: {figure}")


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> dict[str, str]:
    """What was measured by the way, printed at the end; nothing is asserted of it."""
    return pytestconfig.stash[FIGURES]


@pytest.fixture(scope="session")
def cluster(archives: list[Path]) -> Iterator[Cluster]:
    """The one that `make cluster NODE=1` has started, else one of our own."""
    running = Cluster.find("dev")
    if running is not None and running.node and running.ready():
        _load(running, archives)
        yield running
        return
    if kind.usable() and not archives:
        pytest.exit("kind runs built images: `make e2e FULL=1`, or name an archive of them in LSB_IMAGES", 2)
    with Cluster.start(f"e2e-{os.getpid()}", node=Node(gpus=1, checkout=not archives)) as started:
        _load(started, archives)
        yield started


def _load(cluster: Cluster, archives: list[Path]) -> None:
    for archive in archives:
        cluster.load(archive)


@pytest.fixture(scope="session")
def archives() -> Iterator[list[Path]]:
    """Built images that run instead of the checkout: those in LSB_IMAGES; with FULL, built now; else none."""
    given = os.environ.get("LSB_IMAGES")
    if given or not os.environ.get("FULL"):
        yield [Path(given)] if given else []
        return
    engine = find()
    wanted = Wanted(ALL, base=os.environ.get("BASE") or "auto", torch=os.environ.get("TORCH") or "cuda")
    # Not in pytest's folders, which stay for three runs: these are gigabytes.
    with tempfile.TemporaryDirectory(prefix="lsbackends-images-") as folder:
        saved = []
        for built in build(engine, wanted):
            saved.append(Path(folder) / f"{built.image.name}.tar")
            engine.save(built.reference, saved[-1])
        yield saved


@pytest.fixture(scope="session")
def helm(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(find_helm(Progress()), tmp_path_factory.mktemp("helm"), cluster.kubeconfig)


@pytest.fixture(scope="session")
def operator(cluster: Cluster, helm: Helm) -> str:
    """The operator, installed as its README says; the name of its Deployment."""
    where = (f"--namespace={SYSTEM}", "--create-namespace")
    helm.run("upgrade", "--install", "lsbackends", CHART, *where, "--wait", "--timeout=10m")
    return OPERATOR


@pytest.fixture(scope="session")
def installed(cluster: Cluster, operator: str) -> Installed:
    """The quickstart, applied."""
    system = Installed(cluster)
    system.apply_quickstart()
    system.kubectl("rollout", "status", "deployment/label-studio", "--timeout=20m")
    return system


@pytest.fixture(scope="session")
def studio(installed: Installed) -> Iterator[LabelStudioAdmin]:
    """An annotator who logged in at the Label Studio in the cluster."""
    documents = yaml.safe_load_all((QUICKSTART / "label-studio.yaml").read_text())
    login = next(one for one in documents if one["kind"] == "Secret")["stringData"]
    with forwarded(installed.cluster, NAMESPACE, "label-studio", 8080) as url:
        yield LabelStudioAdmin(url, login["username"], login["password"])


@dataclass
class Project:
    """The project of the quickstart, with pictures in it; `tasks` by the number of their picture."""

    admin: LabelStudioAdmin
    number: int
    tasks: dict[int, int] = field(default_factory=dict)
    annotated: set[int] = field(default_factory=set)

    def annotate(self, count: int) -> None:
        """Annotate so many pictures that nobody has annotated."""
        for number in [one for one in self.tasks if one not in self.annotated][:count]:
            self.admin.annotate(self.tasks[number], shapes.annotation(number))
            self.annotated.add(number)

    def waiting(self) -> list[int]:
        """Pictures that nobody has annotated."""
        return [number for number in self.tasks if number not in self.annotated]

    def bodies(self, count: int) -> list[dict[str, object]]:
        """Tasks as Label Studio sends them."""
        exported = {one["id"]: one for one in self.admin.export(self.number)}
        wanted = [self.tasks[number] for number in self.waiting()[:count]]
        return [{"id": one, "data": exported[one]["data"], "project": self.number} for one in wanted]

    def predicted(self, number: int, version: str) -> list[Any]:
        """What Label Studio holds for a picture by a version."""
        stored = self.admin.predictions(self.tasks[number])
        return [one for one in stored if one["model_version"] == version]

    def right(self, number: int, version: str) -> bool:
        """Whether one of the boxes is where the block is, with its label."""
        return any(
            region["value"]["rectanglelabels"] == [shapes.label(number)]
            and shapes.overlap(number, region["value"]) > 0.5
            for one in self.predicted(number, version)
            for region in one["result"]
        )


@pytest.fixture(scope="session")
def project(
    installed: Installed, studio: LabelStudioAdmin, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """The project that the quickstart's Job made, with the labels and pictures of the tests."""
    installed.kubectl("wait", "--for=condition=Complete", "job/label-studio-project", "--timeout=20m")
    (found,) = studio.get("/api/projects/")["results"]
    number = int(found["id"])
    if not studio.tasks(number):
        studio.send("PATCH", f"/api/projects/{number}/", {"label_config": shapes.LABEL_CONFIG})
        studio.upload(number, shapes.write(tmp_path_factory.mktemp("pictures"), range(PICTURES)))
    return Project(studio, number, dict(enumerate(studio.tasks(number))))
