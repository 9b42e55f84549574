"""What a server said of an image, so that it can be asked later whether that still holds."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Validators:
    """The headers ETag and Last-Modified of an answer; an empty one was not sent."""

    etag: str = ""
    last_modified: str = ""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Validators":
        """Those of an answer with these headers."""
        return cls(headers.get("ETag", ""), headers.get("Last-Modified", ""))

    @property
    def conditions(self) -> dict[str, str]:
        """The headers of a request for what has changed since."""
        wanted = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in wanted.items() if value}


@dataclass(frozen=True, slots=True)
class Fetched:
    """An image file; `data` is None where it is the one that the validators of the request belong to."""

    data: bytes | None
    validators: Validators = Validators()


@dataclass(frozen=True, slots=True)
class Identity:
    """Which image a task names: equal names are equal images, for good if `lasting`, else at one moment."""

    name: str
    lasting: bool
