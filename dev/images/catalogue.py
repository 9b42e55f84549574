"""The images that there are, and what they are called: by the names that the operator gives to pods."""

from dataclasses import dataclass

from images.errors import ImageError
from lsb_crds.release import release
from lsb_crds.resolve import REGISTRY


@dataclass(frozen=True, slots=True)
class Image:
    """One image. `limit` is the most that it may have above its base, in MB (10**6 bytes); None: no limit."""

    name: str
    dockerfile: str
    target: str
    repository: str
    limit: int | None

    def reference(self, registry: str = REGISTRY, tag: str | None = None) -> str:
        """What it is called; without a tag, as the installed release."""
        return f"{registry}/{self.repository}:{tag or release()}"


OPERATOR = Image("operator", "Dockerfile.operator", "operator", "operator", limit=140)
SERVE = Image("serve", "Dockerfile.backend", "serve", "backend-serve", limit=450)
TRAIN = Image("train", "Dockerfile.backend", "train", "backend-train", limit=None)
ALL = (OPERATOR, SERVE, TRAIN)


def chosen(names: str) -> list[Image]:
    """The images of a list such as `operator,serve`; raises ImageError for a name that there is not."""
    by_name = {image.name: image for image in ALL}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in by_name]
    if unknown or not wanted:
        raise ImageError(f"images {names!r}: name one or more of {', '.join(by_name)}, with commas between")
    return [by_name[name] for name in dict.fromkeys(wanted)]
