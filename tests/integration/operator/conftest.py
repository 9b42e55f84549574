"""The operator as a process with the rights of its own ServiceAccount, before a real API server."""

import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from cluster import Cluster
from cluster.api import Api
from operating import ACCOUNT, RBAC, SYSTEM, Running, Studio, eventually


@pytest.fixture(scope="session")
def account(cluster: Cluster) -> Path:
    """A kubeconfig with the operator's rights and no others."""
    cluster.kubectl("apply", f"--filename={RBAC}")
    return cluster.service_account_kubeconfig(SYSTEM, ACCOUNT)


@pytest.fixture
def studio(cluster: Cluster, namespace: str) -> Studio:
    """The namespace of this test."""
    return Studio(cluster, namespace, Api(cluster.kubeconfig))


@pytest.fixture
def start_operator(
    cluster: Cluster, account: Path, namespace: str, tmp_path: Path
) -> Iterator[Callable[..., Running]]:
    """Start an operator for this test's namespace alone, with a Lease in it."""
    _lend_lease(cluster, namespace)
    started: list[Running] = []

    # A minute: on a crowded machine one that has to renew every second is late.
    def start(lease: int = 60) -> Running:
        log = tmp_path / f"operator-{len(started)}.log"
        command = [sys.executable, "-m", "lsb_cli", "operator", f"--namespace={namespace}"]
        command += [f"--lease-namespace={namespace}", "--port=0", f"--lease-duration={lease}"]
        environment = os.environ | {"KUBECONFIG": str(account)}
        with log.open("w") as file:
            process = subprocess.Popen(command, stderr=file, stdout=file, env=environment, text=True)
        started.append(Running(process, log))
        return started[-1].wait()

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def operator(start_operator: Callable[[], Running]) -> Running:
    """An operator that is active."""
    running = start_operator()
    eventually(running.leads, "the operator becomes active")
    return running


@pytest.fixture
async def address(said: dict[str, Any]) -> AsyncIterator[str]:
    """Where a stand-in for the program in a serving pod tells `said`: a loopback address of its own."""
    host = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"

    async def status(_: web.Request) -> web.Response:
        return web.json_response(said)

    app = web.Application()
    app.router.add_get("/status", status)
    async with TestServer(app, host=host, port=9091):
        yield host


def _lend_lease(cluster: Cluster, namespace: str) -> None:
    """The Role for the Lease, in a namespace of its own: tests do not wait for one another's."""
    documents = [
        one for one in yaml.safe_load_all(RBAC.read_text()) if one["kind"] in ("Role", "RoleBinding")
    ]
    for document in documents:
        document["metadata"]["namespace"] = namespace
    text = yaml.safe_dump_all(documents)
    cluster.kubectl("apply", "--filename=-", input=text)
