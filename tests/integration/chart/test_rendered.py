"""What the chart renders is what the API server takes, for many sets of values."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart.installing import OPERATOR, RELEASE, SYSTEM, studio
from chart.made import CHART, RIGHTS, rules
from cluster import Cluster
from helm import Helm

from lsb_crds.release import release

Values = dict[str, Any]
EXAMPLES = Path(__file__).parents[3] / "examples"
EVERYTHING: Values = {
    "global": {"imagePullSecrets": ["mirror"]},
    "imagePullSecrets": ["mirror", "own"],
    "image": {"registry": "registry.example.org:5000", "digest": f"sha256:{'a' * 64}"},
    "replicas": 2,
    "commonLabels": {"team": "vision"},
    "podLabels": {"sidecar.istio.io/inject": "false"},
    "podAnnotations": {"note": "1"},
    "serviceAccount": {"annotations": {"note": "1"}},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    "tolerations": [{"operator": "Exists"}],
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    ],
    "priorityClassName": "system-cluster-critical",
    "extraEnvironmentVars": {"HTTPS_PROXY": "http://proxy:3128", "NUMBER": 1, "SWITCH": True},
    "extraEnvironmentSecrets": {"PASSWORD": {"secretName": "proxy", "secretKey": "password"}},
    "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ssl/ours"}],
    "metrics": {
        "service": {"annotations": {"prometheus.io/scrape": "true"}},
        "serviceMonitor": {"enabled": True, "interval": "30s", "labels": {"release": "prometheus"}},
        "podMonitor": {"enabled": True, "interval": "30s", "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
        "dashboard": {"enabled": True, "annotations": {"grafana_folder": "Labels"}},
    },
    "networkPolicy": {
        "enabled": True,
        "metricsFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
    },
}
TEAMS: Values = {
    "scope": "Namespaced",
    "namespaces": ["team-a", "team-b"],
    "crds": {"install": False},
    "clusterRoles": {"create": False},
}
SETS: dict[str, Values] = {
    "defaults": {},
    "everything": EVERYTHING,
    "namespaced": TEAMS,
    "the example of a team": yaml.safe_load((EXAMPLES / "namespaced" / "values.yaml").read_text()),
    "its own namespace": {"scope": "Namespaced"},
    "shared parts": {"operator": {"enabled": False}},
    "rights of others": {
        "rbac": {"create": False},
        "serviceAccount": {"create": False, "name": "theirs"},
        "clusterRoles": {"aggregate": False},
    },
    "a platform that chooses users": {
        "podSecurityContext": {"enabled": False},
        "livenessProbe": {"enabled": False},
        "readinessProbe": {"enabled": False},
        "resources": {},
    },
    "long names": {"nameOverride": "n" * 63, "fullnameOverride": "f" * 40},
    "definitions that go": {"crds": {"keep": False}, "uninstall": {"releaseFinalizers": False}},
}
CLUSTER_WIDE = ("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition")
MONITORING = "monitoring.coreos.com/v1"


@pytest.fixture(params=SETS.values(), ids=SETS.keys())
def values(request: pytest.FixtureRequest) -> Values:
    """One set of values after the other."""
    found: Values = request.param
    return found


@functools.cache
def _rendered(helm: Helm, values: str, file: Path, _: int) -> str:
    file.write_text(values)
    return helm.run("template", RELEASE, CHART, f"--namespace={SYSTEM}", f"--values={file}")


def render(helm: Helm, folder: Path, values: Values, again: int = 0) -> list[dict[str, Any]]:
    """The documents, hooks included; rendered once, and another time for each other `again`."""
    file = folder.parent / "values.yaml"
    return [one for one in yaml.safe_load_all(_rendered(helm, yaml.safe_dump(values), file, again)) if one]


def find(documents: list[dict[str, Any]], kind: str, name: str = "") -> dict[str, Any]:
    """The one document of that kind (and name)."""
    [found] = [one for one in documents if one["kind"] == kind and name in ("", one["metadata"]["name"])]
    return found


def test_lint_finds_nothing(renderer: Helm, tmp_path: Path, values: Values) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    assert "0 chart(s) failed" in renderer.run("lint", "--strict", CHART, f"--values={file}")


def test_the_api_server_takes_it(cluster: Cluster, renderer: Helm, tmp_path: Path, values: Values) -> None:
    for name in (SYSTEM, "team-a", "team-b"):
        studio(cluster, name)
    documents = render(renderer, tmp_path, values)
    # No kind of the Prometheus operator is known here.
    known = [one for one in documents if one["apiVersion"] != MONITORING]
    text = yaml.safe_dump_all(known)
    said = cluster.kubectl(
        "apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename=-", input=text
    )
    assert said.count("serverside-applied") == len(known)


def test_two_renderings_are_alike(renderer: Helm, tmp_path: Path, values: Values) -> None:
    assert render(renderer, tmp_path, values) == render(renderer, tmp_path, values, again=1)


def test_every_object_has_the_labels_that_people_expect(
    renderer: Helm, tmp_path: Path, values: Values
) -> None:
    for document in render(renderer, tmp_path, values):
        labels = document["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == RELEASE
        assert labels["app.kubernetes.io/part-of"] == "lsbackends"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["app.kubernetes.io/version"] == release()
        assert labels["helm.sh/chart"] == f"lsbackends-{release()}"
        assert document["metadata"].get("namespace") or document["kind"] in CLUSTER_WIDE


def test_the_definitions_are_those_of_the_contract(renderer: Helm, tmp_path: Path) -> None:
    documents = render(renderer, tmp_path, {})
    for file in (CHART.parents[1] / "crds").glob("*.yaml"):
        ours = yaml.safe_load(file.read_text())
        theirs = find(documents, "CustomResourceDefinition", ours["metadata"]["name"])
        assert theirs["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
        del theirs["metadata"]["labels"]
        assert theirs == ours


def test_definitions_that_go_are_not_marked_to_be_kept(renderer: Helm, tmp_path: Path) -> None:
    for document in render(renderer, tmp_path, SETS["definitions that go"]):
        assert "helm.sh/resource-policy" not in document["metadata"].get("annotations", {})


def test_the_operator_gets_the_rights_of_one_file_and_no_others(renderer: Helm, tmp_path: Path) -> None:
    documents = render(renderer, tmp_path, {})
    source = [one for one in yaml.safe_load_all(RIGHTS.read_text()) if "rules" in one]
    for role in source:
        name = role["metadata"]["name"]
        if name != "lsbackends-uninstall":
            wanted = name if role["kind"] == "ClusterRole" else f"{name}-lease"
            assert find(documents, role["kind"], wanted)["rules"] == role["rules"]
    assert _bound(documents, OPERATOR) == [("ClusterRole", OPERATOR), ("Role", f"{OPERATOR}-lease")]


def test_a_namespaced_operator_has_rights_in_its_namespaces_alone(renderer: Helm, tmp_path: Path) -> None:
    documents = render(renderer, tmp_path, TEAMS)
    assert not [one["kind"] for one in documents if one["kind"] in CLUSTER_WIDE]
    places = [
        (one["metadata"]["namespace"], one["rules"] == rules()["operator"])
        for one in documents
        if one["kind"] == "Role" and one["metadata"]["name"] == OPERATOR
    ]
    assert places == [("team-a", True), ("team-b", True)]
    arguments = find(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert [one for one in arguments if one.startswith("--namespace")] == [
        "--namespace=team-a",
        "--namespace=team-b",
    ]


def test_only_pods_that_ask_the_api_get_a_token(renderer: Helm, tmp_path: Path) -> None:
    documents = render(renderer, tmp_path, {})
    accounts = [one for one in documents if one["kind"] == "ServiceAccount"]
    assert [one["automountServiceAccountToken"] for one in accounts] == [False, False]


def test_the_selector_is_what_it_always_was(renderer: Helm, tmp_path: Path) -> None:
    """It cannot be changed: an upgrade would fail."""
    labels = {
        "app.kubernetes.io/name": "lsbackends",
        "app.kubernetes.io/instance": RELEASE,
        "app.kubernetes.io/component": "operator",
    }
    documents = render(renderer, tmp_path, {})
    assert find(documents, "Deployment")["spec"]["selector"] == {"matchLabels": labels}
    assert find(documents, "Service")["spec"]["selector"] == labels


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
@pytest.mark.parametrize("platform", [False, True], ids=["users of ours", "users of the platform"])
def test_its_pods_run_where_security_is_restricted_and_resources_are_counted(
    cluster: Cluster, renderer: Helm, tmp_path: Path, kind: str, platform: bool
) -> None:
    guarded = studio(cluster, f"guarded-{kind.lower()}-{str(platform).lower()}")
    guarded.kubectl(
        "label", "namespace", guarded.name, "pod-security.kubernetes.io/enforce=restricted", "--overwrite"
    )
    quota = "--hard=pods=5,requests.cpu=2,requests.memory=4Gi,limits.memory=4Gi"
    guarded.kubectl("create", "quota", "counted", quota)
    values = {"podSecurityContext": {"enabled": not platform}}
    template = find(render(renderer, tmp_path, values), kind)["spec"]["template"]
    account = template["spec"]["serviceAccountName"]
    guarded.kubectl("create", "serviceaccount", account)
    pod = {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {"name": "operator"}}
    said = guarded.kubectl("create", "--dry-run=server", "--filename=-", input=json.dumps(pod))
    assert "created" in said
    [container] = template["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_monitors_point_at_ports_that_exist(renderer: Helm, tmp_path: Path) -> None:
    documents = render(renderer, tmp_path, EVERYTHING)
    service = find(documents, "Service")
    [endpoint] = find(documents, "ServiceMonitor")["spec"]["endpoints"]
    assert endpoint == {"port": service["spec"]["ports"][0]["name"], "path": "/metrics", "interval": "30s"}
    selector = find(documents, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert selector.items() <= service["metadata"]["labels"].items()
    [container] = find(documents, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert service["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]
    assert f"--port={container['ports'][0]['containerPort']}" in container["args"]
    assert find(documents, "PodMonitor")["spec"]["namespaceSelector"] == {"any": True}
    alerts = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())
    assert find(documents, "PrometheusRule")["spec"] == alerts
    dashboard = find(documents, "ConfigMap")
    assert json.loads(dashboard["data"]["lsbackends.json"])["title"] == "lsbackends"
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_image_and_place_are_taken_from_the_values(renderer: Helm, tmp_path: Path) -> None:
    documents = render(renderer, tmp_path, EVERYTHING)
    for kind in ("Deployment", "Job"):
        pod = find(documents, kind)["spec"]["template"]["spec"]
        [container] = pod["containers"]
        assert container["image"] == f"registry.example.org:5000/lsbackends/operator@sha256:{'a' * 64}"
        assert pod["imagePullSecrets"] == [{"name": "mirror"}, {"name": "own"}]
        assert pod["tolerations"] == [{"operator": "Exists"}]
        variables = {one["name"]: one.get("value") for one in container["env"]}
        assert variables["SWITCH"] == "true"
        assert variables["NUMBER"] == "1"
    plain = find(render(renderer, tmp_path, {}), "Deployment")
    [container] = plain["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"ghcr.io/lsbackends/operator:{release()}"


def test_one_operator_has_no_budget_that_would_hold_up_a_drain(renderer: Helm, tmp_path: Path) -> None:
    kinds = [one["kind"] for one in render(renderer, tmp_path, {})]
    assert "PodDisruptionBudget" not in kinds
    assert find(render(renderer, tmp_path, EVERYTHING), "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_roles_for_people_are_part_of_those_of_kubernetes(renderer: Helm, tmp_path: Path) -> None:
    documents = render(renderer, tmp_path, {})
    for role in ("view", "edit", "admin"):
        labels = find(documents, "ClusterRole", f"lsbackends-{role}")["metadata"]["labels"]
        assert labels[f"rbac.authorization.k8s.io/aggregate-to-{role}"] == "true"
    alone = find(render(renderer, tmp_path, SETS["rights of others"]), "ClusterRole", "lsbackends-edit")
    assert not any("aggregate" in label for label in alone["metadata"]["labels"])


def _bound(documents: list[dict[str, Any]], account: str) -> list[tuple[str, str]]:
    return sorted(
        (one["roleRef"]["kind"], one["roleRef"]["name"])
        for one in documents
        if one["kind"].endswith("RoleBinding") and one["subjects"][0]["name"] == account
    )
