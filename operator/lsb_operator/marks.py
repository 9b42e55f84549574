"""Labels and annotations of trainings and Jobs, by which what was done is known again."""

from typing import Final

TRAINING: Final = "lsbackends.dev/training"
"""Label of a Job and its pods: the LabelStudioTraining that it carries out."""
TRAINING_UID: Final = "lsbackends.dev/training-uid"
"""Annotation of a Job: which training of that name."""
ATTEMPT: Final = "lsbackends.dev/attempt"
"""Annotation of a Job: how often it was made, counted from 1."""
PREPARES: Final = "lsbackends.dev/prepares"
"""Annotation of a training that makes a first version: the task that it is for."""
APPROVED: Final = "lsbackends.dev/approved"
"""Annotation by which a person decides on a training that awaits approval: "true" or "false"."""
MANIFEST: Final = "lsbackends.dev/manifest"
"""Annotation of a pod, read by it as a file: the backend as it was when the Job was made."""
REGISTRATION: Final = "lsbackends.dev/registration"
"""Annotation of a register Job: a digest of what it registers. Also the name of the finalizer."""
FINALIZER: Final = REGISTRATION
QUEUE: Final = "kueue.x-k8s.io/queue-name"
"""Label by which Kueue finds what it admits."""
TRACKED: Final = "argocd.argoproj.io/tracking-id"
"""Annotation of what Argo CD keeps as it is in Git."""
