"""Each thing that Label Studio was seen to say leads to the setting that has to change."""

import json
import ssl
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsb_backend.label_studio import diagnosis

STUDIO = "http://studio.example:8080"
BACKEND = "http://127.0.0.1:9099"
RESERVED = "URL resolves to a reserved network address (block: 127.0.0.0/8)"
HEALTH = (
    "Can't connect to ML backend http://127.0.0.1:9099, health check failed. Make sure it is up and your "
    'firewall is properly configured. <a href="https://labelstud.io/guide/ml.html">Learn more</a> about how '
    "to set up an ML backend. Additional info: "
)
SETUP = (
    "Successfully connected to http://127.0.0.1:9099 but it doesn't look like a valid ML backend. Reason: "
)


def invalid(text: str) -> str:
    """How Label Studio wraps the reason of a 400."""
    return json.dumps({"validation_errors": {"non_field_errors": [text]}, "detail": "Validation error"})


def diagnosed(status: int, body: str, row_saved: bool = False) -> str:
    return diagnosis.registration(status, diagnosis.detail(body), BACKEND, row_saved)


def test_a_blocked_private_address_names_the_setting() -> None:
    body = json.dumps({"status_code": 403, "detail": RESERVED})
    assert "ML_BLOCK_LOCAL_IP=false" in diagnosed(403, body)
    blocked_webhook = diagnosed(403, body, row_saved=True)
    assert "SSRF_PROTECTION_ENABLED=false" in blocked_webhook
    assert "ML_BLOCK_LOCAL_IP" not in blocked_webhook
    assert "SSRF_PROTECTION_ENABLED=false" in diagnosis.no_webhook(403, RESERVED, BACKEND)


@pytest.mark.parametrize(
    ("info", "cause"),
    [
        ("500 Server Error: Internal Server Error for url: http://127.0.0.1:9099/health", "it answered 500"),
        ("404 Client Error: Not Found for url: http://127.0.0.1:9099/health", "it answered 404"),
        ("Expecting value: line 1 column 1 (char 0)", "the answer was not JSON"),
        (
            'HTTPConnectionPool(...): Max retries exceeded (Caused by ReadTimeoutError("Read timed out."))',
            "in time",
        ),
        ("Failed to establish a new connection: [Errno 111] Connection refused", "connection refused"),
        ("Failed to resolve 'ml-backend' ([Errno -2] Name or service not known)", "does not resolve"),
    ],
)
def test_a_failed_health_check_says_why_and_which_address_to_give(info: str, cause: str) -> None:
    text = diagnosed(400, invalid(HEALTH + info))
    assert cause in text
    assert "labelStudio.backendURL" in text
    assert "http://host.docker.internal:9099" in text
    assert "http://<name>.<namespace>.svc:9099" in text


def test_a_failed_setup_points_to_the_label_config() -> None:
    said = (
        SETUP
        + "422 Client Error: Unprocessable Entity for url: http://127.0.0.1:9099/setup.\nCheck the ML backend"
    )
    assert "it answered 422" in diagnosed(400, invalid(said))
    assert "label config" in diagnosed(400, invalid(said))


def test_wrong_basic_credentials_are_named() -> None:
    said = (
        "Able to connect to ML Server, but authentication parameters were either not provided or are wrong."
    )
    assert "HTTP Basic" in diagnosed(400, invalid(said))


def test_an_unresolvable_name_is_named() -> None:
    text = diagnosis.registration(500, "Can't resolve hostname ml-backend", "http://ml-backend:9090", False)
    assert "cannot resolve the name ml-backend" in text


@pytest.mark.parametrize("host", ["ml-backend", "my_backend.local", "2130706433"])
def test_a_host_that_gets_no_webhook_is_explained(host: str) -> None:
    text = diagnosis.no_webhook(400, "Enter a valid URL.", f"http://{host}:9090")
    assert f"the host name {host} has no dot or has an underscore" in text


@pytest.mark.parametrize("host", ["localhost", "10.0.0.7", "[::1]", "yolo.default.svc"])
def test_a_good_host_is_not_blamed(host: str) -> None:
    assert "host name" not in diagnosis.no_webhook(400, "Something else.", f"http://{host}:9090")


def test_a_redirect_names_its_target_without_its_query() -> None:
    text = diagnosis.refusal(STUDIO, "/api/ml", 302, "", "https://sso.example/login?next=secret")
    assert "redirects to https://sso.example/login:" in text
    assert "secret" not in text


@pytest.mark.parametrize(("status", "text"), [(404, "<html>"), (200, "<html>"), (404, "")])
def test_another_server_is_recognized(status: int, text: str) -> None:
    assert "not as Label Studio does" in diagnosis.refusal(STUDIO, "/api/x", status, text)


def test_a_missing_thing_is_not_taken_for_another_server() -> None:
    text = diagnosis.refusal(
        STUDIO, "/api/projects/9/", 404, '{"detail": "No Project matches the given query."}'
    )
    assert "No Project matches" in text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "did not answer in time"),
        (aiohttp.ServerDisconnectedError(), "broke off the connection"),
        (ssl.SSLError(), "broke off the connection"),
    ],
)
def test_a_missing_answer_is_explained(error: Exception, words: str) -> None:
    assert words in diagnosis.unreachable(STUDIO, error)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.integers(100, 599),
    st.text() | st.fixed_dictionaries({"detail": JSON, "validation_errors": JSON}).map(json.dumps),
)
def test_whatever_is_answered_the_explanation_is_one_line(status: int, body: str) -> None:
    for text in (diagnosis.refusal(STUDIO, "/api/x", status, body, body), diagnosed(status, body)):
        assert text.strip()
        assert len(text.splitlines()) == 1
        assert len(text) < 3000
