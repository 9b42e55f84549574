"""How many serving pods there are to be now."""

from lsb_crds.backend import LabelStudioBackend
from lsb_operator.facts import Facts

_HOLDS_THE_GPU = ("Running", "Evaluating")


def replicas(backend: LabelStudioBackend, facts: Facts) -> int:
    """As many as the manifest says, or the autoscaler that scales the backend; none while none can serve.

    None can serve before there is a version, while the backend is suspended, and while a training has been
    lent the GPU: from the admission of its Job until it has ended, whatever the outcome.
    """
    if facts.target is None or backend.spec.suspend or _lent(backend, facts):
        return 0
    return backend.spec.serving.replicas


def _lent(backend: LabelStudioBackend, facts: Facts) -> bool:
    lends = backend.spec.training.while_training == "Pause"
    return lends and any(training.phase in _HOLDS_THE_GPU for training in facts.trainings)
