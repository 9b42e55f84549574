"""One whole life of a backend: applied, prepared, trained, rolled out, rolled back, deleted."""

import time
from collections.abc import Callable
from typing import Any

from operating import PATHS, Studio
from patience import PATIENCE

from faults.kubelet import BETTER, BROKEN, FIRST
from faults.state import State, state

NAME = "cats"
SPEC: dict[str, Any] = {
    "labelStudio": {
        "url": "http://label-studio:8080",
        # Part of digests, and the default has the namespace's name in it.
        "backendURL": "http://cats.example.org:9090",
        "projects": [1],
    }
}
_PERIOD = 0.2


def live(studio: Studio) -> dict[str, State]:
    """Lead the life in a namespace; what there is at the height of it and after the end, by what it is.

    Whatever the operator suffers meanwhile, this waits for what must come. Raises AssertionError.
    """
    offer_volume(studio)
    studio.apply(NAME, **SPEC)
    serves(studio, FIRST)
    wait_for(lambda: studio.condition("Registered").get("status") == "True", "it is registered")
    ask_for_training(studio, f"{NAME}-after-0")
    serves(studio, BETTER)
    ask_for_training(studio, f"{NAME}-after-1")
    wait_for(lambda: "RolledBack" in _conditions(studio), f"version {BROKEN} is rolled back")
    serves(studio, BETTER)
    wait_for(lambda: _at_rest(studio), "nothing is under way any more")
    height = state(studio)
    studio.kubectl("delete", "lsb", NAME, "--wait=false")
    wait_for(lambda: studio.get("LabelStudioBackend", NAME) is None, "the backend is gone")
    wait_for(lambda: not _owned(studio), "its children and their pods are gone")
    return {"at its height": height, "after its end": state(studio)}


def ask_for_training(studio: Studio, name: str, backend: str = NAME, **spec: Any) -> None:
    """Create a LabelStudioTraining, as a serving pod does."""
    body = {
        "apiVersion": "lsbackends.dev/v1alpha1",
        "kind": "LabelStudioTraining",
        "metadata": {"name": name},
        "spec": {"backend": backend, "reason": "Annotations", **spec},
    }
    studio.api.create(studio.path("LabelStudioTraining"), body)


def wait_for(condition: Callable[[], Any], what: str) -> None:
    """Wait for what nobody announces. Raises AssertionError after PATIENCE seconds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        # Several lives are led side by side, and the API server has other things to do.
        time.sleep(_PERIOD)


def serves(studio: Studio, version: str, name: str = NAME) -> None:
    """Wait until all pods of a backend serve a version, and its status says so."""

    def done() -> bool:
        model = studio.status(name).get("model") or {}
        ready = studio.condition("Ready", name).get("status") == "True"
        return ready and (model.get("version"), model.get("target")) == (version, version)

    wait_for(done, f"version {version} is served")


def _conditions(studio: Studio) -> list[str]:
    return [one["type"] for one in studio.status(NAME).get("conditions") or []]


def _at_rest(studio: Studio) -> bool:
    """Whether all trainings have ended, and their Jobs may go."""
    trainings = studio.api.get(studio.path("LabelStudioTraining"))["items"]
    jobs = studio.api.get(studio.path("Job"))["items"]
    kept = [one for one in jobs if "-train" in one["metadata"]["name"]]
    pods = studio.api.get(studio.path("Pod"))["items"]
    return (
        all((one.get("status") or {}).get("finishedAt") for one in trainings)
        and all(one["spec"].get("ttlSecondsAfterFinished") for one in kept)
        and not any("deletionTimestamp" in one["metadata"] for one in pods)
        and len(studio.status(NAME).get("lastTrainings") or []) == len(trainings)
    )


def _owned(studio: Studio) -> list[str]:
    """Objects that wait for the garbage collector."""
    return [
        one["metadata"]["name"]
        for kind in PATHS
        for one in studio.api.get(studio.path(kind))["items"]
        if one["metadata"].get("ownerReferences") and "-unregister-" not in one["metadata"]["name"]
    ]


def offer_volume(studio: Studio, claim: str = f"{NAME}-weights") -> None:
    """A stand-in for a provisioner: a volume for the claim that will be made."""
    studio.api.create(
        "/api/v1/persistentvolumes",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{studio.name}-{claim}"},
            "spec": {
                "capacity": {"storage": "1000Gi"},
                "accessModes": ["ReadWriteOnce"],
                "hostPath": {"path": "/nowhere"},
                "claimRef": {"namespace": studio.name, "name": claim},
            },
        },
    )
