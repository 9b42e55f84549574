"""Whoever asks for predictions: the requests are those of Label Studio."""

import http.client
import json
import threading
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PROJECT = "1.1795338164"
_PATIENCE = 600.0  # seconds


@dataclass(frozen=True, slots=True)
class Server:
    """A server that speaks Label Studio's protocol for ML backends; its prefix is part of `url`."""

    url: str
    label_config: str
    authorization: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Those of every request."""
        given = {"Authorization": self.authorization} if self.authorization else {}
        return {"Content-Type": "application/json", **given}


class Caller:
    """Asks a server, over a new connection each time, as Label Studio does."""

    def __init__(self, server: Server) -> None:
        self._server = server
        parts = urllib.parse.urlsplit(server.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=_PATIENCE)
        self._prefix = parts.path.rstrip("/")

    def setup(self) -> None:
        """What Label Studio sends before it asks for anything."""
        body = {
            "project": PROJECT,
            "schema": self._server.label_config,
            "hostname": "http://127.0.0.1",
            "access_token": "",
            "extra_params": None,
        }
        self.post("/setup", json.dumps(body).encode())

    def predict(self, body: bytes, tasks: int) -> float:
        """Seconds until the last byte of the answer. Raises SystemExit if a task got no prediction."""
        began = time.perf_counter()
        answer = self.post("/predict", body)
        taken = time.perf_counter() - began
        require_answered(json.loads(answer), tasks)
        return taken

    def post(self, path: str, body: bytes) -> bytes:
        """The answer to a request. Raises SystemExit for any status but 200."""
        self._connection.request("POST", self._prefix + path, body, self._server.headers)
        answer = self._connection.getresponse()
        data = answer.read()
        self._connection.close()
        if answer.status != 200:
            raise SystemExit(f"{self._server.url}{path} answers {answer.status}: {data[:300]!r}")
        return data


def predict_body(label_config: str, addresses: Sequence[str]) -> bytes:
    """A request for predictions for a picture at each address, as Label Studio writes it."""
    tasks = [
        {"id": number, "data": {"image": address}, "project": 1, "annotations": [], "predictions": []}
        for number, address in enumerate(addresses, start=1)
    ]
    params = {"login": None, "password": None, "context": None}
    body = {"tasks": tasks, "project": PROJECT, "label_config": label_config, "params": params}
    return json.dumps(body).encode()


def require_answered(answer: Mapping[str, Any], tasks: int) -> None:
    """Raise SystemExit unless every task has a prediction: a server that fails is quick."""
    results = answer.get("results") or []
    given = sum(isinstance(item, dict) and "result" in item for item in results)
    if given != tasks or len(results) != tasks:
        raise SystemExit(f"{given} predictions for {tasks} tasks in {len(results)} results: nothing measured")


def at_once(server: Server, bodies: Sequence[Sequence[bytes]]) -> list[float]:
    """Seconds of each single-task request; one caller for each list, all of them beginning together."""
    taken: list[list[float]] = [[] for _ in bodies]
    failures: list[BaseException] = []
    begin = threading.Barrier(len(bodies))

    def call(number: int) -> None:
        caller = Caller(server)
        try:
            begin.wait()
            taken[number].extend(caller.predict(body, 1) for body in bodies[number])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [seconds for each in taken for seconds in each]
