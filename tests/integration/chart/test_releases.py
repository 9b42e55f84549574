"""A release from its installation to its end, as Helm leads it before a real API server."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chart.installing import (
    DEFINITIONS,
    OLDER,
    OPERATOR,
    RELEASE,
    SYSTEM,
    allowed,
    established,
    fresh,
    install,
    names,
    uninstall,
)
from chart.made import CHART
from cluster import Cluster, KubectlError
from cluster.progress import Progress
from helm import Helm, HelmError, find_helm
from kubelet import finish
from operating import Running, Studio, eventually

from lsb_crds.release import release
from lsb_operator.marks import FINALIZER

EXAMPLE = Path(__file__).parents[3] / "examples" / "namespaced" / "values.yaml"
SPEC: dict[str, Any] = {"labelStudio": {"url": "http://label-studio:8080", "projects": [1]}}


@pytest.fixture
def cats(cluster: Cluster, helm: Helm) -> Studio:
    """A namespace for a backend; what is in it goes with the definitions."""
    return fresh(cluster, "studio")


def test_what_to_do_next_is_printed_and_works(cluster: Cluster, helm: Helm) -> None:
    said = install(helm)
    assert f"kubectl -n {SYSTEM} rollout status deployment/{OPERATOR}" in said
    assert OPERATOR in names(cluster, ["deployments", "--all-namespaces"][0]) or _operator(cluster)
    manifest = said.partition("<<EOF\n")[2].partition("   EOF")[0]
    established(cluster)
    fresh(cluster, "studio").kubectl("apply", "--dry-run=server", "--filename=-", input=_dedented(manifest))


def test_an_upgrade_reaches_the_definitions_and_leaves_backends_alone(
    cluster: Cluster, helm: Helm, older: Path, cats: Studio
) -> None:
    install(helm, chart=older)
    established(cluster)
    assert _operator(cluster)["image"].endswith(f":{OLDER}")
    cats.apply(**SPEC)
    before = cats.get("LabelStudioBackend", "cats")
    with pytest.raises(KubectlError, match="prelabel"):
        _set_rate(cats)
    install(helm)
    assert _operator(cluster)["image"].endswith(f":{release()}")
    eventually(lambda: _accepts(cats), "the API server knows the new field")
    after = cats.get("LabelStudioBackend", "cats")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["labelStudio"] == before["spec"]["labelStudio"]
    helm.run("rollback", RELEASE, "1", f"--namespace={SYSTEM}")
    assert _operator(cluster)["image"].endswith(f":{OLDER}")
    assert cats.get("LabelStudioBackend", "cats")["metadata"]["uid"] == before["metadata"]["uid"]


def test_an_upgrade_that_changes_nothing_rolls_nothing(cluster: Cluster, helm: Helm) -> None:
    install(helm)
    before = _deployment(cluster)["metadata"]["generation"]
    install(helm)
    assert _deployment(cluster)["metadata"]["generation"] == before


def test_backends_survive_an_uninstall_and_none_is_left_hanging(
    cluster: Cluster,
    helm: Helm,
    cats: Studio,
    start: Callable[..., Running],
    start_operator: Callable[[], Running],
) -> None:
    install(helm)
    established(cluster)
    operator = start_operator()
    eventually(operator.leads, "the operator becomes active")
    cats.apply(**SPEC)
    eventually(lambda: cats.get("Deployment", "cats"), "the backend is looked after")
    _hold(cats, "cats", "example.org/theirs")
    going = uninstall(helm)
    last = _last_job(cluster, start)
    eventually(lambda: _deployment(cluster)["spec"]["replicas"] == 0, "the operator is told to end")
    # It is active still, and would put the finalizer back.
    assert _finalizers(cats) == [FINALIZER, "example.org/theirs"]
    assert operator.stop() == 0
    assert last.process.wait(60) == 0, last.log.read_text()
    assert _finalizers(cats) == ["example.org/theirs"]
    finish(Studio(cluster, SYSTEM, cats.api), "uninstall", {})
    going.wait()
    assert set(DEFINITIONS) <= set(names(cluster, "crds"))
    assert cats.get("Deployment", "cats"), "what serves goes on"
    _nothing_is_left(cluster)
    cats.patch("lsb", "cats", {"metadata": {"finalizers": None}}, "--type=merge")
    cats.kubectl("delete", "lsb", "cats", "--timeout=60s")


def test_definitions_go_with_the_release_where_that_is_wanted(
    cluster: Cluster, helm: Helm, cats: Studio, start: Callable[..., Running]
) -> None:
    install(helm, "--set=crds.keep=false")
    established(cluster)
    cats.apply(**SPEC)
    _hold(cats, "cats")
    going = uninstall(helm)
    last = _last_job(cluster, start)
    assert last.process.wait(60) == 0, last.log.read_text()
    finish(Studio(cluster, SYSTEM, cats.api), "uninstall", {})
    going.wait()
    # With the finalizer they would be there for ever.
    eventually(lambda: not set(DEFINITIONS) & set(names(cluster, "crds")), "the definitions are gone")
    _nothing_is_left(cluster)


def test_it_is_installed_again_over_definitions_that_were_kept(
    cluster: Cluster, helm: Helm, cats: Studio
) -> None:
    install(helm)
    established(cluster)
    cats.apply(**SPEC)
    helm.run("uninstall", RELEASE, f"--namespace={SYSTEM}", "--no-hooks")
    install(helm)
    assert cats.get("LabelStudioBackend", "cats")


def test_a_second_operator_for_all_namespaces_is_refused(cluster: Cluster, helm: Helm) -> None:
    install(helm)
    with pytest.raises(HelmError) as caught:
        install(helm, namespace="elsewhere")
    assert (
        'an operator of lsbackends serves all namespaces of this cluster already: release "lsbackends" in '
        'namespace "lsbackends". Upgrade or uninstall that one'
    ) in str(caught.value)


def test_one_for_all_namespaces_is_refused_beside_one_of_a_team(cluster: Cluster, helm: Helm) -> None:
    team = ("--set=scope=Namespaced,crds.install=false,clusterRoles.create=false",)
    name = fresh(cluster, "team").name
    install(helm, *team, namespace=name)
    with pytest.raises(HelmError, match=rf'serves namespace "{name}" already.*scope=Namespaced'):
        install(helm)


def test_two_operators_for_one_namespace_are_refused(cluster: Cluster, helm: Helm) -> None:
    team = fresh(cluster, "team").name
    shared = f"scope=Namespaced,namespaces={{{team}}},crds.install=false,clusterRoles.create=false"
    install(helm, f"--set={shared}", namespace="first")
    with pytest.raises(HelmError, match=f'Role "lsbackends-operator" in namespace "{team}" exists'):
        install(helm, f"--set={shared}", namespace="second")


def test_teams_share_what_an_administrator_installed(cluster: Cluster, helm: Helm) -> None:
    where = ("--namespace=shared", "--create-namespace")
    helm.run("install", "lsbackends-shared", CHART, *where, "--set=operator.enabled=false")
    for team in (fresh(cluster, "team-a").name, fresh(cluster, "team-b").name):
        options = "--set=scope=Namespaced,crds.install=false,clusterRoles.create=false"
        assert f"serves namespace {team}." in install(helm, options, namespace=team)
    assert names(cluster, "clusterroles").count("lsbackends-serve") == 1


def test_whoever_may_administer_a_namespace_can_install_an_operator_in_it(
    cluster: Cluster, helm: Helm, tmp_path: Path
) -> None:
    helm.run("install", "lsbackends-shared", CHART, "--namespace=kube-system", "--set=operator.enabled=false")
    team = fresh(cluster, "team")
    team.kubectl("create", "serviceaccount", "lead")
    account = f"{team.name}:lead"
    team.kubectl("create", "rolebinding", "lead", "--clusterrole=admin", f"--serviceaccount={account}")
    status = "labelstudiobackends.lsbackends.dev"
    eventually(lambda: allowed(cluster, account, "create", status, team.name), "the role is made up of all")
    lead = Helm(
        find_helm(Progress()), tmp_path / "lead", cluster.service_account_kubeconfig(team.name, "lead")
    )
    options = (f"--namespace={team.name}", f"--values={EXAMPLE}", f"--set=namespaces={{{team.name}}}")
    said = lead.run("install", RELEASE, CHART, *options)
    assert f"serves namespace {team.name}." in said


def _operator(cluster: Cluster) -> dict[str, Any]:
    [container] = _deployment(cluster)["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = container
    return found


def _deployment(cluster: Cluster) -> dict[str, Any]:
    text = cluster.kubectl("get", "deployment", OPERATOR, f"-n{SYSTEM}", "--output=json")
    found: dict[str, Any] = json.loads(text)
    return found


def _last_job(cluster: Cluster, start: Callable[..., Running]) -> Running:
    """Run what the release does before its end, as its pod would."""
    eventually(lambda: "lsbackends-uninstall" in _system(cluster, "jobs"), "the last Job is made")
    return start("job", "lsbackends-uninstall")


def _system(cluster: Cluster, kind: str) -> list[str]:
    return cluster.kubectl("get", kind, f"-n{SYSTEM}", "--output=jsonpath={.items[*].metadata.name}").split()


def _nothing_is_left(cluster: Cluster) -> None:
    """But for what every namespace has, and the Lease, which says that nobody holds it."""
    for kind in ("deployments", "services", "roles", "rolebindings", "jobs", "secrets"):
        eventually(lambda kind=kind: not _system(cluster, kind), f"no {kind} are left")
    assert _system(cluster, "serviceaccounts") == ["default"]
    for kind in ("clusterroles", "clusterrolebindings"):
        assert not [one for one in names(cluster, kind) if "lsbackends" in one]


def _hold(cats: Studio, name: str, *others: str) -> None:
    """As the operator does once the backend is registered."""
    finalizers = {"metadata": {"finalizers": [FINALIZER, *others]}}
    cats.patch("lsb", name, finalizers, "--type=merge")


def _finalizers(cats: Studio) -> list[str]:
    found: list[str] = cats.get("LabelStudioBackend", "cats")["metadata"].get("finalizers", [])
    return found


def _set_rate(cats: Studio) -> None:
    spec = {**SPEC, "prelabel": {"rate": 2}}
    manifest = {
        "apiVersion": "lsbackends.dev/v1alpha1",
        "kind": "LabelStudioBackend",
        "metadata": {"name": "dogs"},
        "spec": spec,
    }
    cats.kubectl(
        "create", "--dry-run=server", "--validate=strict", "--filename=-", input=json.dumps(manifest)
    )


def _accepts(cats: Studio) -> bool:
    try:
        _set_rate(cats)
    except KubectlError:
        return False
    return True


def _dedented(text: str) -> str:
    return "\n".join(line.removeprefix("   ") for line in text.splitlines())
