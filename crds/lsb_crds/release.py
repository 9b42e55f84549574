"""Which release this is."""

from importlib.metadata import PackageNotFoundError, version


def release() -> str:
    """The installed distribution's version, or `dev` where the sources were never installed."""
    try:
        return version("lsbackends")
    except PackageNotFoundError:
        return "dev"
