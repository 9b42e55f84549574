"""`python -m cluster.keeper KUBECONFIG FOLDER GPUS`: what a cloud would do for the node, every second.

It makes and deletes the volumes of claims, and advertises stand-in GPUs.
"""

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cluster import folder_volumes
from cluster.api import Api, RefusedError
from cluster.certificates import NODE
from cluster.extended_resources import advertise

_SECONDS = 1.0
_VOLUMES = "/api/v1/persistentvolumes"


class Keeper:
    """One node's keeper; each of its steps may be done again at any time."""

    def __init__(self, api: Api, folder: Path, gpus: int) -> None:
        self._api, self._folder, self._gpus = api, folder, gpus

    def keep(self) -> None:
        """Look once, and do what is missing. Raises RefusedError."""
        claims = self._api.get("/api/v1/persistentvolumeclaims")["items"]
        classes = self._api.get("/apis/storage.k8s.io/v1/storageclasses")["items"]
        for volume in folder_volumes.wanted(claims, classes, self._folder):
            # The kubelet mounts a folder that is there, and makes none.
            Path(volume["spec"]["local"]["path"]).mkdir(parents=True, exist_ok=True)
            with _unless_somebody_was_first():
                self._api.create(_VOLUMES, volume)
        volumes = self._api.get(_VOLUMES)["items"]
        for claim, volume in folder_volumes.grown(claims, volumes):
            self._grow(claim, volume)
        for volume in folder_volumes.released(volumes):
            shutil.rmtree(volume["spec"]["local"]["path"], ignore_errors=True)
            with _unless_somebody_was_first():
                self._api.delete(f"{_VOLUMES}/{volume['metadata']['name']}")
        advertise(self._api, NODE, self._gpus)

    def _grow(self, claim: dict[str, Any], volume: dict[str, Any]) -> None:
        size = {"storage": claim["spec"]["resources"]["requests"]["storage"]}
        meta = claim["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/persistentvolumeclaims/{meta['name']}/status"
        with _unless_somebody_was_first():
            self._api.patch(f"{_VOLUMES}/{volume['metadata']['name']}", {"spec": {"capacity": size}})
            self._api.patch(path, {"status": {"capacity": size}})


@contextlib.contextmanager
def _unless_somebody_was_first() -> Iterator[None]:
    try:
        yield
    except RefusedError as refused:
        if refused.code not in (404, 409):
            raise


def main() -> None:
    """Keep until killed; a server that does not answer is asked again."""
    kubeconfig, folder, gpus = sys.argv[1:]
    keeper = Keeper(Api(Path(kubeconfig)), Path(folder), int(gpus))
    while True:
        try:
            keeper.keep()
        except Exception as error:
            print(f"{type(error).__name__}: {error}", flush=True)
        time.sleep(_SECONDS)


if __name__ == "__main__":
    main()
