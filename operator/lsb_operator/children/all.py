"""All children of a backend, in the order in which they are applied."""

from collections.abc import Callable
from functools import partial

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolve import resolve
from lsb_crds.resolved import Resolved
from lsb_operator.children.config import config
from lsb_operator.children.deployment import deployment
from lsb_operator.children.disruption_budget import disruption_budget
from lsb_operator.children.ingress import ingress
from lsb_operator.children.model import model
from lsb_operator.children.network_policy import job_policy, redis_policy, serve_policy
from lsb_operator.children.redis import redis_claim, redis_deployment, redis_service
from lsb_operator.children.release import chosen_release
from lsb_operator.children.role_binding import serve_binding, train_binding
from lsb_operator.children.service import service
from lsb_operator.children.service_account import serve_account, train_account
from lsb_operator.children.weights import weights
from lsb_operator.facts import Facts, Manifest

Builder = Callable[[LabelStudioBackend, Resolved, Facts], Manifest | None]


def children(backend: LabelStudioBackend, facts: Facts, release: str | None = None) -> list[Manifest]:
    """Every object that is to exist for the backend, to be applied on the server's side.

    `facts.target` is the version that shall be served. Secrets are not among them, since they are created and
    never applied (see secrets.py), nor are Jobs. `release` is that of this operator; None: the installed one.
    """
    chosen = chosen_release(backend, facts, release)
    resolved = resolve(backend, chosen)
    built = (builder(backend, resolved, facts) for builder in _builders(chosen))
    return [manifest for manifest in built if manifest is not None]


def _builders(release: str) -> tuple[Builder, ...]:
    # What a pod needs stands before it, what points to it behind it.
    return (
        serve_account,
        train_account,
        serve_binding,
        train_binding,
        config,
        model,
        weights,
        serve_policy,
        job_policy,
        redis_policy,
        redis_claim,
        redis_service,
        redis_deployment,
        disruption_budget,
        partial(deployment, release=release),
        service,
        ingress,
    )
