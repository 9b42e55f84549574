"""Which version is to be served: promotions, pins, and what a crash condemns. Pure.

What was decided is kept in a ConfigMap of its own; <name>-model, which pods mount, is made from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.decisions import Decisions
from lsb_crds.resolved import Resolved
from lsb_operator.asking import in_this_life
from lsb_operator.children.metadata import metadata
from lsb_operator.crashes import condemning
from lsb_operator.facts import Facts, Manifest, RolledBack
from lsb_operator.readiness import serving_version
from lsb_operator.times import time_of, written
from lsb_operator.versions import is_version, newest, sequence

_REMEMBERED = 20
"""Condemned versions that are remembered; each has to be older than all that are promoted since."""


@dataclass(frozen=True, slots=True)
class Model:
    """What serves and why: `target` is to be served, `previous` comes back if it crashes.

    `promoted` is the newest that took over by itself, `pin` the pin that was last obeyed, `since` when the
    target was set, `proven` whether a pod was ever ready with it. `condemned` (oldest first) are not served
    again by themselves; `rolled_back` is the one that the present target stands in for. `earlier` was
    promoted for a deleted backend that had the volume: the first training looks whether it is there.
    """

    target: str | None = None
    previous: str | None = None
    promoted: str | None = None
    pin: str | None = None
    since: datetime | None = None
    proven: bool = False
    condemned: tuple[str, ...] = ()
    rolled_back: RolledBack | None = None
    earlier: str | None = None

    @classmethod
    def read(cls, data: Mapping[str, str]) -> "Model":
        """The record in a ConfigMap's data; what is no version is left out."""
        condemned = tuple(one for one in data.get("condemned", "").split() if is_version(one))
        rolled_back = _version(data, "rolledBack")
        return cls(
            target=_version(data, "target"),
            previous=_version(data, "previous"),
            promoted=_version(data, "promoted"),
            pin=_version(data, "pin"),
            since=time_of(data.get("since")),
            proven=data.get("proven") == "true",
            condemned=condemned,
            rolled_back=RolledBack(rolled_back, data.get("why", "")) if rolled_back else None,
            earlier=_version(data, "earlier"),
        )

    @classmethod
    def recovered(cls, status: Mapping[str, Any], decisions: Decisions) -> "Model":
        """What a backend's status and its volume still say of a record that is lost, or of another life's."""
        model = status.get("model") or {}
        kept = {key: model[key] for key in ("target", "previous") if model.get(key)}
        found = cls.read(kept | ({"promoted": kept["target"]} if "target" in kept else {}))
        return replace(found, condemned=decisions.rolled_back, earlier=decisions.promoted)

    def data(self) -> dict[str, str]:
        """The record as a ConfigMap's data."""
        back = self.rolled_back
        found = {
            "target": self.target,
            "previous": self.previous,
            "promoted": self.promoted,
            "pin": self.pin,
            "since": written(self.since) if self.since else None,
            "proven": "true" if self.proven else "false",
            "condemned": " ".join(self.condemned) or None,
            "rolledBack": back.version if back else None,
            "why": back.why if back else None,
            "earlier": self.earlier,
        }
        return {key: value for key, value in found.items() if value is not None}

    @property
    def decisions(self) -> Decisions:
        """What the store is to be told; a pin is no promotion."""
        return Decisions(promoted=self.promoted or self.earlier, rolled_back=self.condemned)

    def known_to(self, facts: Facts) -> Facts:
        """The facts with what was decided in them."""
        return replace(
            facts,
            target=self.target,
            previous=self.previous,
            promoted=self.promoted,
            rolled_back=self.rolled_back,
            decisions=self.decisions,
        )


def record_name(backend: str) -> str:
    """Name of the ConfigMap that keeps what was decided."""
    return f"{backend}-rollout"


def record(backend: LabelStudioBackend, model: Model) -> Manifest:
    """The ConfigMap that keeps what was decided; a child like the others, to be applied before them."""
    about = metadata(backend, record_name(backend.metadata.name), "serve")
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": model.data()}


def roll(backend: LabelStudioBackend, resolved: Resolved, facts: Facts, model: Model) -> Model:
    """What is to be served now, given what was decided before. Done twice, it decides the same."""
    model = _proven(resolved, facts, model)
    model = _condemned(resolved, facts, model)
    pin = backend.spec.model.version
    if pin != model.pin:
        # A person who names a version wants it tried, whatever became of it before.
        model = _asked_for(model, pin)
    model = replace(model, promoted=_promoted(facts, model))
    wanted = pin if pin is not None and pin not in model.condemned else model.promoted
    return _set(model, wanted, facts.now)


def _asked_for(model: Model, pin: str | None) -> Model:
    """Obey another pin, or its end."""
    condemned = tuple(one for one in model.condemned if one != pin)
    back = model.rolled_back
    over = back is not None and back.version in (model.pin, pin)
    return replace(model, pin=pin, condemned=condemned, rolled_back=None if over else back)


def _proven(resolved: Resolved, facts: Facts, model: Model) -> Model:
    if model.proven or model.target is None:
        return model
    ready = (pod for pod in facts.pods if pod.component == "serve" and pod.ready)
    served = any(serving_version(pod, resolved) == model.target for pod in ready)
    return replace(model, proven=True) if served else model


def _condemned(resolved: Resolved, facts: Facts, model: Model) -> Model:
    """Give the target up if it crashed; where no version could stand in for it, that helps nobody."""
    target = model.target
    why = condemning(facts, target, model.since, model.proven) if target is not None else None
    if target is None or why is None:
        return model
    condemned = (*(one for one in model.condemned if one != target), target)[-_REMEMBERED:]
    older = model.promoted == target and sequence(model.previous) < sequence(target)
    given_up = replace(model, condemned=condemned, promoted=model.previous if older else model.promoted)
    given_up = replace(given_up, promoted=_promoted(facts, given_up))
    standing = given_up.promoted or given_up.previous
    if standing is None or standing in condemned:
        return model
    back = _set(given_up, standing, facts.now)
    return replace(back, rolled_back=RolledBack(target, why))


def _promoted(facts: Facts, model: Model) -> str | None:
    """The newest version that took over and was not condemned."""
    of_trainings = [
        one.promoted
        for one in facts.trainings
        if one.phase == "Succeeded" and one.promoted and in_this_life(facts, one)
    ]
    known = [*of_trainings, *([model.promoted] if model.promoted else [])]
    return newest([one for one in known if is_version(one) and one not in model.condemned])


def _set(model: Model, version: str | None, now: datetime) -> Model:
    if version is None or version == model.target:
        return model
    good = model.target is not None and model.target not in model.condemned
    previous = model.target if good else model.previous
    return replace(
        model,
        target=version,
        previous=previous if previous != version else None,
        since=now,
        proven=False,
        rolled_back=None,
    )


def _version(data: Mapping[str, str], key: str) -> str | None:
    found = data.get(key, "")
    return found if is_version(found) else None
