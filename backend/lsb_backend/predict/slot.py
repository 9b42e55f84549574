"""Which model serves, and how long the one before it must stay."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lsb_backend.predict.errors import NoModelError
from lsb_backend.runtime.base import Runtime
from lsb_backend.store.card import Card


@dataclass(frozen=True, eq=False, slots=True)
class Served:
    """A loaded version; `names` are its classes in the order of their indices."""

    version: str
    runtime: Runtime
    card: Card
    names: tuple[str, ...]


class Slot:
    """The one place that says which model serves. Used on the event loop only."""

    def __init__(self, retire: Callable[[Runtime], None]) -> None:
        """`retire` closes a model where nobody is using it, such as `Engine.retire`."""
        self._retire = retire
        self._current: Served | None = None
        self._holders: Counter[Served] = Counter()

    @property
    def current(self) -> Served | None:
        """The model that new requests get, None before the first one is loaded."""
        return self._current

    def swap(self, served: Served) -> None:
        """Let new requests have another model; the old one is closed when its last holder leaves."""
        old, self._current = self._current, served
        if old is not None:
            self._retire_unless_used(old)

    @contextmanager
    def hold(self) -> Iterator[Served]:
        """Keep the current model for the time of a request, so that all its answers come from one version.

        Raises NoModelError if there is none.
        """
        served = self._current
        if served is None:
            raise NoModelError("No model is loaded yet. Ask again soon.")
        self._holders[served] += 1
        try:
            yield served
        finally:
            self._holders[served] -= 1
            self._retire_unless_used(served)

    def _retire_unless_used(self, served: Served) -> None:
        if self._holders[served]:
            return
        del self._holders[served]
        if served is not self._current:
            self._retire(served.runtime)
