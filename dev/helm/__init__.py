"""Helm for development and tests: the one that is installed if it fits, else built from its Go module."""

from helm.helm import Helm as Helm
from helm.helm import HelmError as HelmError
from helm.source import find_helm as find_helm
from helm.source import find_oldest_helm as find_oldest_helm
