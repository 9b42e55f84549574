"""Uploads read from Label Studio's media folder, mounted beside this program."""

from lsb_backend.media.error import MediaError, Reason
from lsb_backend.media.locate import LocalFile


def read_file(source: LocalFile, limit: int) -> bytes | None:
    """The bytes of an upload, or None if it is not there (a new upload may be seen late on a shared volume).

    Raises MediaError if it is larger than `limit` bytes, or a link that leads out of the folder.
    """
    root = source.directory.resolve()
    path = (root / source.path).resolve()
    if not path.is_relative_to(root):
        raise MediaError(Reason.FORBIDDEN_PATH, f"The upload {source.path} is a link out of the media.")
    try:
        # A pipe or a device would be read without end.
        if not path.is_file():
            return None
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError):
        return None
    if len(data) > limit:
        raise MediaError(
            Reason.TOO_LARGE, f"The upload {source.path} is larger than the {limit} bytes allowed."
        )
    return data
