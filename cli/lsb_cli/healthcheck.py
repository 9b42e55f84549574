"""`python -m lsb_cli.healthcheck URL`: what an image's HEALTHCHECK runs, where there is no curl."""

import sys
import urllib.request
from http.client import HTTPException

_PATIENCE = 4.0
"""Seconds; less than the HEALTHCHECK's own limit, so that there is time left to say what is wrong."""


def check(url: str) -> str | None:
    """What is wrong with the server at `url`, in one line; None if it answers with 200."""
    # A proxy from the environment must not be asked for the container's own address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_PATIENCE) as answer:
            return None if answer.status == 200 else f"{url}: answered {answer.status}"
    except (OSError, HTTPException) as error:
        return f"{url}: {error}"


if __name__ == "__main__":
    sys.exit(check(sys.argv[1]))
