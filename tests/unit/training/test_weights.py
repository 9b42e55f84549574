"""Weights from a URL: checked before anybody loads them, and explained when they cannot be had."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lsb_backend.training import weights as room
from lsb_backend.training.weights import WeightsError, fetch

CONTENT = b"PK\x03\x04 weights" * 100


class _Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path.partition("?")[0] in ("/model.pt", "/short.pt")
        self.send_response(200 if found else 404)
        length = len(CONTENT) * (2 if self.path == "/short.pt" else 1)
        self.send_header("Content-Length", str(length if found else 0))
        self.end_headers()
        if found:
            self.wfile.write(CONTENT)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_file_with_the_right_checksum_is_taken(server: str, tmp_path: Path) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert fetch(f"{server}/model.pt#sha256={digest.upper()}", tmp_path).read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused_with_both(server: str, tmp_path: Path) -> None:
    expected, found = "0" * 64, hashlib.sha256(CONTENT).hexdigest()
    with pytest.raises(WeightsError, match=f"{found} and not {expected}"):
        fetch(f"{server}/model.pt#sha256={expected}", tmp_path)


def test_a_missing_file_a_broken_answer_and_a_dead_server_are_told_apart(server: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="answers 404"):
        fetch(f"{server}/other.pt", tmp_path)
    with pytest.raises(WeightsError, match=r"broke off after 1,\d+ of"):
        fetch(f"{server}/short.pt", tmp_path)
    with pytest.raises(WeightsError, match=r"cannot be downloaded .* give its path"):
        fetch("http://127.0.0.1:9/model.pt", tmp_path)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
    ids=["another protocol", "broken off", "endless header"],
)
def test_what_answers_otherwise_than_http_asks_is_explained(answer: bytes, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(WeightsError, match="cannot be downloaded") as caught:
            fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/model.pt", tmp_path)
    assert len(str(caught.value)) < 500


def test_an_address_with_letters_that_http_does_not_know_is_explained(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"cannot be downloaded .'ascii' codec can't encode"):
        fetch("http://127.0.0.1:9/käfer.pt", tmp_path)


def test_a_signed_url_is_not_repeated_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        fetch("http://127.0.0.1:9/model.pt?signature=secret", tmp_path)
    assert "secret" not in str(caught.value)


def test_a_file_that_never_ends_is_given_up(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAXIMUM_BYTES", 10)
    with pytest.raises(WeightsError, match="larger than 10 bytes"):
        fetch(f"{server}/model.pt", tmp_path)


def test_a_path_is_read_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").write_bytes(CONTENT)
    assert fetch(str(tmp_path / "mine.pt"), tmp_path) == tmp_path / "mine.pt"


def test_what_is_neither_file_nor_known_name_is_explained(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no file .*mine\.pt, and ultralytics has no model of that name"):
        fetch("mine.pt", tmp_path)
    with pytest.raises(WeightsError, match="is not a file"):
        fetch(str(tmp_path), tmp_path)
    for name in ("~nobody-of-this-name/mine.pt", "x" * 5000 + ".pt"):
        with pytest.raises(WeightsError, match="cannot be looked for"):
            fetch(name, tmp_path)
