"""The pods that answer Label Studio."""

from typing import Literal

from pydantic import Field

from lsb_crds.pods import Pod, requests
from lsb_crds.quantity import Size
from lsb_crds.resources import Resources

RuntimeChoice = Literal["auto", "openvino", "onnx", "torch"]
RolloutChoice = Literal["Auto", "RollingUpdate", "InPlace", "Recreate"]


class Serving(Pod):
    """How the model is served."""

    replicas: int = Field(default=1, ge=0, le=100, description="Number of pods.")
    resources: Resources = Field(
        default=requests("250m", "512Mi"),
        description="Requests and limits of a serving pod. Given, it replaces the default as a whole.",
    )
    shared_memory: Size = Field(default="64Mi", description="Size of /dev/shm, bytes; kept in memory.")
    runtime: RuntimeChoice = Field(
        default="auto",
        description="What runs the model: openvino (Intel CPUs), onnx (ONNX Runtime), torch (ultralytics "
        "itself, the reference), auto (torch where a GPU is asked for, else openvino).",
    )
    precision: Literal["f32", "auto"] = Field(
        default="f32",
        description="Arithmetic: f32 gives the same answer everywhere, auto whatever is fastest on the "
        "device (bf16 or f16 where it has them).",
    )
    rollout: RolloutChoice = Field(
        default="Auto",
        description="How a new version arrives: RollingUpdate (new pods before old ones go), InPlace (pods "
        "swap the model and stay), Recreate (old pods go first), Auto (InPlace with a GPU, else "
        "RollingUpdate).",
    )
