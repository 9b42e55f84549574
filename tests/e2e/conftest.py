"""The whole thing as its users run it: Label Studio and `lsb serve`, each a process of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from label_studio import PATIENT, RunningLabelStudio
from label_studio_admin import LabelStudioAdmin
from serving import ServingProcess

# Shorter than Label Studio's own 100 s, so that a request can outlast it within a test.
PREDICT_LIMIT = 8


@pytest.fixture(scope="session")
def studio() -> Iterator[RunningLabelStudio]:
    """A real Label Studio that gives up on a prediction after PREDICT_LIMIT silent seconds."""
    with RunningLabelStudio(environment={**PATIENT, "ML_TIMEOUT_PREDICT": str(PREDICT_LIMIT)}) as running:
        yield running


@pytest.fixture(scope="session")
def admin(studio: RunningLabelStudio) -> LabelStudioAdmin:
    return LabelStudioAdmin(studio.url, studio.username, studio.password)


@pytest.fixture(scope="session")
def token(admin: LabelStudioAdmin) -> str:
    """A personal access token; there is one for the whole session, for a second one revokes the first."""
    return admin.personal_token()


@pytest.fixture
def backend(
    tmp_path: Path, studio: RunningLabelStudio, token: str
) -> Iterator[Callable[..., ServingProcess]]:
    """Makes backends, not yet started, that are ended with the test."""
    made: list[ServingProcess] = []

    def make(
        spec: dict[str, Any], *arguments: str, studio_url: str = studio.url, key: str = token
    ) -> ServingProcess:
        made.append(ServingProcess(tmp_path / f"backend-{len(made)}", studio_url, key, spec, *arguments))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small picture."""
    path = tmp_path_factory.mktemp("pictures") / "picture.jpg"
    pixels = np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return path
