"""Every reason that a condition can give, with its meaning: reasons are part of the contract."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self


class Reason(StrEnum):
    """A reason in one word, for programs; `meaning` is for people."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> Self:
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member

    # All is well, or will be without anybody's help.
    SERVING = "Serving", "As many pods as asked for serve the target version."
    SCALED_TO_ZERO = "ScaledToZero", "No pods are asked for, and none runs."
    APPLYING = "Applying", "The children of the backend are being made or changed."
    PREPARING = "Preparing", "The first version is being made from the weights that the spec names."
    DEPLOYING = "Deploying", "Pods are starting."
    ROLLING_OUT = "RollingOut", "A new version is taking over; the old one serves meanwhile."
    SCALING_DOWN = "ScalingDown", "Pods are ending."
    PAUSED_FOR_TRAINING = "PausedForTraining", "The serving pods have lent their GPU to a training."
    SUSPENDED = "Suspended", "spec.suspend holds."
    DELETING = "Deleting", "The backend is being deleted."

    # What a person wrote or owns stands in the way.
    INVALID_SPEC = "InvalidSpec", "This release of the operator cannot read the spec."
    NAME_CONFLICT = "NameConflict", "Somebody else's object has the name of a child."
    APPLY_REFUSED = "ApplyRefused", "The API server, or a webhook of the cluster, refuses a child."
    REFERENCE_MISSING = "ReferenceMissing", "A Secret, ConfigMap, claim or class of the spec does not exist."
    PREPARATION_FAILED = "PreparationFailed", "The first version could not be made."

    # The cluster does not give what a pod needs.
    QUOTA_EXCEEDED = (
        "QuotaExceeded",
        "A ResourceQuota or LimitRange of the namespace forbids a pod or volume.",
    )
    POD_SECURITY_REFUSED = "PodSecurityRefused", "The namespace's pod security level forbids a pod."
    POD_REFUSED = "PodRefused", "The cluster refuses to create a pod, for another reason."
    VOLUME_PENDING = "VolumePending", "A volume has not been provided yet, or was lost."
    VOLUME_NOT_MOUNTED = "VolumeNotMounted", "A node cannot mount a volume."
    GPU_NOT_AVAILABLE = "GPUNotAvailable", "No node has a free GPU for a pod."
    NO_NODE_FITS = "NoNodeFits", "No node has the resources, labels or taints that a pod needs."
    EVICTED = "Evicted", "A node threw a pod out."

    # A pod was placed, and does not work.
    IMAGE_NOT_PULLED = "ImageNotPulled", "A node cannot pull the image of a pod."
    CONTAINER_NOT_CREATED = "ContainerNotCreated", "A node cannot create the container of a pod."
    OUT_OF_MEMORY = "OutOfMemory", "A container needed more memory than its limit."
    CRASHING = "Crashing", "A container ends again and again."
    PROBE_FAILING = "ProbeFailing", "A container runs, and has not answered its probe for minutes."
    SWAP_FAILED = "SwapFailed", "A pod could not load the target version, and serves the one before."

    # Registration in Label Studio.
    REGISTERED = "Registered", "Every project of the spec has the backend."
    REGISTRATION_PENDING = "RegistrationPending", "Registration has not begun."
    REGISTERING = "Registering", "A Job is registering the backend."
    REGISTRATION_FAILED = "RegistrationFailed", "Label Studio cannot be reached, or refuses the backend."

    # The last finished training.
    PROMOTED = "Promoted", "Its candidate was better, and took over."
    REJECTED = "Rejected", "Its candidate was not better; the version before goes on."
    AWAITING_APPROVAL = "AwaitingApproval", "Its candidate is better, and waits for a person."
    PREPARED = "Prepared", "It made the first version."
    TRAINING_FAILED = "TrainingFailed", "It ended without a candidate; the version before goes on."

    # What was rolled back.
    VERSION_FAILED = "VersionFailed", "The newest version crashed or did not become ready."

    # What serving goes on without.
    REDIS_DOWN = (
        "RedisDown",
        "Predictions go on without the backend's own Redis, which does not run.",
    )


REFUSALS: Final = (
    Reason.NAME_CONFLICT,
    Reason.APPLY_REFUSED,
    Reason.REFERENCE_MISSING,
    Reason.QUOTA_EXCEEDED,
    Reason.POD_SECURITY_REFUSED,
    Reason.POD_REFUSED,
)
"""Why the API server would not have an object: a training that it would not have gives one of these too."""

OF_TRAININGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "BackendNotFound": "There is no backend of the name that it asks for.",
        "Waiting": "Another training is first, or the backend is suspended.",
        "JobInTheWay": "The Job of a deleted training of the same name is still there.",
        "Starting": "Its Job is being made.",
        "NotAdmitted": "Its Job is suspended until the queue admits it.",
        "NoPod": "Its Job has no pod yet.",
        "PodPending": "Its pod has not started; the message says what it waits for.",
        "TryingAgain": "Its pod ended badly, and the Job is about to make another.",
        "Running": "It learns.",
        "Evaluating": "The candidate is compared with the version that serves.",
        "JobDeleted": "Somebody deleted its Job: it is made again, but not more often than a failed one.",
        "ResultUnreadable": "Its Job succeeded without a result: it is asked for once more.",
        "Promoted": "The candidate was better, and took over.",
        "Prepared": "It made the first version.",
        "Rejected": "The candidate was not better.",
        "AwaitingApproval": "The candidate is better, and waits for a person.",
        "Approved": "A person let the candidate take over.",
        "Disapproved": "A person turned the candidate down.",
        "Superseded": "Another training learns the same, or made a newer version.",
        "QueueFull": "Too many trainings that people asked for wait already.",
        "BadData": "The annotations do not suffice, or cannot be trained on: no other attempt is made.",
        "Failed": "The training itself gave up.",
        "BackoffLimitExceeded": "Its pods failed more often than training.backoffLimit allows.",
        "DeadlineExceeded": "It took longer than training.activeDeadlineSeconds.",
        "NameConflict": "Somebody else's Job has the name.",
        "BackendDeleted": "Its backend was deleted before it ended.",
    }
)
"""Of the conditions of a training, besides REFUSALS; a Job that failed may give another one of its own."""
