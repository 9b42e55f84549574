"""Builds images from the checkout, on one base, with one engine."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from images.base import base
from images.catalogue import Image
from images.engine import Engine
from lsb_crds.release import release
from lsb_crds.resolve import REGISTRY

CHECKOUT = Path(__file__).parents[2]
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to build; `tag` None is the installed release, `torch` is `cpu` or `cuda`."""

    images: tuple[Image, ...]
    registry: str = REGISTRY
    tag: str | None = None
    base: str = "auto"
    torch: str = "cuda"


@dataclass(frozen=True, slots=True)
class Built:
    """An image that is there now, with what it is built on."""

    image: Image
    reference: str
    base: str


def build(engine: Engine, wanted: Wanted) -> Iterable[Built]:
    """Build one image after another, each given as soon as it is there. Raises ImageError."""
    below = base(engine, wanted.base)
    about = {"BASE": below, "VERSION": wanted.tag or release(), "REVISION": _revision()}
    for number, image in enumerate(wanted.images, start=1):
        reference = image.reference(wanted.registry, wanted.tag)
        print(f"Building {reference} with {engine.name} ({number} of {len(wanted.images)})", flush=True)
        torch = {"TORCH": wanted.torch} if image.target == "train" else {}
        engine.build(image.dockerfile, image.target, reference, about | torch, CHECKOUT)
        yield Built(image, reference, below)


def above_base(engine: Engine, built: Built) -> float:
    """How much bigger than its base an image is, in MB."""
    return (engine.bytes(built.reference) - engine.bytes(built.base)) / MB


def _revision() -> str:
    """The commit of the checkout, with a mark if it has changes; `unknown` outside of a repository."""
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
