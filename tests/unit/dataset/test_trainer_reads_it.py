"""The trainer itself reads every image and line of a dataset, and reads what was drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lsb_backend.dataset.build import build
from lsb_backend.dataset.manifest import Export, ProjectExport
from lsb_backend.dataset.split import Split


@pytest.mark.parametrize("task", ["detect", "segment"])
async def test_ultralytics_reads_what_was_drawn(
    make: Any, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    from ultralytics.data.utils import check_det_dataset, verify_image_label

    segment = task == "segment"
    drawn = make.polygon([[10, 10], [30, 10], [30, 30], [10, 30]], "ant") if segment else make.box("ant")
    beyond = make.polygon([[90, 90], [120, 90], [120, 130]]) if segment else make.box(x=95.0, rotation=10)
    annotations = [make.annotation(drawn), make.annotation(drawn, beyond), make.annotation()]
    tasks = [make.task(number, given) for number, given in enumerate(annotations, start=1)]
    config = make.polygon_config if segment else make.config
    export = Export(projects=[ProjectExport(id=1, label_config=config, tasks=tasks)])
    split.assign(["1:1", "1:2", "1:3"], 0.0)
    folder = tmp_path / "dataset"
    await build(export, folder, make.reader(), ("zebra", "ant"), task, split)

    data = check_det_dataset(str(folder / "data.yaml"), autodownload=False)
    assert data["names"] == {0: "zebra", 1: "ant"}
    for image in folder.glob("images/*/*"):
        label = folder / "labels" / image.parent.name / f"{image.stem}.txt"
        checked = verify_image_label((str(image), str(label), "", False, 2, 0, 0, False))
        assert checked[8:] == (0, ""), "the trainer found the pair corrupt"
        assert image.parent.name in data["train"] or image.parent.name in data["val"]
        boxes = np.array(checked[1])
        if image.stem == "1-3":
            assert len(boxes) == 0
        else:
            assert boxes[0] == pytest.approx(np.array([1, 0.2, 0.2, 0.2, 0.2]), abs=1e-6)
