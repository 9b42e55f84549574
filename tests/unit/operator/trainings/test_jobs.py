"""What the Jobs of a backend look like, and what they are told."""

import yaml

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.manifest import parse
from lsb_crds.resolve import resolve
from lsb_operator import marks, names
from lsb_operator.children import volumes
from lsb_operator.facts import Facts, Observed, TrainingFacts
from lsb_operator.jobs.prepare import prepare
from lsb_operator.jobs.register import register
from lsb_operator.jobs.train import train
from lsb_operator.jobs.unregister import unregister

FULL = {
    "labelStudio": {
        "url": "http://studio:8080",
        "tokenSecretRef": {"name": "token"},
        "projects": [1, 2],
        "media": {"claimName": "ls-data", "subPath": "media"},
    },
    "model": {"task": "segment"},
    "serving": {
        "resources": {"limits": {"nvidia.com/gpu": 1}},
        "nodeSelector": {"gpu": "yes"},
        "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    },
    "training": {
        "resources": {"limits": {"nvidia.com/gpu": 2, "memory": "16Gi"}},
        "sharedMemory": "8Gi",
        "epochs": 50,
        "arguments": {"patience": 5, "lr0": 0.01},
        "backoffLimit": 4,
        "activeDeadlineSeconds": 7200,
        "queue": "gpus",
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "env": [{"name": "WANDB_MODE", "value": "offline"}],
    },
}


def made(builder, spec=None, uid="b-1", claim_modes=None, **training):
    raw = {"metadata": {"name": "cats", "namespace": "studio", "uid": uid}, "spec": spec or FULL}
    backend = LabelStudioBackend.model_validate(raw)
    resolved = resolve(backend, "1.0")
    if builder in (register, unregister):
        return builder(backend, resolved)
    claim = {("PersistentVolumeClaim", "cats-weights"): Observed({}, True, spec={"accessModes": claim_modes})}
    facts = Facts(raw, now=None, children=claim if claim_modes else {}, target="3-aaaaaaaa")
    asked = TrainingFacts("night", **{"uid": "12345678-90ab", **training})
    return builder(backend, resolved, facts, asked, 2)


def pod(job):
    return job["spec"]["template"]["spec"]


def told(job):
    """The manifest that the Job's program reads, as it reads it."""
    text = job["spec"]["template"]["metadata"]["annotations"][marks.MANIFEST]
    return parse(yaml.safe_load(text), LabelStudioBackend, "backend.yaml").spec


def option(job, name):
    command = pod(job)["containers"][0]["command"]
    return command[command.index(name) + 1] if name in command else None


def test_a_training_job_as_asked_for() -> None:
    job = made(train)
    assert job["metadata"]["name"] == "night-train"
    assert job["metadata"]["ownerReferences"][0]["uid"] == "b-1"
    assert job["metadata"]["annotations"] == {marks.TRAINING_UID: "12345678-90ab", marks.ATTEMPT: "2"}
    spec = job["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (4, 7200)
    assert "ttlSecondsAfterFinished" not in spec
    container = pod(job)["containers"][0]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "2"
    assert pod(job)["serviceAccountName"] == "cats-train"
    assert pod(job)["automountServiceAccountToken"] is True
    shared = next(one for one in pod(job)["volumes"] if one["name"] == "shared-memory")
    assert shared["emptyDir"] == {"medium": "Memory", "sizeLimit": "8Gi"}
    assert {"name": "WANDB_MODE", "value": "offline"} in container["env"]
    assert option(job, "--run") == "night-12345678"
    assert option(job, "--store") == volumes.STORE
    assert option(job, "--token-file") == volumes.TOKEN_FILE
    assert "nodeSelector" not in pod(job)


def test_every_job_runs_once_and_restricted() -> None:
    for builder in (train, prepare, register, unregister):
        job = made(builder)
        assert pod(job)["restartPolicy"] == "Never"
        assert pod(job)["securityContext"]["runAsNonRoot"] is True
        (container,) = pod(job)["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["terminationMessagePath"] == "/dev/termination-log"
        mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
        assert set(mounts) == {one["name"] for one in pod(job)["volumes"]}
        assert mounts["configuration"] == "/etc/lsbackends"
        assert option(job, "-f") == "/etc/lsbackends/backend.yaml"
        rules = job["spec"]["podFailurePolicy"]["rules"]
        assert rules[0] == {
            "action": "Ignore",
            "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
        }
        assert rules[1] == {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
        assert job["spec"]["template"]["metadata"]["labels"][names.BACKEND] == "cats"
        assert len(job["metadata"]["name"]) <= 63


def test_kueue_admits_what_names_a_queue() -> None:
    job = made(train)
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"][marks.QUEUE] == "gpus"
    free = made(train, spec={"labelStudio": {"url": "http://studio:8080"}})
    assert "suspend" not in free["spec"]
    assert marks.QUEUE not in free["metadata"]["labels"]
    assert "suspend" not in made(register)["spec"]


def test_a_training_shares_the_node_of_a_volume_that_only_one_node_has() -> None:
    def company(job):
        terms = pod(job).get("affinity", {}).get("podAffinity", {})
        return terms.get("requiredDuringSchedulingIgnoredDuringExecution", [])

    (term,) = company(made(train))
    labels = made(train)["spec"]["template"]["metadata"]["labels"]
    assert term["labelSelector"]["matchLabels"].items() <= labels.items()
    assert company(made(train, claim_modes=["ReadWriteMany"])) == []
    assert company(made(train, claim_modes=["ReadWriteOnce"])) == [term]
    assert company(made(register)) == []


def test_a_training_is_told_what_was_asked_for_and_what_serves() -> None:
    as_the_backend_says = told(made(train))
    assert as_the_backend_says.training.epochs == 50
    assert as_the_backend_says.training.minimum_annotations == 20
    assert as_the_backend_says.model.version == "3-aaaaaaaa"
    spec = told(made(train, epochs=7, arguments={"lr0": 0.5}, force=True))
    assert spec.training.epochs == 7
    assert spec.training.arguments == {"patience": 5, "lr0": 0.5}
    assert spec.training.minimum_annotations == 1
    assert str(spec.label_studio.media.path) == volumes.MEDIA
    assert spec.serving.resources.asks_for_gpu()
    assert spec.serving.env == []
    assert spec.training.queue == "gpus"


def test_preparing_is_not_told_which_version_to_serve() -> None:
    job = made(prepare, spec=FULL | {"model": {"version": "2-bbbbbbbb", "weights": "mine.pt"}})
    assert pod(job)["containers"][0]["command"][:2] == ["lsb", "prepare"]
    assert option(job, "--run") is None
    assert told(job).model.weights == "mine.pt"
    assert not any("secret" in one for one in pod(job)["volumes"])


def test_registration_asks_for_no_gpu_and_no_volume() -> None:
    for builder in (register, unregister):
        job = made(builder)
        container = pod(job)["containers"][0]
        assert "nvidia.com/gpu" not in str(container["resources"])
        assert not any("persistentVolumeClaim" in one for one in pod(job)["volumes"])
        assert "nodeSelector" not in pod(job)
        assert {"name": "HTTPS_PROXY", "value": "http://proxy:3128"} in container["env"]
        assert told(job).label_studio.projects == [1, 2]
        assert pod(job)["automountServiceAccountToken"] is False
    assert option(made(register), "--basic-auth-file") == volumes.BASIC_AUTH_FILE


def test_unregistering_needs_nothing_of_the_backend() -> None:
    job = made(unregister)
    assert "ownerReferences" not in job["metadata"]
    assert job["spec"]["activeDeadlineSeconds"] == 60
    assert job["spec"]["ttlSecondsAfterFinished"] > 0
    assert "serviceAccountName" not in pod(job)
    of_the_backend = {names.config("cats"), names.model("cats"), names.basic_auth("cats")}
    assert not any(name in str(pod(job)["volumes"]) for name in of_the_backend)


def test_a_job_is_the_same_every_time_it_is_built() -> None:
    for builder in (train, prepare, register, unregister):
        assert made(builder) == made(builder)


def test_names_at_the_limit_fit() -> None:
    raw = {"metadata": {"name": "c" * 40, "namespace": "studio", "uid": "1"}, "spec": FULL}
    backend = LabelStudioBackend.model_validate(raw)
    for builder in (register, unregister):
        assert len(builder(backend, resolve(backend, "1.0"))["metadata"]["name"]) <= 63


def test_registration_has_another_job_for_whatever_label_studio_is_told() -> None:
    def name(**change):
        studio = FULL["labelStudio"] | change
        return made(register, spec=FULL | {"labelStudio": studio})["metadata"]["name"]

    assert name() == name(projects=[2, 1])
    others = [
        name(url="http://other:8080"),
        name(projects=[1]),
        name(backendURL="https://ml.example.org"),
        name(tokenSecretRef={"name": "token", "key": "other"}),
    ]
    assert len({name(), *others}) == 5
    assert made(register, spec=FULL | {"training": {"epochs": 3}})["metadata"]["name"] == name()
