"""The training that a person asks for. Pure."""

from typing import Any

from lsb_crds.contract import API_VERSION
from lsb_operator.names import BACKEND

Manifest = dict[str, Any]


def training(backend: Manifest, epochs: int | None, force: bool) -> Manifest:
    """A LabelStudioTraining that goes with its live backend; the API server completes its name."""
    about = backend["metadata"]
    owner = {
        "apiVersion": API_VERSION,
        "kind": backend["kind"],
        "name": about["name"],
        "uid": about["uid"],
        "controller": True,
    }
    asked: Manifest = {"backend": about["name"], "reason": "Manual"}
    asked |= {"epochs": epochs} if epochs is not None else {}
    asked |= {"force": True} if force else {}
    return {
        "apiVersion": API_VERSION,
        "kind": "LabelStudioTraining",
        "metadata": {
            # Of 52 characters a backend's name may take 40, and the completion takes five.
            "generateName": f"{about['name']}-asked-",
            "namespace": about["namespace"],
            "labels": {BACKEND: about["name"]},
            "ownerReferences": [owner],
        },
        "spec": asked,
    }
