"""One life led under some treatment, in a namespace of its own, with an operator of its own."""

import itertools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml
from cluster import Cluster
from cluster.api import Api
from operating import RBAC, Studio

from faults.keeper import Keeper
from faults.life import live
from faults.network import Network, Treatment
from faults.state import State, differences, jobs_made

Choose = Callable[[Keeper], Treatment]


@dataclass(frozen=True)
class Outcome:
    """How a life went: its states, the calls of the operator, how often each Job was made."""

    states: dict[str, State]
    calls: list[str]
    jobs: dict[str, int]
    starts: int
    said: list[str]
    """Lines of its log."""
    failure: str | None = None

    def complaints(self, ordinary: "Outcome") -> list[str]:
        """In what it differs from an ordinary life, a line each."""
        if self.failure is not None:
            return [self.failure]
        twice = [f"{name} was made {count} times" for name, count in self.jobs.items() if count != 1]
        return twice + differences(ordinary.states, self.states)


class Laboratory:
    """Leads lives in one cluster, in several threads at once; `account` is the operator's kubeconfig."""

    def __init__(self, cluster: Cluster, account: Path) -> None:
        self.cluster, self.account = cluster, account
        self._numbers = itertools.count()

    def studio(self) -> Studio:
        """A new namespace, with the operator's right to a Lease in it."""
        name = f"life-{next(self._numbers)}"
        self.cluster.kubectl("create", "namespace", name)
        lend_lease(self.cluster, name)
        return Studio(self.cluster, name, Api(self.cluster.kubeconfig))

    def lead(self, choose: Choose) -> Outcome:
        """Lead a life under the treatment that is chosen for its operator."""
        studio = self.studio()
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            network = Network(self.account, folder)
            keeper = Keeper(studio, network.kubeconfig, folder / "log")
            network.treat = choose(keeper)
            states, failure = {}, None
            with network, keeper:
                try:
                    states = live(studio)
                except AssertionError as error:
                    failure = "\n".join([str(error), str(studio.status()), *keeper.said()[-20:]])
            said = keeper.said()
            return Outcome(states, network.calls, jobs_made(studio), keeper.starts, said, failure)


def lend_lease(cluster: Cluster, namespace: str) -> None:
    """The operator's Role for its Lease, in another namespace than its own."""
    documents = [
        one for one in yaml.safe_load_all(RBAC.read_text()) if one["kind"] in ("Role", "RoleBinding")
    ]
    for document in documents:
        document["metadata"]["namespace"] = namespace
    cluster.kubectl("apply", "--filename=-", input=yaml.safe_dump_all(documents))
