"""Where Helm comes from: installed and of a version that fits, or built with Go."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from cluster.build import Program, built
from cluster.progress import Progress

MODULE = Path(__file__).parent / "module"
OLDEST = (3, 14)
"""The oldest Helm that the chart is for; the pinned one is the newest that it was tried with."""

HELM = Program(
    title="Helm",
    name="helm",
    parts=("helm",),
    pin="helm.sh/helm/v4",
    stamps=("helm.sh/helm/v4/internal/version.version=v{major}.{minor}.{patch}",),
    patience="2 minutes",
    otherwise="install Helm from https://helm.sh/docs/intro/install",
    package="helm.sh/helm/v4/cmd/helm",
)


OLDEST_MODULE = Path(__file__).parent / "oldest"
OLDEST_HELM = replace(
    HELM,
    name="helm-3",
    parts=("helm-3",),
    pin="helm.sh/helm/v3",
    stamps=("helm.sh/helm/v3/internal/version.version=v{major}.{minor}.{patch}",),
    package="helm.sh/helm/v3/cmd/helm",
)


def find_oldest_helm(progress: Progress) -> Path:
    """The oldest Helm that the chart is for, which is built, in minutes once. Raises ClusterError."""
    return built(progress, OLDEST_MODULE, OLDEST_HELM) / OLDEST_HELM.name


def find_helm(progress: Progress) -> Path:
    """The installed Helm if it is new enough, else one that is built, which takes minutes once.

    Raises ClusterError where neither can be had.
    """
    installed = shutil.which("helm")
    if installed is not None and fits(_said(installed)):
        return Path(installed)
    return built(progress, MODULE, HELM) / "helm"


def fits(said: str) -> bool:
    """Whether `helm version --short` names a version that the chart is for, such as v3.19.0+g3d8990f."""
    found = re.match(r"v(\d+)\.(\d+)\.", said)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST


def _said(helm: str) -> str:
    done = subprocess.run([helm, "version", "--short"], capture_output=True, text=True)
    return done.stdout.strip()
