"""Job <training>-train: one fine-tuning run, as the training and the backend were when it began."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.label_studio import LabelStudio
from lsb_crds.resolved import Resolved
from lsb_operator import marks, names
from lsb_operator.attempt import job_name
from lsb_operator.children import pod, volumes
from lsb_operator.children.metadata import metadata
from lsb_operator.children.weights import claim, company, one_node
from lsb_operator.facts import Facts, Manifest, TrainingFacts
from lsb_operator.jobs.job import Container, Limits, command, job, job_labels, manifest_text, training_files
from lsb_operator.jobs.job import template as pod_template


def train(
    backend: LabelStudioBackend, resolved: Resolved, facts: Facts, training: TrainingFacts, attempt: int
) -> Manifest:
    """The Job of a training; `attempt` says how often it was made, counted from 1."""
    wanted = _asked_for(backend, facts, training)
    studio = backend.spec.label_studio
    options = {
        "--store": volumes.STORE,
        "--decisions-file": volumes.DECISIONS_FILE,
        "--token-file": volumes.TOKEN_FILE if studio.token_secret_ref else None,
        "--run": run(training),
    }
    words = command(["train"], options)
    text = manifest_text(wanted, resolved)
    return training_job(backend, resolved, facts, training, attempt, "train", words, text, studio)


def training_job(
    backend: LabelStudioBackend,
    resolved: Resolved,
    facts: Facts,
    training: TrainingFacts,
    attempt: int,
    component: names.Component,
    words: list[str],
    text: str,
    studio: LabelStudio,
) -> Manifest:
    """A Job that works on the store by the image and with the means of trainings.

    `studio` says what of Label Studio its pod mounts.
    """
    settings = backend.spec.training
    about = metadata(backend, job_name(training.name), component)
    label = {marks.TRAINING: training.name}
    about |= {
        "labels": about["labels"] | label,
        "annotations": {marks.TRAINING_UID: training.uid, marks.ATTEMPT: str(attempt)},
    }
    container = Container(
        image=resolved.train_image,
        command=words,
        settings=settings,
        resources=pod.resources(settings.resources),
        mounted=(
            training_files(),
            volumes.weights(claim(backend)),
            volumes.temporary(),
            volumes.shared_memory(settings.shared_memory),
            *volumes.label_studio(studio),
        ),
        environment={"LSB_TRAINING": training.name, "LSB_NAMESPACE": facts.namespace},
    )
    beside = company(backend)
    pod_metadata = {
        "labels": job_labels(backend, component, label | beside),
        "annotations": {marks.MANIFEST: text, names.DECISIONS: facts.decisions.text()},
    }
    return job(
        about,
        pod_template(
            backend,
            pod_metadata,
            container,
            account=names.train_account(backend.metadata.name),
            beside=beside if one_node(backend, facts) else None,
        ),
        Limits(settings.backoff_limit, settings.active_deadline_seconds),
        queue=settings.queue,
    )


def run(training: TrainingFacts) -> str:
    """The run of a training in the store, where runs of an earlier training of the same name may be kept."""
    return f"{training.name}-{training.uid[:8]}" if training.uid else training.name


def _asked_for(backend: LabelStudioBackend, facts: Facts, training: TrainingFacts) -> LabelStudioBackend:
    """The backend with what this training asks for in its place, and with the version that serves now."""
    settings = backend.spec.training
    arguments = dict(settings.arguments) | dict(training.arguments)
    changes = {
        "epochs": training.epochs or settings.epochs,
        "arguments": arguments,
        "minimum_annotations": 1 if training.force else settings.minimum_annotations,
    }
    # What was rolled back is still the newest in the store: the candidate is compared with what serves.
    model = backend.spec.model.model_copy(update={"version": facts.target})
    spec = backend.spec.model_copy(update={"training": settings.model_copy(update=changes), "model": model})
    return backend.model_copy(update={"spec": spec})
