"""Which model proposes the labels, and how it is asked."""

from typing import Literal

from pydantic import ConfigDict, Field

from lsb_crds.contract import Contract
from lsb_crds.rule import Rule, validations
from lsb_crds.text import ModelVersion, Weights

Task = Literal["detect", "segment", "obb", "classify", "pose", "dummy"]

TASK_STAYS = Rule(
    cel="!has(self.task) || self.task == oldSelf.task || oldSelf.task == 'dummy'",
    message="the task of a backend cannot be changed, unless it was dummy: make another backend",
    field="task",
)


class Model(Contract):
    """The model, and what counts as a detection."""

    model_config = ConfigDict(json_schema_extra=validations(TASK_STAYS))

    task: Task = Field(
        default="detect",
        description="What the model does: detect (boxes), segment (polygons), obb (rotated boxes), classify "
        "(choices), pose (key points), dummy (the first label, without a model, to try a connection). "
        "Cannot be changed once it is not dummy.",
    )
    weights: Weights | None = Field(
        default=None,
        description="Where the first version comes from: a name that ultralytics knows, an architecture "
        "(.yaml), an http(s) URL (with #sha256=<64 hexadecimal digits> to check it), or a path. "
        "Null: small pretrained weights for the task.",
    )
    version: ModelVersion | None = Field(
        default=None, description="Version to serve whatever is promoted. Null: the newest promoted one."
    )
    confidence: float = Field(
        default=0.25, gt=0, lt=1, description="Least confidence of a detection, between 0 and 1."
    )
    iou: float = Field(
        default=0.7,
        gt=0,
        le=1,
        description="Overlap (intersection over union) from which two boxes of a class count as one, 0 to 1.",
    )
    image_size: int = Field(
        default=640,
        ge=32,
        le=4096,
        multiple_of=32,
        description="Longest side of an image as the model sees it, in pixels, a multiple of 32.",
    )
    max_detections: int = Field(
        default=300, ge=1, le=3000, description="Greatest number of detections in one image."
    )
