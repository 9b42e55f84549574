"""One client for the many requests here, and the table of good and bad manifests, a test for each row."""

from collections.abc import Iterator
from typing import Any

import pytest
from cluster import Cluster
from cluster.api import Api, RefusedError
from manifest_table import Row, table


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `row` once for each row, one that takes `good_row` for the good ones."""
    for fixture, rows in (("row", table()), ("good_row", [row for row in table() if not row.path])):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, rows, ids=[row.name for row in rows])


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> Api:
    return Api(cluster.kubeconfig)


@pytest.fixture(scope="session")
def shared_namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace for what is gone again at the end of each test."""
    cluster.kubectl("create", "namespace", "resources")
    yield "resources"
    cluster.kubectl("delete", "namespace", "resources", "--wait=false")


class Server:
    """The API server as a judge of rows: nothing of them stays."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api, self._namespace = api, namespace

    def stored(self, row: Row) -> dict[str, Any]:
        """The manifest as the server would keep it, its status too. Raises RefusedError."""
        collection = f"/apis/lsbackends.dev/v1alpha1/namespaces/{self._namespace}/labelstudio{row.kind}s"
        manifest = {**row.manifest, "metadata": {**row.manifest["metadata"], "namespace": self._namespace}}
        how = {"dryRun": "All", "fieldValidation": "Strict"}
        if row.old is None and "status" not in manifest:
            return self._api.create(collection, manifest, **how)
        old = self._api.create(collection, row.old or manifest)
        name = f"{collection}/{old['metadata']['name']}"
        manifest["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        try:
            return self._api.replace(name + "/status" * ("status" in manifest), manifest, **how)
        finally:
            self._api.delete(name)

    def problems(self, row: Row) -> list[tuple[str, str]]:
        """Field and message of each problem that the server has with a row."""
        try:
            self.stored(row)
        except RefusedError as error:
            return error.causes or [("", str(error))]
        return []


@pytest.fixture(scope="session")
def server(api: Api, shared_namespace: str) -> Server:
    return Server(api, shared_namespace)
