"""Installing the chart in a cluster, for tests."""

import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml
from cluster import Cluster
from cluster.api import Api
from helm import Helm
from operating import Studio

from chart.made import CHART

RELEASE, SYSTEM = "lsbackends", "lsbackends"
OPERATOR = "lsbackends-operator"
DEFINITIONS = ("labelstudiobackends.lsbackends.dev", "labelstudiotrainings.lsbackends.dev")
OLDER = "0.0.9"


def older_chart(folder: Path) -> Path:
    """The chart as a release before might have been: another version, and one field fewer in a definition."""
    shutil.copytree(CHART, folder)
    about = yaml.safe_load((folder / "Chart.yaml").read_text()) | {"version": OLDER, "appVersion": OLDER}
    (folder / "Chart.yaml").write_text(yaml.safe_dump(about))
    file = folder / "files" / "crds" / "lsbackends.dev_labelstudiobackends.yaml"
    definition = yaml.safe_load(file.read_text())
    spec = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["properties"]["prelabel"]
    file.write_text(yaml.safe_dump(definition, sort_keys=False))
    return folder


@dataclass
class Uninstall:
    """`helm uninstall` in another process."""

    process: "subprocess.Popen[str]"

    def wait(self) -> None:
        said, _ = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, said


def uninstall(helm: Helm, *options: str) -> Uninstall:
    """Begin to uninstall; it waits for the last Job."""
    command = helm.command("uninstall", RELEASE, f"--namespace={SYSTEM}", *options)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=helm.environment
    )
    return Uninstall(process)


def install(helm: Helm, *options: str | Path, chart: Path = CHART, namespace: str = SYSTEM) -> str:
    """Install the chart; what Helm prints."""
    where = (f"--namespace={namespace}", "--create-namespace")
    return helm.run("upgrade", "--install", RELEASE, chart, *where, "--set=leaseDuration=3", *options)


def studio(cluster: Cluster, name: str) -> Studio:
    """A namespace, made where it is not there."""
    if name not in names(cluster, "namespaces"):
        cluster.kubectl("create", "namespace", name)
    return Studio(cluster, name, Api(cluster.kubeconfig))


def fresh(cluster: Cluster, prefix: str) -> Studio:
    """A namespace that there was not before: what a test leaves in one is not gone when it is deleted."""
    return studio(cluster, f"{prefix}-{secrets.token_hex(3)}")


def allowed(cluster: Cluster, account: str, verb: str, resource: str, namespace: str = "") -> bool:
    """Whether a ServiceAccount (`namespace:name`) may do that to a `resource` or `resource.group`.

    No namespace: in all of them.
    """
    plural, _, group = resource.partition(".")
    attributes = {"verb": verb, "resource": plural, "group": group, "namespace": namespace}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": f"system:serviceaccount:{account}", "resourceAttributes": attributes},
    }
    answer = Api(cluster.kubeconfig).create("/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
    return bool(answer["status"]["allowed"])


def established(cluster: Cluster) -> None:
    """Wait until both definitions can be used."""
    options = [f"crd/{name}" for name in DEFINITIONS]
    cluster.kubectl("wait", "--for=create", "--timeout=60s", *options)
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", *options)


def names(cluster: Cluster, kind: str) -> list[str]:
    """Names of all objects of a kind."""
    return cluster.kubectl("get", kind, "--output=jsonpath={.items[*].metadata.name}").split()


def release_all(cluster: Cluster, definition: str) -> None:
    """Take every finalizer away: a test may have ended before it was done."""
    if definition not in names(cluster, "crds"):
        return
    where = cluster.kubectl(
        "get",
        definition,
        "--all-namespaces",
        '--output=jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{"\\n"}{end}',
    )
    for namespace, _, name in (line.partition("/") for line in where.split()):
        cluster.kubectl(
            "patch",
            definition,
            name,
            f"-n{namespace}",
            "--type=merge",
            '--patch={"metadata":{"finalizers":null}}',
        )
