"""From a version in the store to a model that serves."""

import contextlib
from collections.abc import Callable

from lsb_backend.predict.slot import Served
from lsb_backend.runtime.compiled import CompiledModels
from lsb_backend.runtime.load import load
from lsb_backend.runtime.threads import cpu_quota
from lsb_backend.store.store import EXPORTED, Store
from lsb_crds.backend import LabelStudioBackend
from lsb_crds.errors import UserError
from lsb_crds.resolve import resolve


def loader(store: Store, backend: LabelStudioBackend) -> Callable[[str], Served]:
    """A function that loads a version as the manifest says, warm; it blocks, and raises UserError."""
    runtime, precision = resolve(backend).runtime, backend.spec.serving.precision
    task = backend.spec.model.task
    compiled = CompiledModels(store.compiled_cache)

    def load_version(version: str) -> Served:
        card = store.card(version)
        if card.task != task:
            raise UserError(f"it was made for model.task {card.task}, and the manifest says {task}")
        loaded = load(store.folder(version), card, runtime, precision, cpu_quota(), compiled)
        # A store that cannot be listed just now is no reason not to serve.
        with contextlib.suppress(UserError):
            compiled.keep_only({known.checksums.get(EXPORTED, "") for known in store.versions()})
        return Served(version=version, runtime=loaded, card=card, names=loaded.names)

    return load_version
