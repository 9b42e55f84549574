"""What the operator of a cluster decided about versions, written into the store that it cannot reach."""

import logging

from lsb_backend.store.promotion import Verdict
from lsb_backend.store.store import Store, sequence_of
from lsb_crds.decisions import Decisions
from lsb_crds.errors import UserError

log = logging.getLogger(__name__)
_REASON = "decided in the cluster"


def record(store: Store, decisions: Decisions) -> None:
    """Write down what the store does not know yet; done twice, or late, it changes nothing more.

    Versions that are not in the store are passed over, and what contradicts it is said in the log. Raises
    UserError for a store that cannot be read.
    """
    if decisions.promoted is not None:
        _promote(store, decisions.promoted, decisions.rolled_back)
    for version in decisions.rolled_back:
        if _is_in(store, version) and not store.promotion().has(version, Verdict.ROLLED_BACK):
            _decide(store, version, Verdict.ROLLED_BACK)


def _promote(store: Store, version: str, rolled_back: tuple[str, ...]) -> None:
    promotion = store.promotion()
    now = promotion.promoted
    # Old news must not take the place of a version that has been promoted since.
    behind = now is None or now in rolled_back or sequence_of(now) < sequence_of(version)
    if behind and _is_in(store, version) and not promotion.has(version, Verdict.PROMOTED):
        _decide(store, version, Verdict.PROMOTED)


def _decide(store: Store, version: str, verdict: Verdict) -> None:
    act = store.promote if verdict is Verdict.PROMOTED else store.roll_back
    try:
        act(version, reason=_REASON)
    except UserError as error:
        log.warning("Version %s: %s in the cluster, and not in the store: %s", version, verdict, error)
        return
    log.info("Version %s: %s in the cluster, which is now in the store too", version, verdict)


def _is_in(store: Store, version: str) -> bool:
    return (store.versions_folder / version).is_dir()
