"""Images that a task holds in itself, as a data: URI."""

import base64
import binascii
from urllib.parse import unquote_to_bytes

from lsb_backend.media.error import MediaError, Reason


def decode_uri(uri: str, limit: int) -> bytes:
    """The bytes of a data: URI (RFC 2397); raises MediaError if it is broken or holds more than `limit`."""
    header, comma, body = uri.partition(",")
    if not comma:
        raise MediaError(Reason.NOT_AN_ADDRESS, "The task holds a data: URI without a comma.")
    # Each byte takes at most three characters, percent-encoded.
    if len(body) > 3 * limit:
        raise MediaError(Reason.TOO_LARGE, f"The image in the task has more than the {limit} bytes allowed.")
    data = unquote_to_bytes(body)
    if header.lower().endswith(";base64"):
        try:
            data = base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
        except binascii.Error as error:
            raise MediaError(Reason.NOT_AN_IMAGE, f"The task holds broken base64: {error}.") from None
    if len(data) > limit:
        raise MediaError(Reason.TOO_LARGE, f"The image in the task has more than the {limit} bytes allowed.")
    return data
