"""What a kubelet does for pods: Jobs, logs, limits, eviction, GPUs, the project's own images."""

import json

import pytest
from cluster import KubectlError
from cluster.stand_ins import label_studio_image
from node_pods import NO_RIGHTS, PATIENCE, RESTRICTED, SLEEP, Pods, pod_spec
from operating import eventually

from lsb_crds.release import release
from lsb_crds.resolve import REDIS_IMAGE, REGISTRY

pytestmark = pytest.mark.node


def test_logs_and_exec(pods: Pods) -> None:
    pods.start("one", pod_spec(f"print('hello'); {SLEEP}"))
    eventually(lambda: pods.kubectl("logs", "one") == "hello\n", "the line is in the log")
    assert pods.kubectl("exec", "one", "--", "sh", "-c", "echo $((6 * 7))") == "42\n"
    with pytest.raises(KubectlError, match="exit code 3"):
        pods.kubectl("exec", "one", "--", "sh", "-c", "exit 3")


def _job(pods: Pods, script: str) -> None:
    template = {"spec": {**pod_spec(script), "restartPolicy": "Never"}}
    spec = {"backoffLimit": 0, "template": template}
    pods.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}, "spec": spec})


def test_a_job_runs_to_the_end_and_its_last_words_are_kept(pods: Pods) -> None:
    _job(pods, "open('/dev/termination-log', 'w').write('42')")
    pods.kubectl("wait", "--for=condition=Complete", "job/job", PATIENCE)
    [pod] = pods.get("pods", "--selector=job-name=job")["items"]
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"] == "42"


def test_a_job_that_fails_tells_its_exit_code(pods: Pods) -> None:
    _job(pods, "raise SystemExit(42)")
    pods.kubectl("wait", "--for=condition=Failed", "job/job", PATIENCE)
    [pod] = pods.get("pods", "--selector=job-name=job")["items"]
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 42


def test_a_container_that_takes_too_much_memory_is_ended(pods: Pods) -> None:
    limits = {"resources": {"limits": {"memory": "64Mi"}}}
    pods.create("big", {**pod_spec("x = b'1' * 2**30", container=limits), "restartPolicy": "Never"})
    pods.kubectl("wait", "--for=jsonpath={.status.phase}=Failed", "pod/big", PATIENCE)
    [container] = pods.get("pod", "big")["status"]["containerStatuses"]
    assert container["state"]["terminated"]["reason"] == "OOMKilled"


def test_one_stand_in_gpu_serves_one_pod_after_the_other(pods: Pods) -> None:
    gpu = {"resources": {"limits": {"nvidia.com/gpu": 1}}}
    pods.start("first", pod_spec(SLEEP, container=gpu))
    pods.create("second", pod_spec(SLEEP, container=gpu))
    pods.kubectl("wait", "--for=condition=PodScheduled=False", "pod/second", PATIENCE)
    [condition] = pods.get("pod", "second")["status"]["conditions"]
    assert "Insufficient nvidia.com/gpu" in condition["message"]
    pods.kubectl("delete", "pod", "first")
    pods.kubectl("wait", "--for=condition=Ready", "pod/second", PATIENCE)


def test_the_stand_in_gpu_comes_back_if_it_is_taken_away(pods: Pods) -> None:
    gone = json.dumps(
        {"status": {"capacity": {"nvidia.com/gpu": "0"}, "allocatable": {"nvidia.com/gpu": "0"}}}
    )
    pods.kubectl("patch", "node", "lsb-node", "--subresource=status", "--patch", gone)
    eventually(
        lambda: pods.get("node", "lsb-node")["status"]["allocatable"]["nvidia.com/gpu"] == "1",
        "the GPU is advertised again",
    )


def test_shared_memory_has_the_size_that_was_asked_for(pods: Pods) -> None:
    volume = {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}}
    mount = {"volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}]}
    pods.start("one", pod_spec(SLEEP, container=mount, volumes=[volume]))
    script = "import os; it = os.statvfs('/dev/shm'); print(it.f_blocks * it.f_frsize)"
    assert pods.python("one", script) == str(16 * 2**20)
    assert "OSError" in pods.python(
        "one", "try: open('/dev/shm/x', 'wb').write(bytes(2**25))\nexcept OSError: print('OSError')"
    )


def test_an_evicted_pod_is_replaced_unless_a_budget_forbids_it(pods: Pods) -> None:
    pods.web()
    budget = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    meta = {"name": "web"}
    pods.apply({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": budget})
    eventually(lambda: pods.get("pdb", "web")["status"].get("currentHealthy") == 2, "the budget is counted")
    first = pods.get("pods", "--selector=app=web")["items"][0]["metadata"]["name"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": first}}
    path = f"/api/v1/namespaces/{pods.namespace}/pods/{first}/eviction"
    with pytest.raises(KubectlError, match="disruption budget"):
        pods.kubectl("create", "--raw", path, "--filename=-", input=json.dumps(body))
    pods.kubectl("delete", "pdb", "web")
    pods.kubectl("create", "--raw", path, "--filename=-", input=json.dumps(body))
    pods.kubectl("wait", "--for=delete", f"pod/{first}", PATIENCE)
    pods.kubectl("rollout", "status", "deployment/web", PATIENCE)


def test_a_pod_that_is_deleted_may_say_goodbye(pods: Pods) -> None:
    script = f"import signal; signal.signal(15, lambda *_: exit(7)); print('ready'); {SLEEP}"
    pods.start("one", pod_spec(script, terminationGracePeriodSeconds=300, restartPolicy="Never"))
    eventually(lambda: "ready" in pods.kubectl("logs", "one"), "the program listens to signals")
    pods.apply(_held(pods))
    pods.kubectl("delete", "pod", "one", "--wait=false")
    pods.kubectl("wait", "--for=jsonpath={.status.phase}=Failed", "pod/one", PATIENCE)
    [container] = pods.get("pod", "one")["status"]["containerStatuses"]
    assert container["state"]["terminated"]["exitCode"] == 7
    pods.kubectl("patch", "pod", "one", "--type=merge", "--patch", '{"metadata": {"finalizers": null}}')


def _held(pods: Pods) -> dict[str, object]:
    """The pod with a finalizer, so that its end can be read."""
    pod: dict[str, object] = pods.get("pod", "one")
    pod["metadata"]["finalizers"] = ["lsbackends.dev/test"]  # type: ignore[index]
    return pod


@pytest.mark.parametrize("name", ["operator", "backend-serve", "backend-train"])
def test_the_projects_images_run_the_checkout_with_restricted_rights(pods: Pods, name: str) -> None:
    restricted = "pod-security.kubernetes.io/enforce=restricted"
    pods.cluster.kubectl("label", "namespace", pods.namespace, restricted)
    image = f"{REGISTRY}/{name}:{release()}"
    container = {
        "image": image,
        "command": ["lsb", "crd"],
        "securityContext": NO_RIGHTS,
        # Where the checkout is on this machine, a pod may mount something.
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    volumes = [{"name": "tmp", "emptyDir": {}}]
    spec = pod_spec(
        "", container=container, volumes=volumes, securityContext=RESTRICTED, restartPolicy="Never"
    )
    pods.create("ours", spec)
    pods.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/ours", PATIENCE)
    assert "labelstudiobackends.lsbackends.dev" in pods.kubectl("logs", "ours")


def test_redis_stands_in_under_the_name_that_the_operator_uses(pods: Pods) -> None:
    container = {
        "image": REDIS_IMAGE,
        "command": ["redis-server", "--appendonly", "yes", "--dir", "/data"],
        "securityContext": NO_RIGHTS,
        "readinessProbe": {"tcpSocket": {"port": 6379}, "periodSeconds": 1},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    user = {**RESTRICTED, "runAsUser": 999}
    volumes = [{"name": "data", "emptyDir": {}}]
    pods.start("redis", pod_spec("", container=container, volumes=volumes, securityContext=user))
    assert pods.kubectl("exec", "redis", "--", "redis-cli", "ping") == "PONG\n"


def test_label_studio_answers_on_its_port(pods: Pods) -> None:
    container = {
        "image": label_studio_image(),
        "command": None,
        "securityContext": {"allowPrivilegeEscalation": False},
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}, "timeoutSeconds": 30},
        "volumeMounts": [{"name": "data", "mountPath": "/label-studio/data"}],
    }
    volumes = [{"name": "data", "emptyDir": {}}]
    security = {"runAsUser": 1001, "runAsGroup": 0, "fsGroup": 0}
    pods.start("studio", pod_spec("", container=container, volumes=volumes, securityContext=security))
    assert "label_studio.sqlite3" in pods.kubectl("exec", "studio", "--", "ls", "/label-studio/data")
