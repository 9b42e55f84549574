"""What ultralytics is told: the manifest's arguments, and ours where a training depends on them."""

import difflib
from collections.abc import Mapping
from typing import Any

from lsb_backend.training.errors import DataError

# Named in the manifest's schema; the rest would make a training that cannot be resumed, judged or shown.
OURS = frozenset(
    {
        *("data", "model", "project", "name", "save_dir", "resume", "exist_ok"),
        *("task", "mode", "cfg", "split", "save", "val", "plots", "single_cls", "classes", "fraction"),
    }
)
# Each may name a model file, here or elsewhere, and to load one is to run what is in it.
_MODEL_FILES = ("pretrained", "distill_model")
SEED = 0
WORKERS = 8
# Two cores learn more from many small steps than from few large ones; a GPU idles with so few images.
CPU_BATCH = 8
GPU_BATCH = 16


def ignored(arguments: Mapping[str, Any]) -> list[str]:
    """The names among the manifest's arguments that are ours to set."""
    return sorted(OURS & arguments.keys())


def merge(arguments: Mapping[str, Any], epochs: int, image_size: int, gpu: bool) -> dict[str, Any]:
    """The manifest's arguments over our defaults, without those that are ours to set.

    Raises DataError for a name that ultralytics does not have, a value it refuses, several devices, or a
    model file: whoever may ask for a training may not say what is loaded.
    """
    given = {name: value for name, value in arguments.items() if name not in OURS}
    file = next((name for name in _MODEL_FILES if isinstance(given.get(name), str)), None)
    if file is not None:
        raise DataError(f"training.arguments.{file}: names a model file; only spec.model.weights may")
    batch = given.get("batch", GPU_BATCH if gpu else CPU_BATCH)
    defaults = {
        "epochs": epochs,
        "imgsz": image_size,
        "batch": batch,
        "seed": SEED,
        "workers": WORKERS,
    }
    if isinstance(batch, int) and batch > 0:
        # ultralytics gathers gradients over 64 images, which leaves a few dozen with hardly a step an epoch.
        defaults["nbs"] = batch
    merged = defaults | given
    _check(merged)
    if len(str(merged.get("device") or "").split(",")) > 1:
        raise DataError(
            "training.arguments.device: a training uses one device: name one, or none to have it chosen"
        )
    return merged


def _check(arguments: Mapping[str, Any]) -> None:
    from ultralytics.cfg import DEFAULT_CFG_DICT, get_cfg

    for name in arguments:
        if name not in DEFAULT_CFG_DICT:
            near = difflib.get_close_matches(name, DEFAULT_CFG_DICT, n=1)
            hint = (
                f"did you mean {near[0]}?"
                if near
                else "see the training settings in ultralytics' documentation"
            )
            raise DataError(f"training.arguments.{name}: ultralytics has no such argument: {hint}")
    try:
        get_cfg(overrides=dict(arguments))
    except (TypeError, ValueError, SyntaxError) as error:
        raise DataError(f"training.arguments: {str(error).splitlines()[0]}") from error
