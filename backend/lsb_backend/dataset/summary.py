"""A dataset in figures: what is in it, what is not and why, and a digest to tell it from others."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from lsb_backend.dataset.manifest import LeftOut, Manifest, SkippedTask
from lsb_backend.dataset.split import Part, Split

TASKS_NAMED = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """One image that is in the dataset; `image_digest` is the SHA-256 of its file."""

    key: str
    name: str
    file_name: str
    lines: tuple[str, ...]
    left_out: tuple[str, ...]
    image_digest: str


def manifest_of(
    samples: Sequence[Sample],
    skipped: Sequence[SkippedTask],
    split: Split,
    classes: Sequence[str],
    task: str,
) -> Manifest:
    """The manifest of a dataset of these samples, each of which has a part in `split`."""
    parts = {part: [sample for sample in samples if split.part(sample.key) is part] for part in Part}
    return Manifest(
        task=task,
        classes=list(classes),
        train=len(parts[Part.TRAIN]),
        validation=len(parts[Part.VALIDATION]),
        train_regions=_regions(parts[Part.TRAIN], classes),
        validation_regions=_regions(parts[Part.VALIDATION], classes),
        skipped=list(skipped),
        left_out=_left_out(samples),
        digest=_digest(samples, split, classes),
    )


def _regions(samples: Iterable[Sample], classes: Sequence[str]) -> dict[str, int]:
    counts = Counter(int(line.split(" ", 1)[0]) for sample in samples for line in sample.lines)
    return {name: counts[index] for index, name in enumerate(classes)}


def _left_out(samples: Iterable[Sample]) -> list[LeftOut]:
    keys: defaultdict[str, list[str]] = defaultdict(list)
    for sample in samples:
        for reason in sample.left_out:
            keys[reason].append(sample.key)
    return [
        LeftOut(reason=reason, regions=len(found), tasks=list(dict.fromkeys(found))[:TASKS_NAMED])
        for reason, found in sorted(keys.items())
    ]


def _digest(samples: Iterable[Sample], split: Split, classes: Sequence[str]) -> str:
    contents = sorted(
        "\n".join([split.part(sample.key), sample.file_name, sample.image_digest, *sample.lines])
        for sample in samples
    )
    return sha256("\n\n".join(["\n".join(classes), *contents]).encode()).hexdigest()
