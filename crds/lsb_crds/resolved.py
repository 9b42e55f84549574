"""What null in a spec became; computed in one place, and shown in the status."""

from typing import Literal

from pydantic import Field

from lsb_crds.contract import Contract

Runtime = Literal["torch", "onnx", "openvino", "dummy"]
Rollout = Literal["RollingUpdate", "InPlace", "Recreate"]


class Resolved(Contract):
    """Every choice that a manifest may leave open, made."""

    weights: str = Field(
        max_length=2048, description="Where the first version comes from; `dummy` for the dummy task."
    )
    metric: str = Field(max_length=64, description="Metric that the gate compares.")
    runtime: Runtime = Field(description="What runs the model.")
    rollout: Rollout = Field(description="How a new version arrives.")
    backend_url: str = Field(
        max_length=2048, alias="backendURL", description="URL of the backend as Label Studio reaches it."
    )
    serve_image: str = Field(max_length=512, description="Image of the serving pods.")
    train_image: str = Field(max_length=512, description="Image of the training Job.")
    redis_image: str = Field(max_length=512, description="Image of a managed Redis.")
    prelabel_rate: float = Field(description="Tasks whose predictions are refreshed per second.")
