"""The loop in a cluster with real pods, then everything that may go wrong in it.

The tests share one backend and run in order: each goes on from where the one before it ended.
"""

import json
import secrets
from datetime import UTC, datetime
from typing import Any

import pytest
from chart.installing import SYSTEM
from chart.made import CHART
from cluster import Cluster
from helm import Helm
from installed import BACKEND, Installed, eventually, kill_operator
from label_studio_admin import LabelStudioAdmin

from .conftest import Project

pytestmark = pytest.mark.node
VERSIONS = "/var/lib/lsbackends/versions"


def gpus(pods: list[Any]) -> list[str]:
    """How many GPUs each pod was given."""
    return [pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] for pod in pods]


def versions(installed: Installed) -> list[str]:
    """The versions in the store, oldest first."""
    (pod, *_) = installed.running("serve")
    listing = f"import json, os; print(json.dumps(os.listdir({VERSIONS!r})))"
    found: list[str] = json.loads(installed.execute(pod["metadata"]["name"], "python3", "-c", listing))
    return sorted((one for one in found if one[0].isdigit()), key=lambda one: int(one.split("-")[0]))


def roll(installed: Installed, training: str) -> str:
    """How long a roll that has just ended took, and how much of that the pods needed to start."""
    now = datetime.now(UTC)
    ended = datetime.fromisoformat(installed.get("job", f"{training}-train")["status"]["completionTime"])
    starts = [
        datetime.fromisoformat(one["lastTransitionTime"])
        - datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
        for pod in installed.pods("serve")
        for one in pod["status"]["conditions"]
        if one["type"] == "Ready"
    ]
    whole, start = (now - ended).total_seconds(), max(starts).total_seconds()
    return f"{whole:.0f} s, {start:.0f} s of it the pod's own start"


def identities(installed: Installed) -> set[str]:
    return {pod["metadata"]["uid"] for kind in ("serve", "redis") for pod in installed.pods(kind)}


def test_the_quickstart_becomes_ready_and_registered(installed: Installed, project: Project) -> None:
    installed.until_ready()
    eventually(lambda: installed.is_true("Registered"), "the backend is registered")
    (record,) = project.admin.backends(project.number)
    assert record["model_version"] == installed.version()
    assert str(record["url"]).rstrip("/").endswith(f"{BACKEND}.studio.svc:9090")
    assert installed.pods("redis")


def test_annotations_start_a_training_and_the_better_version_rolls_out_under_load(
    installed: Installed, project: Project, figures: dict[str, str]
) -> None:
    first = installed.version()
    with installed.called(project.bodies(4)) as calls:
        project.annotate(30)
        name = eventually(lambda: next(iter(installed.trainings()), None), "a training is asked for")
        training = installed.until_trained(name)
        assert training["spec"]["reason"] == "Annotations"
        assert training["status"]["phase"] == "Succeeded", training["status"]
        second = training["status"]["result"]["version"]
        eventually(lambda: installed.version() == second, "every pod serves it")
        figures["from the Job's success to all replicas serving"] = roll(installed, name)
        installed.until_ready()
        eventually(lambda: second in installed.kubectl("logs", "caller", "--tail=5"), "it answers")
    assert list(installed.trainings()) == [f"{BACKEND}-after-0"]
    assert calls.failed == []
    assert len(calls.answers) > 20
    # Version 0 is an untrained network, and proposes nothing.
    assert calls.versions == [second] != [first]


def test_label_studio_shows_what_the_new_version_proposes(installed: Installed, project: Project) -> None:
    version = str(installed.version())
    waiting = project.waiting()
    eventually(
        lambda: all(project.predicted(number, version) for number in waiting), "predictions are refreshed"
    )
    assert sum(project.right(number, version) for number in waiting) >= len(waiting) * 2 // 3
    (record,) = project.admin.backends(project.number)
    assert record["model_version"] == version


def test_an_upgrade_of_the_operator_restarts_no_workload(
    installed: Installed, cluster: Cluster, helm: Helm, operator: str
) -> None:
    before = identities(installed)
    old = cluster.kubectl("get", "pods", f"-n{SYSTEM}", "--output=name")
    where = (f"--namespace={SYSTEM}", f"--set=podAnnotations.upgraded={secrets.token_hex(4)}")
    helm.run("upgrade", "lsbackends", CHART, *where, "--wait", "--timeout=10m")
    assert cluster.kubectl("get", "pods", f"-n{SYSTEM}", "--output=name") != old
    # It has looked at every backend once it writes about a change of one.
    installed.apply_backend(training={"keepVersions": 9})
    installed.until_ready()
    assert identities(installed) == before


def test_redis_goes_and_comes_and_no_trigger_is_lost_or_doubled(
    installed: Installed, project: Project
) -> None:
    with installed.called(project.bodies(1)) as calls:
        installed.kubectl("scale", "deployment", f"{BACKEND}-redis", "--replicas=0")
        (pod,) = installed.pods("redis") or [None]
        if pod is not None:
            installed.kubectl("delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force")
        project.annotate(20)
        name = f"{BACKEND}-after-1"
        training = installed.until_trained(name)
        eventually(lambda: installed.pods("redis"), "Redis is back")
    assert training["status"]["phase"] in ("Succeeded", "Rejected"), training["status"]
    assert sorted(installed.trainings()) == [f"{BACKEND}-after-0", name]
    assert calls.failed == []
    installed.until_ready()


def test_a_training_pod_evicted_in_the_middle_resumes_and_makes_one_version(
    installed: Installed, cluster: Cluster
) -> None:
    name = "by-hand"
    installed.train(name)

    def epoch() -> int:
        status = installed.trainings()[name].get("status") or {}
        return int((status.get("progress") or {}).get("epoch") or 0)

    eventually(lambda: epoch() >= 2, "some epochs are done")
    (pod,) = installed.running("train")
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod["metadata"]["name"], "namespace": installed.namespace},
    }
    path = f"/api/v1/namespaces/{installed.namespace}/pods/{pod['metadata']['name']}/eviction"
    installed.cluster.kubectl("create", f"--raw={path}", "--filename=-", input=json.dumps(eviction))
    # The operator dies with it, at a moment that nobody chose.
    kill_operator(cluster)
    ended = installed.until_trained(name)
    assert ended["status"]["phase"] in ("Succeeded", "Rejected"), ended["status"]
    jobs = [one for one in installed.items("jobs") if one["metadata"]["name"] == f"{name}-train"]
    assert len(jobs) <= 1
    sequences = [version.split("-")[0] for version in versions(installed)]
    assert len(sequences) == len(set(sequences)) == 4
    installed.until_ready()


def test_a_version_with_a_damaged_file_is_rolled_back_and_the_old_one_never_stops(
    installed: Installed, project: Project
) -> None:
    served = str(installed.version())
    (pod,) = installed.pods("serve")
    damaged = next(one for one in versions(installed) if one not in (served, versions(installed)[0]))
    path = f"{VERSIONS}/{damaged}/model.onnx"
    damage = f"open({path!r}, 'r+b').truncate(1000)"
    with installed.called(project.bodies(2)) as calls:
        installed.execute(pod["metadata"]["name"], "python3", "-c", damage)
        installed.apply_backend(model={"version": damaged})
        eventually(lambda: installed.is_true("RolledBack"), "it is rolled back")
        installed.until_ready("the old version serves on")
    assert damaged in installed.condition("RolledBack")["message"]
    assert installed.version() == served
    assert calls.failed == []
    assert calls.versions == [served]
    installed.apply_backend()
    installed.until_ready()


def test_one_gpu_is_lent_to_the_training_and_comes_back(installed: Installed) -> None:
    gpu = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    installed.apply_backend(serving=gpu, training={**gpu, "whileTraining": "Pause"})
    installed.until_ready("it serves on the stand-in GPU")
    assert gpus(installed.pods("serve")) == ["1"]
    installed.train("on-gpu", epochs=4)
    eventually(lambda: installed.running("train"), "the training has the GPU")
    assert gpus(installed.running("train")) == ["1"]
    assert installed.pods("serve") == []
    ended = installed.until_trained("on-gpu")
    assert ended["status"]["phase"] in ("Succeeded", "Rejected"), ended["status"]
    installed.until_ready("serving has the GPU again")
    assert gpus(installed.pods("serve")) == ["1"]
    installed.apply_backend()
    installed.until_ready()


def test_a_deleted_backend_leaves_label_studio_and_keeps_its_volume(
    installed: Installed, project: Project, studio: LabelStudioAdmin
) -> None:
    served = installed.version()
    installed.kubectl("delete", "lsb", BACKEND, "--timeout=300s")
    assert studio.backends(project.number) == []
    assert studio.webhooks(project.number) == []
    # The Job that did it is kept for a while, to be read.
    label = f"--selector=lsbackends.dev/backend={BACKEND},app.kubernetes.io/component!=unregister"
    kinds = "deployments,services,jobs,configmaps,secrets,serviceaccounts,rolebindings,pods"
    eventually(lambda: not installed.get(kinds, label)["items"], "its children are gone")
    assert installed.get("pvc", f"{BACKEND}-weights")["status"]["phase"] == "Bound"
    installed.apply_backend()
    installed.until_ready("it is back")
    assert installed.version() == served
    eventually(lambda: installed.is_true("Registered"), "it is registered again")
