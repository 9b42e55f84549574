"""The parts of a server, put together for one backend."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lsb_backend.cluster import Cluster
from lsb_backend.dataset.annotations import task_digest
from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.label_studio.token import read_token
from lsb_backend.label_studio.wanted import BasicAuth
from lsb_backend.media.media import Media
from lsb_backend.predict.engine import Engine
from lsb_backend.predict.predictor import Predictor
from lsb_backend.predict.slot import Served, Slot
from lsb_backend.serve.address import addressed, local_url
from lsb_backend.serve.arrival import everywhere
from lsb_backend.serve.connect import connect
from lsb_backend.serve.loading import loader
from lsb_backend.serve.metrics import Metrics
from lsb_backend.serve.options import Options
from lsb_backend.serve.recording import Recording
from lsb_backend.serve.refresh import Refresh
from lsb_backend.serve.registering import register_with
from lsb_backend.serve.rollout import Rollout
from lsb_backend.serve.services import Services
from lsb_backend.serve.status import Entry, Status
from lsb_backend.serve.triggering import WebhookTriggers, train_at_threshold
from lsb_backend.serve.version_file import version_in
from lsb_backend.store.store import Store
from lsb_backend.training.freeze import connected_projects
from lsb_backend.training.result import read_result
from lsb_backend.triggers.child import lsb_command
from lsb_backend.triggers.count import AnnotationCount, Count
from lsb_backend.triggers.in_cluster import ClusterTrainings
from lsb_backend.triggers.launch import Launcher, Retries
from lsb_backend.triggers.request import Run
from lsb_backend.triggers.trainings import Trainings
from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolve import resolve

if TYPE_CHECKING:
    from lsb_backend.triggers.shared_by_redis import SharedByRedis

log = logging.getLogger(__name__)


class Parts:
    """What runs beside the routes of one server."""

    def __init__(
        self, options: Options, backend: LabelStudioBackend, store: Store, studio: LabelStudio, media: Media
    ) -> None:
        self._options = options
        self._backend = backend
        self._studio = studio
        self._swapped = asyncio.Event()
        self.first_model = asyncio.Event()
        self.engine = Engine()
        self._status = status = Status()
        metrics, slot = Metrics(), Slot(self.engine.retire)
        pod = options.pod
        self.launcher = None if pod else self._launcher(store)
        self._trainings: Trainings = self.launcher or self._cluster_trainings()
        self.recording = Recording(store, pod.decisions_file) if pod and pod.decisions_file else None
        self.sharing = self._sharing(options.redis_url_file) if options.redis_url_file else None
        self.counting = AnnotationCount(
            store, self._annotations, self._counted, sharing=self.sharing, on_shared=self._shared
        )
        pinned = backend.spec.model.version
        self.rollout = Rollout(
            store,
            slot,
            loader(store, backend),
            status,
            metrics,
            version_in(pod.version_file, store) if pod else partial(store.target, pinned),
            self._on_swapped,
            stand_in=pod is None,
        )
        predictor = Predictor(self.engine, slot, media, backend.spec.model)
        metrics.observe(self.engine, predictor.admission)
        self.services = Services(
            name=backend.metadata.name,
            task=backend.spec.model.task,
            slot=slot,
            engine=self.engine,
            predictor=predictor,
            store=store,
            triggers=WebhookTriggers(backend, self._trainings, self.counting),
            status=status,
            metrics=metrics,
        )

    async def connect(self, auth: BasicAuth | None) -> None:
        """Check the token and register, for as long as it takes."""

        async def register() -> None:
            await register_with(self._studio, self._backend, auth)

        studio = self._backend.spec.label_studio
        # In a cluster a Job does it, once for all replicas.
        wanted = studio.register_backend and bool(studio.projects) and self._options.pod is None
        await connect(self._studio.check, register if wanted else None, self.services.status)

    async def refresh_each(self) -> None:
        """Refresh predictions after every swap to a version that has learned something."""
        rate = resolve(self._backend).prelabel_rate
        while True:
            await self._swapped.wait()
            self._swapped.clear()
            served = self.services.slot.current
            if served is not None and served.card.trained and self._backend.spec.prelabel.after_rollout:
                if self._options.pod is not None:
                    url = resolve(self._backend).backend_url
                    await everywhere(url, served.version, partial(self._serves, served))
                refresh = Refresh(
                    self._studio, self._projects, self.services.slot, self.services.status, rate
                )
                await refresh.run(served.version)

    def _serves(self, served: Served) -> bool:
        return self.services.slot.current is served

    def _launcher(self, store: Store) -> Launcher:
        training = self._backend.spec.training
        retries = Retries(training.backoff_limit, deadline=training.active_deadline_seconds)
        return Launcher(store, self._training, retries, self._training_finished)

    def _cluster_trainings(self) -> ClusterTrainings:
        namespace = self._backend.metadata.namespace or "default"
        return ClusterTrainings(Cluster.around(os.environ, namespace), self._backend, self._looked)

    def _sharing(self, url_file: Path) -> "SharedByRedis":
        # The library takes a tenth of the time that a start may take, and most servers run alone.
        from lsb_backend.triggers.shared_by_redis import SharedByRedis

        about = self._backend.metadata
        key = f"lsbackends:{about.namespace or 'default'}:{about.name}"
        return SharedByRedis(url_file, key, self._redis_state)

    def _redis_state(self, failure: str | None) -> None:
        self._status.redis = Entry(message=failure) if failure else None

    def _looked(self, last: str | None, problem: str | None) -> None:
        self._status.cluster = Entry(message=problem) if problem else None
        self._status.last_training = last or self._status.last_training

    def _shared(self, found: Count) -> None:
        self._status.changed_tasks, self._status.annotated_tasks = found.changed, found.annotated

    def _on_swapped(self, served: Served) -> None:
        self.first_model.set()
        self._swapped.set()

    async def _projects(self) -> Sequence[int]:
        """Those of the manifest, else whatever project is connected by hand."""
        listed = self._backend.spec.label_studio.projects
        return listed or await connected_projects(self._studio, resolve(self._backend).backend_url)

    async def _annotations(self) -> dict[str, str]:
        found: list[tuple[str, str] | None] = []
        for project in await self._projects():
            found += await self._studio.export_each(project, partial(task_digest, project))
        return dict(one for one in found if one is not None)

    async def _counted(self, found: Count) -> None:
        await train_at_threshold(found, self._backend, self._trainings, self.services.status)

    def _training(self, run: Run) -> list[str]:
        url = resolve(self._backend).backend_url
        return lsb_command(self._options.training_arguments(run.name, url))

    async def _training_finished(self, run: Run) -> None:
        result = await asyncio.to_thread(read_result, run.folder)
        if result is not None:
            log.info("Training %s ended: %s, %s", run.name, result.outcome, result.message)
            self.services.status.last_training = f"{run.name}: {result.outcome}, {result.message}"
            self.services.metrics.trainings.labels(result.outcome.value).inc()
        # What was annotated during the training may be enough for the next one.
        self.counting.hint()


@asynccontextmanager
async def assemble(options: Options, port: int) -> AsyncIterator[Parts]:
    """The parts of the server that listens on `port`; closed with the block. Raises UserError."""
    backend = addressed(options.backend, local_url(port, options.root_path))
    studio_spec = backend.spec.label_studio
    if studio_spec.projects and options.pod is None:
        # Said at once; afterwards the token is read anew whenever it is needed, so that it may change.
        read_token(options.token_file, os.environ)
    store = Store.open(options.store)
    folder = Path(studio_spec.media.path) if studio_spec.media and studio_spec.media.path else None
    async with (
        LabelStudio.connect(studio_spec.url, lambda: read_token(options.token_file, os.environ)) as studio,
        Media(studio, studio_spec.media_hosts, folder) as media,
    ):
        parts = Parts(options, backend, store, studio, media)
        async with parts.engine:
            try:
                yield parts
            finally:
                if parts.sharing is not None:
                    await parts.sharing.close()
