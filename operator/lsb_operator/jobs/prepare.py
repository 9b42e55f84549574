"""Job <training>-train of the first version: the base weights, fetched and exported, go into the store."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved
from lsb_operator.children import volumes
from lsb_operator.facts import Facts, Manifest, TrainingFacts
from lsb_operator.jobs.job import command, manifest_text
from lsb_operator.jobs.train import training_job


def prepare(
    backend: LabelStudioBackend, resolved: Resolved, facts: Facts, training: TrainingFacts, attempt: int
) -> Manifest:
    """The Job; in a store that has versions it says which one was promoted last."""
    options: dict[str, str | None] = {"--store": volumes.STORE, "--decisions-file": volumes.DECISIONS_FILE}
    words = command(["prepare"], options)
    text = manifest_text(backend, resolved)
    # A first version can be made before there is a token.
    studio = backend.spec.label_studio.model_copy(update={"token_secret_ref": None, "media": None})
    return training_job(backend, resolved, facts, training, attempt, "prepare", words, text, studio)
