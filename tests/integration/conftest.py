"""What the tests here run against: a real Label Studio, a small backend for it, a real Kubernetes API."""

import json
import os
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from cluster import Cluster, ClusterError
from cluster.progress import Progress
from cluster.source import find_source
from label_studio import PATIENT, Environment, RunningLabelStudio
from label_studio_admin import LabelStudioAdmin
from patience import PATIENCE

LABEL_CONFIG = """<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="label" toName="image">
    <Label value="cat"/>
    <Label value="dog"/>
  </RectangleLabels>
</View>"""


VERSION = "1-cafecafe"


CRDS = Path(__file__).parents[2] / "crds"


@dataclass
class Installation:
    """A running Label Studio, its administrator, and a personal access token."""

    server: RunningLabelStudio
    admin: LabelStudioAdmin
    token: str

    @property
    def url(self) -> str:
        return self.server.url


@pytest.fixture(scope="session")
def start_label_studio() -> Iterator[Callable[[Environment | None], Installation]]:
    """Start a further Label Studio, with environment variables of its own."""
    started: list[RunningLabelStudio] = []

    def start(environment: Environment | None = None) -> Installation:
        server = RunningLabelStudio(environment={**PATIENT, **(environment or {})})
        started.append(server)
        admin = LabelStudioAdmin(server.url, server.username, server.password)
        return Installation(server, admin, admin.personal_token())

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def label_studio(start_label_studio: Callable[[Environment | None], Installation]) -> Installation:
    """The Label Studio that the tests share."""
    return start_label_studio(None)


@pytest.fixture
def admin(label_studio: Installation) -> LabelStudioAdmin:
    return label_studio.admin


@pytest.fixture
def project(admin: LabelStudioAdmin) -> Iterator[int]:
    """An empty project with boxes for cats and dogs."""
    number = admin.create_project("cats and dogs", LABEL_CONFIG)
    yield number
    admin.delete_project(number)


@pytest.fixture(scope="session")
def sub_path_label_studio(start_label_studio: Callable[[Environment | None], Installation]) -> Installation:
    """A Label Studio that believes to be served below /label; `sub_path_url` is where it is."""
    return start_label_studio({"LABEL_STUDIO_HOST": "http://127.0.0.1/label"})


@pytest.fixture
async def sub_path_url(sub_path_label_studio: Installation) -> AsyncIterator[str]:
    """The address of `sub_path_label_studio`: a proxy that takes /label away, as an Ingress does."""

    async def forward(request: web.Request) -> web.Response:
        headers = {k: v for k, v in request.headers.items() if k in ("Authorization", "Content-Type")}
        async with (
            ClientSession() as session,
            session.request(
                request.method,
                sub_path_label_studio.url + request.raw_path.removeprefix("/label"),
                data=await request.read(),
                headers=headers,
                allow_redirects=False,
            ) as answer,
        ):
            kind = {"Content-Type": answer.headers.get("Content-Type", "application/octet-stream")}
            return web.Response(status=answer.status, body=await answer.read(), headers=kind)

    app = web.Application()
    app.router.add_route("*", "/label/{path:.*}", forward)
    async with TestServer(app) as server:
        yield str(server.make_url("/label"))


@dataclass
class StubBackend:
    """Speaks just enough to be connected, and predicts nothing.

    `credentials` is the Authorization it wants; each of the first answers to /setup waits for one of `gates`.
    """

    port: int = 0
    credentials: str | None = None
    received: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    setup_status: int = 200
    health_status: int = 200
    gates: list[threading.Event] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def webhooks(self) -> list[tuple[dict[str, str], Any]]:
        """Headers and bodies of the events that arrived."""
        return [(headers, body) for path, headers, body in self.received if path.endswith("/webhook")]


def _handler(stub: StubBackend) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            self._answer(json.loads(self.rfile.read(length) or b"null"))

        def _answer(self, body: Any) -> None:
            stub.received.append((self.path, dict(self.headers), body))
            if self.path == "/setup" and stub.gates:
                stub.gates.pop(0).wait(PATIENCE)
            known = stub.credentials is None or self.headers.get("Authorization") == stub.credentials
            answers = {"setup": stub.setup_status, "health": stub.health_status}
            status = answers.get(self.path.rpartition("/")[2], 200) if known else 401
            tasks = body.get("tasks", []) if isinstance(body, dict) else []
            answer = {"status": "UP", "model_version": VERSION, "results": [{"result": []} for _ in tasks]}
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


@pytest.fixture
def start_stub() -> Iterator[Callable[[], StubBackend]]:
    servers: list[ThreadingHTTPServer] = []

    def start() -> StubBackend:
        stub = StubBackend()
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stub))
        stub.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return stub

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def stub(start_stub: Callable[[], StubBackend]) -> StubBackend:
    """A backend that Label Studio can reach."""
    return start_stub()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the control plane, if it must be built, before the clock of the first test runs."""
    needed = any("cluster" in getattr(item, "fixturenames", ()) for item in session.items)
    if needed and not session.config.option.collectonly:
        with _shown(session.config):
            _prepare()


def _prepare() -> None:
    try:
        find_source(None, Progress())
    except ClusterError as error:
        raise pytest.UsageError(str(error)) from None


def _shown(config: pytest.Config) -> Any:
    """What is printed in this context is shown while it happens."""
    return config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A Kubernetes API with our two resources, shared by all tests: each works in namespaces of its own."""
    with Cluster.start(f"test-{os.getpid()}") as started:
        definitions = [f"--filename={file}" for file in sorted(CRDS.glob("*.yaml"))]
        started.kubectl("apply", "--server-side", "--force-conflicts", *definitions)
        started.kubectl("wait", "--for=condition=Established", "--timeout=600s", *definitions)
        yield started


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of one test."""
    name = f"test-{secrets.token_hex(4)}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")
