"""Values that cannot be meant are refused, with the place where they stand."""

import pytest
from chart.installing import RELEASE, SYSTEM
from chart.made import CHART
from helm import Helm, HelmError

WRONG = [
    ("replicas=two", "/replicas"),
    ("replicas=-1", "/replicas"),
    ("workers=0", "/workers"),
    ("scope=Everywhere", "/scope"),
    ("namespaces=team-a", "/namespaces"),
    ("namespaces={team-a}", "/namespaces"),
    ("scope=Namespaced,namespaces={team-*}", "/namespaces/0"),
    ("scope=Namespaced,namespaces={a,a}", "/namespaces"),
    ("image.tag=a b", "/image/tag"),
    ("image.digest=cafe", "/image/digest"),
    ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
    ("imagePullSecrets[0].name=mirror", "/imagePullSecrets/0"),
    ("crds.install=maybe", "/crds/install"),
    ("serviceAccount.create=false", "/serviceAccount/name"),
    ("operator.enabled=false,crds.install=false,clusterRoles.create=false", "/clusterRoles/create"),
    ("resources.limits.memory=true", "/resources/limits/memory"),
    ("resource.limits.memory=1Gi", "resource"),
    ("metrics.serviceMonitor.enabled=true,metrics.service.enabled=false", "/metrics/service/enabled"),
    ("metrics.serviceMonitor.interval=often", "/metrics/serviceMonitor/interval"),
    ("podSecurityContext.runAsUser=0", "/podSecurityContext/runAsUser"),
    ("commonLabels.app\\.kubernetes\\.io/name=mine", "/commonLabels/app.kubernetes.io~1name"),
    ("extraEnvironmentVars.LSB_LOG_LEVEL=DEBUG", "/extraEnvironmentVars/LSB_LOG_LEVEL"),
    ("extraEnvironmentSecrets.PASSWORD.secretName=proxy", "/extraEnvironmentSecrets/PASSWORD"),
    ("networkPolicy.apiServerPorts={https}", "/networkPolicy/apiServerPorts/0"),
    ("logLevel=LOUD", "/logLevel"),
    ("leaseDuration=0", "/leaseDuration"),
]


@pytest.mark.parametrize(("values", "path"), WRONG, ids=[values for values, _ in WRONG])
def test_a_wrong_value_is_refused_where_it_stands(renderer: Helm, values: str, path: str) -> None:
    with pytest.raises(HelmError) as caught:
        renderer.run("template", RELEASE, CHART, f"--namespace={SYSTEM}", f"--set={values}")
    said = str(caught.value)
    assert "values don't meet the specifications of the schema" in said
    assert f"'{path}'" in said


def test_a_cluster_that_is_too_old_is_refused_before_anything_is_made(renderer: Helm) -> None:
    options = (f"--namespace={SYSTEM}", "--kube-version=1.30.4")
    with pytest.raises(HelmError, match=r"requires kubeVersion: >=1\.31\.0-0 .* v1\.30\.4"):
        renderer.run("template", RELEASE, CHART, *options)


@pytest.mark.parametrize("version", ["1.31.0", "1.31.4-gke.1256000", "1.33.1+k3s1"])
def test_a_cluster_of_a_provider_is_accepted(renderer: Helm, version: str) -> None:
    options = (f"--namespace={SYSTEM}", f"--kube-version={version}")
    assert "kind: Deployment" in renderer.run("template", RELEASE, CHART, *options)
