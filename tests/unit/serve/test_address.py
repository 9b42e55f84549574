"""Nobody outside of this machine reaches a server whose address does not ask for it."""

from typing import Any

import pytest

from lsb_backend.serve.address import addressed, default_host, local_url
from lsb_crds.backend import LabelStudioBackend


@pytest.mark.parametrize(
    ("backend_url", "host"),
    [
        (None, "127.0.0.1"),
        ("http://localhost:9090/cats", "127.0.0.1"),
        ("http://LOCALHOST:9090", "127.0.0.1"),
        ("http://127.0.0.1:9090", "127.0.0.1"),
        ("http://127.0.0.2:9090", "127.0.0.2"),
        ("http://[::1]:9090", "::1"),
        ("http://10.0.0.7:9090", "0.0.0.0"),
        ("http://host.docker.internal:9090", "0.0.0.0"),
        ("http://localhost.example.org:9090", "0.0.0.0"),
    ],
)
def test_it_listens_where_label_studio_calls_it(backend_url: str | None, host: str) -> None:
    assert default_host(backend_url) == host


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "http://localhost:9091/cats"),
        ("http://host.docker.internal:9090", "http://host.docker.internal:9090"),
    ],
)
def test_label_studio_is_told_the_address_of_the_manifest_else_our_own(given: str | None, told: str) -> None:
    studio: dict[str, Any] = {"url": "http://localhost:8080", "backendURL": given}
    document = {"metadata": {"name": "cats"}, "spec": {"labelStudio": studio}}
    backend = addressed(LabelStudioBackend.model_validate(document), local_url(9091, "/cats"))
    assert backend.spec.label_studio.backend_url == told
