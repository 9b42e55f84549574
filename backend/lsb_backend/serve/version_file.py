"""The version to serve, as a pod is told it: by a file that the kubelet writes."""

from collections.abc import Callable
from pathlib import Path

from lsb_backend.store.store import Store
from lsb_crds.errors import UserError


def version_in(file: Path, store: Store) -> Callable[[], str | None]:
    """A function that gives the version that the file names now; None while it names none.

    It raises UserError for a version that is not in the store, or that is none.
    """

    def read() -> str | None:
        try:
            version = file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{file}: cannot be read ({error}): it names the version to serve") from error
        if not version:
            return None
        store.folder(version)
        return version

    return read
