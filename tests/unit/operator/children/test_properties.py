"""What holds for the children of every valid backend."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.manifest import load_backend
from lsb_crds.quantity import quantity
from lsb_operator import names
from lsb_operator.children.config import document
from lsb_operator.children.release import resolved, template_digest
from lsb_operator.children.secrets import secrets
from lsb_operator.children.text import to_yaml
from lsb_operator.facts import Facts, Manifest

Built = Callable[..., dict[tuple[str, str], Manifest]]
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
CLUSTER_WIDE_METADATA = {"name", "namespace", "labels", "ownerReferences", "annotations"}

text = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=20)
word = st.from_regex(r"[a-z]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
name = st.one_of(word, st.just("a" * 253))
limits = st.sampled_from(
    [{"nvidia.com/gpu": 1}, {"memory": "4Gi", "cpu": "500m"}, {"cpu": 2, "amd.com/gpu": "2"}]
)


def some(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the keys, or none."""
    return st.fixed_dictionaries({}, optional=optional)


env = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["HOME", "SSL_CERT_FILE", "HTTPS_PROXY", "y"])}, optional={"value": text}
    ),
    max_size=3,
    unique_by=lambda variable: str(variable["name"]),
)
neighbours = st.recursive(
    text | st.none() | st.integers(), lambda inner: st.lists(inner, max_size=2), max_leaves=3
)
pod = {
    "image": st.just("registry.example.org/image:1"),
    "resources": some(limits=limits),
    "sharedMemory": st.sampled_from(["64Mi", "1Gi", "2000000k"]),
    "nodeSelector": st.dictionaries(word, word, max_size=2),
    "tolerations": st.lists(st.fixed_dictionaries({"key": word, "operator": st.just("Exists")}), max_size=2),
    "affinity": some(
        podAffinity=st.dictionaries(
            st.sampled_from(["requiredDuringSchedulingIgnoredDuringExecution", "x"]), neighbours
        )
    ),
    "priorityClassName": name,
    "runtimeClassName": name,
    "imagePullSecrets": st.lists(
        st.fixed_dictionaries({"name": word}), max_size=2, unique_by=lambda one: one["name"]
    ),
    "env": env,
}
media = st.one_of(
    st.fixed_dictionaries({"claimName": name}, optional={"subPath": st.just("a/b")}),
    st.fixed_dictionaries({"path": st.just("/srv/media")}),
)
redis = st.one_of(
    some(mode=st.sampled_from(["None", "Managed"]), size=st.just("2Gi"), storageClassName=name),
    st.fixed_dictionaries(
        {"mode": st.just("External"), "urlSecretRef": st.fixed_dictionaries({"name": name})}
    ),
)
specs = st.fixed_dictionaries(
    {
        "labelStudio": st.fixed_dictionaries(
            {"url": st.sampled_from(["http://label-studio:8080", "https://studio.example.org/sub"])},
            optional={
                "backendURL": st.sampled_from(["https://ml.example.org/cats/", "http://cats:9090"]),
                "tokenSecretRef": st.fixed_dictionaries({"name": name}),
                "projects": st.lists(st.integers(1, 2**31 - 1), max_size=3, unique=True),
                "media": media,
                "caBundle": st.fixed_dictionaries({"name": name}),
            },
        )
    },
    optional={
        "model": some(
            task=st.sampled_from(["detect", "dummy", "pose"]),
            version=st.just("3-0a1b2c3d"),
            confidence=st.floats(1e-9, 0.9),
        ),
        "serving": some(
            replicas=st.integers(0, 4),
            rollout=st.sampled_from(["Auto", "RollingUpdate", "InPlace", "Recreate"]),
            **pod,
        ),
        "training": some(
            triggers=some(annotations=st.integers(0, 9), button=st.booleans()),
            whileTraining=st.sampled_from(["Serve", "Pause"]),
            arguments=st.dictionaries(word, text | st.floats(0, 1) | st.booleans(), max_size=2).filter(
                lambda given: not given.keys() & {"data", "model", "project", "name", "resume"}
            ),
        ),
        "storage": st.one_of(
            some(retain=st.booleans(), storageClassName=name, accessModes=st.just(["ReadWriteMany"])),
            st.fixed_dictionaries({"existingClaim": name}),
        ),
        "redis": redis,
        "ingress": st.fixed_dictionaries(
            {"host": st.just("ml.example.org")},
            optional={
                "path": st.sampled_from(["/", "/cats", "/a/b/"]),
                "annotations": st.dictionaries(word, text, max_size=2),
                "tls": st.fixed_dictionaries({"secretName": name}),
            },
        ),
        "networkPolicy": some(enabled=st.booleans()),
        "suspend": st.booleans(),
    },
)
every = given(spec=specs, short=st.booleans())


def pods_of(children: dict[tuple[str, str], Manifest]) -> list[Manifest]:
    return [one["spec"]["template"]["spec"] for (kind, _), one in children.items() if kind == "Deployment"]


def longest(short: bool) -> str:
    return "c" if short else "a123456789-123456789-123456789-12345678z"


@every
def test_names_and_labels_are_valid_and_nothing_of_the_resource_spreads(
    backend_of: Callable[..., LabelStudioBackend], built: Built, spec: dict[str, Any], short: bool
) -> None:
    theirs = {"app.kubernetes.io/instance": "argo", "team": "vision"}
    backend = backend_of(spec, name=longest(short), labels=theirs, annotations={"argocd/tracking-id": "x"})
    children = built(backend)
    for (kind, child), manifest in children.items():
        metadata = manifest["metadata"]
        assert len(child) <= 63
        assert LABEL.fullmatch(child)
        assert child.startswith(backend.metadata.name)
        assert metadata.keys() <= CLUSTER_WIDE_METADATA
        assert not metadata["labels"].keys() - names.labels("", "serve").keys()
        retained = (
            kind == "PersistentVolumeClaim" and backend.spec.storage.retain and child.endswith("-weights")
        )
        assert ("ownerReferences" in metadata) is not retained
        pod_labels = manifest["spec"]["template"]["metadata"]["labels"] if kind == "Deployment" else {}
        for value in [*metadata["labels"].values(), *pod_labels.values()]:
            assert LABEL_VALUE.fullmatch(value)
            assert len(value) <= 63
            assert value not in theirs.values()


@every
def test_every_pod_is_restricted(
    backend_of: Callable[..., LabelStudioBackend], built: Built, spec: dict[str, Any], short: bool
) -> None:
    for pod in pods_of(built(backend_of(spec))):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC", "initContainers"}
        allowed = {"configMap", "downwardAPI", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
        assert {key for volume in pod["volumes"] for key in volume} <= {"name"} | allowed
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }


@every
def test_a_pod_mounts_each_of_its_volumes_once(
    backend_of: Callable[..., LabelStudioBackend], built: Built, spec: dict[str, Any], short: bool
) -> None:
    for pod in pods_of(built(backend_of(spec))):
        (container,) = pod["containers"]
        mounts = container["volumeMounts"]
        assert [mount["name"] for mount in mounts] == [volume["name"] for volume in pod["volumes"]]
        paths = [mount["mountPath"] for mount in mounts]
        assert len(set(paths)) == len(paths)
        # A folder inside of a read-only mount cannot be made.
        assert not any(one != other and one.startswith(other + "/") for one in paths for other in paths)
        variables = [variable["name"] for variable in container.get("env", [])]
        assert len(set(variables)) == len(variables)


@every
def test_shared_memory_fits_into_the_memory_limit(
    backend_of: Callable[..., LabelStudioBackend], built: Built, spec: dict[str, Any], short: bool
) -> None:
    for pod in pods_of(built(backend_of(spec))):
        limit = pod["containers"][0]["resources"].get("limits", {}).get("memory")
        for volume in pod["volumes"]:
            size = volume.get("emptyDir", {}).get("sizeLimit")
            assert limit is None or size is None or quantity(size) < quantity(limit)


@every
def test_no_secret_value_leaves_its_secret(
    backend_of: Callable[..., LabelStudioBackend], built: Built, spec: dict[str, Any], short: bool
) -> None:
    backend = backend_of(spec)
    children = built(backend)
    assert "Secret" not in {kind for kind, _ in children}
    made = {one.manifest["metadata"]["name"] for one in secrets(backend)}
    for one in secrets(backend):
        assert not one.manifest.keys() & {"data", "stringData"}
        assert all("hunter2" in value for value in one.filled("hunter2")["stringData"].values())
    own = [names.basic_auth("cats"), names.redis("cats")]
    mounted = {
        volume.get("secret", {}).get("secretName") for pod in pods_of(children) for volume in pod["volumes"]
    }
    assert made == mounted.intersection(own)


@every
def test_the_same_backend_has_the_same_children(
    backend_of: Callable[..., LabelStudioBackend],
    built: Built,
    facts_of: Callable[..., Facts],
    spec: dict[str, Any],
    short: bool,
) -> None:
    one, other = backend_of(spec), backend_of(dict(reversed(spec.items())), resourceVersion="7", generation=3)
    assert to_yaml(list(built(one).values())) == to_yaml(list(built(other).values()))
    facts = facts_of()
    assert template_digest(one, facts) == template_digest(other, facts)
    assert template_digest(one, facts) == template_digest(one, facts_of("9-00000000"))


@settings(deadline=None)
@every
def test_the_backend_reads_what_the_manifest_says(
    tmp_path_factory: Any,
    backend_of: Callable[..., LabelStudioBackend],
    facts_of: Callable[..., Facts],
    spec: dict[str, Any],
    short: bool,
) -> None:
    backend = backend_of(spec)
    chosen = resolved(backend, facts_of(), "1.0.0")
    file: Path = tmp_path_factory.mktemp("config") / "backend.yaml"
    file.write_text(to_yaml(document(backend, chosen), sort_keys=True), encoding="utf-8")
    read = load_backend(file)
    studio = backend.spec.label_studio
    inside = {"backend_url": chosen.backend_url}
    if studio.media and studio.media.claim_name:
        inside["media"] = read.spec.label_studio.media
    assert read.spec == backend.spec.model_copy(update={"label_studio": studio.model_copy(update=inside)})
    assert (read.metadata.name, read.metadata.namespace) == ("cats", "studio")


@given(st.recursive(text | st.booleans() | st.integers() | st.floats(0, 1), st.lists, max_leaves=5))
def test_yaml_says_what_it_was_given(data: Any) -> None:
    assert yaml.safe_load(to_yaml(data)) == data
