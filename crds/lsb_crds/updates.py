"""What of a resource may change: the rules that the API server applies to an update, for other callers."""

from lsb_crds import redis, storage
from lsb_crds.backend import LabelStudioBackend
from lsb_crds.errors import UserError
from lsb_crds.model import TASK_STAYS
from lsb_crds.quantity import quantity
from lsb_crds.rule import Rule
from lsb_crds.training import SPEC_STAYS, LabelStudioTraining


class UpdateError(UserError):
    """A change that cannot be made to something that exists."""


def check_backend_update(old: LabelStudioBackend, new: LabelStudioBackend) -> None:
    """Raise UpdateError for the first change that is not allowed."""
    before, after = old.spec, new.spec
    _require("spec.model", TASK_STAYS, before.model.task in (after.model.task, "dummy"))
    grows = quantity(after.storage.size) >= quantity(before.storage.size)
    _require("spec.storage", storage.SIZE_GROWS, grows)
    both_managed = before.redis.mode == after.redis.mode == "Managed"
    grows = quantity(after.redis.size) >= quantity(before.redis.size)
    _require("spec.redis", redis.SIZE_GROWS, grows or not both_managed)


def check_training_update(old: LabelStudioTraining, new: LabelStudioTraining) -> None:
    """Raise UpdateError if the spec changed."""
    _require("spec", SPEC_STAYS, old.spec == new.spec)


def _require(path: str, rule: Rule, holds: bool) -> None:
    if not holds:
        raise UpdateError(f"{path}{'.' if rule.field else ''}{rule.field}: {rule.message}")
