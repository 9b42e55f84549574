"""What somebody at the screen would draw: the right boxes, a little beside the mark."""

from typing import Any

import numpy as np

from demo.pictures import CLASSES, SIZE, Picture

LABEL_CONFIG = "\n".join(
    [
        "<View>",
        '  <Image name="image" value="$image"/>',
        '  <RectangleLabels name="label" toName="image">',
        *(f'    <Label value="{name}"/>' for name in CLASSES),
        "  </RectangleLabels>",
        "</View>",
    ]
)
_TREMOR = 1.5  # standard deviation of a hand at an edge of a box, in pixels


def annotation(picture: Picture, random: np.random.Generator) -> list[dict[str, Any]]:
    """The result of a Label Studio annotation with a box around everything in the picture."""
    return [
        _region(thing.label, np.array(thing.box) + random.normal(0, _TREMOR, 4), f"{index:010d}")
        for index, thing in enumerate(picture.things)
    ]


def _region(label: str, box: np.ndarray[Any, Any], identity: str) -> dict[str, Any]:
    left, top, right, bottom = (float(edge) for edge in np.clip(box, 0, SIZE) * 100 / SIZE)
    value = {"x": left, "y": top, "width": right - left, "height": bottom - top, "rotation": 0}
    return {
        "id": identity,
        "from_name": "label",
        "to_name": "image",
        "type": "rectanglelabels",
        "original_width": SIZE,
        "original_height": SIZE,
        "image_rotation": 0,
        "value": {**value, "rectanglelabels": [label]},
    }
