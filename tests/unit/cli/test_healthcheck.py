"""What an image's HEALTHCHECK says of a server, where nothing but Python is there to ask it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lsb_cli.healthcheck import check


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response({"/readyz": 200, "/empty": 204}.get(self.path, 503))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Answers) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def test_a_server_that_answers_is_well(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy of the environment is never asked for the container's own address.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert check(f"{server}/readyz") is None


@pytest.mark.parametrize("path", ["/livez", "/empty"])
def test_any_other_answer_is_said_in_one_line(server: str, path: str) -> None:
    said = check(server + path)
    assert said is not None
    assert said.startswith(server + path)
    assert "\n" not in said


def test_nobody_there_is_said_in_one_line() -> None:
    said = check("http://127.0.0.1:9/readyz")
    assert said is not None
    assert "refused" in said
