"""What a policy of the cluster forbids costs what it is about, and nothing else."""

import json
from typing import Any

from cluster import KubectlError
from operating import Running, Studio, eventually

from lsb_operator.marks import FINALIZER

TRAINING = {
    "apiVersion": "lsbackends.dev/v1alpha1",
    "kind": "LabelStudioTraining",
    "metadata": {"name": "asked"},
    "spec": {"backend": "cats"},
}


def test_a_training_that_cannot_be_written_holds_up_neither_status_nor_deletion(
    studio: Studio, operator: Running
) -> None:
    for body in _forbidding("labelstudiotrainings/status", studio.name):
        studio.cluster.kubectl("apply", "--filename=-", input=json.dumps(body))
    # Until the API server has heard of it.
    probe = {"status": {"message": "probe"}}
    studio.kubectl("create", "--filename=-", input=json.dumps(TRAINING))
    eventually(lambda: _refused(studio, probe), "the policy holds")
    studio.apply()
    eventually(lambda: studio.status().get("observedGeneration") == 1, "the backend is reported")
    studio.patch("lsb", "cats", {"metadata": {"finalizers": [FINALIZER]}}, "--type=merge")
    studio.kubectl("delete", "lsb", "cats", "--wait=false")
    eventually(lambda: studio.names("Job"), "it is taken out of its projects")
    assert "unregister" in studio.names("Job")[0]
    studio.cluster.kubectl(
        "delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", studio.name
    )


def _forbidding(resource: str, namespace: str) -> list[dict[str, Any]]:
    """A policy, named after the namespace, by which nobody changes a resource there."""
    group = "admissionregistration.k8s.io/v1"
    rule = {
        "apiGroups": ["lsbackends.dev"],
        "apiVersions": ["*"],
        "operations": ["UPDATE"],
        "resources": [resource],
    }
    where = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    matched = {"resourceRules": [rule], "namespaceSelector": where}
    policy = {"matchConstraints": matched, "validations": [{"expression": "false", "message": "not here"}]}
    binding = {"policyName": namespace, "validationActions": ["Deny"]}
    return [
        {"apiVersion": group, "kind": kind, "metadata": {"name": namespace}, "spec": spec}
        for kind, spec in (
            ("ValidatingAdmissionPolicy", policy),
            ("ValidatingAdmissionPolicyBinding", binding),
        )
    ]


def _refused(studio: Studio, status: dict[str, Any]) -> bool:
    try:
        studio.patch("lstraining", "asked", status, "--type=merge", "--subresource=status")
    except KubectlError:
        return True
    return False
