"""A dataset by label-studio-sdk alone, in its own environment: its client exports, its converter converts."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from benchmarks.bed.worker import answer, settings
from label_studio_sdk import LabelStudio  # type: ignore[import-not-found]
from label_studio_sdk.converter.converter import Converter  # type: ignore[import-not-found]


def build(question: dict[str, Any]) -> dict[str, float]:
    """Export a project and write it as a YOLO dataset with its images; the seconds that took."""
    given = settings()
    folder = Path(question["folder"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.perf_counter()
    studio = LabelStudio(base_url=given["url"], api_key=given["token"])
    config = studio.projects.get(question["project"]).label_config
    tasks = json.loads(
        b"".join(studio.projects.exports.download_sync(question["project"], export_type="JSON"))
    )
    exported = folder / "export.json"
    exported.write_text(json.dumps(tasks))
    converter = Converter(
        config,
        str(folder / "none"),
        download_resources=True,
        hostname=given["url"],
        access_token=given["token"],
    )
    converter.convert_to_yolo(str(exported), str(folder / "dataset"), is_dir=False)
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "images": len(list((folder / "dataset/images").iterdir())),
        "labels": len(list((folder / "dataset/labels").glob("*.txt"))),
    }


if __name__ == "__main__":
    answer(build)
