"""Proposals for tasks that nobody has labelled yet."""

from pydantic import Field

from lsb_crds.contract import Contract


class Prelabel(Contract):
    """How Label Studio's stored predictions are kept up to date."""

    after_rollout: bool = Field(
        default=True, description="Whether a new version refreshes the predictions of unlabelled tasks."
    )
    rate: float | None = Field(
        default=None, gt=0, le=1000, description="Tasks refreshed per second. Null: by what runs the model."
    )
