"""Processes that run as the containers of pods would, with the operator's command lines, files and rights.

Only the places differ: what a pod mounts at a fixed path is in a folder here, and ports are free ones.
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cluster import Cluster
from label_studio import free_port
from operating import Studio
from serving import basic

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.decisions import Decisions
from lsb_crds.resolve import resolve
from lsb_operator import names
from lsb_operator.children import volumes
from lsb_operator.children.config import config
from lsb_operator.children.role_binding import serve_binding, train_binding
from lsb_operator.children.service_account import serve_account, train_account
from lsb_operator.children.template import template
from lsb_operator.facts import Facts, Manifest
from lsb_operator.jobs.prepare import prepare
from lsb_operator.jobs.train import train
from lsb_operator.observe import training_facts
from lsb_operator.reconcile import parse

CREDENTIALS = "lsbackends:secret"
_CONFIGURATION = volumes.CONFIGURATION


class MountedFolder:
    """A folder whose files change as the kubelet changes them: all at once, by the swap of a link."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._number = 0
        self._files: dict[str, str] = {}
        path.mkdir(parents=True)

    def write(self, **files: str | None) -> None:
        """Change files; None takes one away. Dots in a name are written as `__`."""
        changed = {name.replace("__", "."): text for name, text in files.items()}
        self._files = {k: v for k, v in (self._files | changed).items() if v is not None}
        self._number += 1
        data = self.path / f"..{self._number}"
        data.mkdir()
        for name, text in self._files.items():
            (data / name).write_text(text)
            link = self.path / name
            if not link.is_symlink():
                link.symlink_to(f"..data/{name}")
        swap = self.path / "..swap"
        swap.symlink_to(data.name)
        swap.rename(self.path / "..data")
        for name in {path.name for path in self.path.iterdir()} - self._files.keys():
            if not name.startswith(".."):
                (self.path / name).unlink()


@dataclass
class Container:
    """The process of one container."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    port: int = 0
    metrics_port: int = 0
    configuration: MountedFolder | None = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    @property
    def message(self) -> str:
        """What it left in its termination message."""
        return (self.folder / "termination-log").read_text()

    def wait(self) -> int:
        """Its exit code, when it has ended."""
        return self.process.wait(600)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code after a signal."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def get(self, path: str, metrics: bool = False) -> tuple[int, Any]:
        """HTTP status and body of a GET; (0, None) where nothing answers."""
        return self._ask(path, None, self.metrics_port if metrics else self.port)

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        return self._ask(path, body, self.port)

    def status(self) -> dict[str, Any]:
        """What the operator reads; empty before it answers."""
        return self.get("/status", metrics=True)[1] or {}

    def serves(self) -> str | None:
        """The version that it is ready with."""
        code, body = self.get("/readyz")
        return body["model_version"] if code == 200 else None

    def _ask(self, path: str, body: Any, port: int) -> tuple[int, Any]:
        if self.process.poll() is not None:
            raise AssertionError(f"it has ended with {self.process.returncode}:\n{self.log}")
        headers = {"Content-Type": "application/json", "Authorization": basic(CREDENTIALS)}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")
        except (urllib.error.URLError, OSError):
            return 0, None


@dataclass
class Pods:
    """The pods of the backend `cats`, whose store is in `folder`; `token` is Label Studio's."""

    studio: Studio
    folder: Path
    token: str = "0" * 40
    redis_url: str | None = None
    started: list[Container] = field(default_factory=list)

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def apply(self, **spec: Any) -> None:
        """Make the backend, and of its children the accounts with their rights."""
        self.studio.apply(**spec)
        backend, facts = self.backend(), self.facts()
        resolved = resolve(backend, "1.0.0")
        builders = (serve_account, train_account, serve_binding, train_binding)
        made = [builder(backend, resolved, facts) for builder in builders]
        document = {"apiVersion": "v1", "kind": "List", "items": made}
        self.studio.kubectl("apply", "--server-side", "--filename=-", input=json.dumps(document))

    def backend(self) -> LabelStudioBackend:
        return parse(self.studio.get("LabelStudioBackend", "cats"))

    def facts(self, target: str | None = None) -> Facts:
        live = self.studio.get("LabelStudioBackend", "cats")
        return Facts(backend=live, now=datetime.now(UTC), target=target)

    def ask(self, name: str, **spec: Any) -> None:
        """A person asks for a training."""
        asked = {
            "apiVersion": "lsbackends.dev/v1alpha1",
            "kind": "LabelStudioTraining",
            "metadata": {"name": name},
            "spec": {"backend": "cats", **spec},
        }
        self.studio.kubectl("create", "--filename=-", input=json.dumps(asked))

    def end_training(self, name: str, phase: str) -> None:
        """The operator writes how a training ended."""
        path = self.studio.path("LabelStudioTraining", name)
        training = self.studio.api.get(path)
        training["status"] = (training.get("status") or {}) | {
            "phase": phase,
            "finishedAt": "2026-11-22T12:00:00Z",
        }
        self.studio.api.replace(f"{path}/status", training)

    def serve(self, version: str | None, **environment: str) -> Container:
        """A serving pod; `version` is in the file that it follows."""
        backend, facts = self.backend(), self.facts(version)
        resolved = resolve(backend, "1.0.0")
        pod = template(backend, resolved, facts)
        text = config(backend, resolved, facts)["data"]["backend.yaml"]
        return self._start("serve", pod, {"backend.yaml": text, "version": version}, environment)

    def train(
        self, name: str, target: str | None = None, decisions: str = "", **environment: str
    ) -> Container:
        """The pod of a training's Job; `decisions` as the operator writes them."""
        facts = replace(self.facts(target), decisions=Decisions.read(decisions))
        asked = training_facts(self.studio.get("LabelStudioTraining", name))
        build = prepare if asked.reason == "Prepare" else train
        backend = self.backend()
        job = build(backend, resolve(backend, "1.0.0"), facts, asked, 1)
        pod = job["spec"]["template"]
        known = pod["metadata"]["annotations"]
        files = {"backend.yaml": known["lsbackends.dev/manifest"], "decisions": known[names.DECISIONS]}
        return self._start("train", pod, files, environment)

    def end(self) -> None:
        """End all that still runs."""
        for one in self.started:
            if one.process.poll() is None:
                one.end(signal.SIGKILL)

    def _start(
        self, program: str, pod: Manifest, files: Mapping[str, str | None], environment: Mapping[str, str]
    ) -> Container:
        folder = self.folder / f"{program}-{len(self.started)}"
        mounted = MountedFolder(folder / "configuration")
        mounted.write(**{name.replace(".", "__"): text for name, text in files.items()})
        self._write_secrets(folder)
        account_folder(self.studio.cluster, self.studio.name, f"cats-{program}", folder / "account")
        (folder / "termination-log").touch()
        (folder / "tmp").mkdir()
        [spec] = pod["spec"]["containers"]
        ports = {"--port": free_port(), "--metrics-port": free_port()}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "lsb_cli", *self._line(spec["command"][1:], folder, ports)],
                env=self._environment(spec, folder) | dict(environment),
                cwd=folder / "tmp",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        made = Container(process, folder, ports["--port"], ports["--metrics-port"], mounted)
        self.started.append(made)
        return made

    def _write_secrets(self, folder: Path) -> None:
        secrets = folder / "secrets"
        secrets.mkdir()
        (secrets / "token").write_text(self.token)
        (secrets / "credentials").write_text(CREDENTIALS)
        (secrets / "url").write_text(self.redis_url or "")

    def _line(self, words: list[str], folder: Path, ports: Mapping[str, int]) -> list[str]:
        places = {
            volumes.STORE: str(self.store),
            volumes.TOKEN_FILE: str(folder / "secrets" / "token"),
            volumes.BASIC_AUTH_FILE: str(folder / "secrets" / "credentials"),
            volumes.REDIS_URL_FILE: str(folder / "secrets" / "url"),
            "0.0.0.0": "127.0.0.1",  # noqa: S104
        }
        line = [
            places.get(word, word.replace(_CONFIGURATION, str(folder / "configuration"))) for word in words
        ]
        for option, port in ports.items():
            if option in line:
                line[line.index(option) + 1] = str(port)
        return line

    def _environment(self, container: Manifest, folder: Path) -> dict[str, str]:
        address = urlsplit(server_of(self.studio.cluster)["server"])
        given = {one["name"]: one["value"] for one in container["env"]}
        kept = {key: value for key, value in os.environ.items() if key.startswith(("OPENBLAS", "COVERAGE"))}
        return {
            **kept,
            **given,
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "tmp"),
            "TMPDIR": str(folder / "tmp"),
            "KUBERNETES_SERVICE_HOST": str(address.hostname),
            "KUBERNETES_SERVICE_PORT": str(address.port),
            "LSB_SERVICE_ACCOUNT_FOLDER": str(folder / "account"),
            "LSB_TERMINATION_LOG": str(folder / "termination-log"),
        }


def server_of(cluster: Cluster) -> dict[str, Any]:
    """The address of the API server, and the authority that vouches for it, as in a kubeconfig."""
    view = json.loads(cluster.kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=json"))
    found: dict[str, Any] = view["clusters"][0]["cluster"]
    return found


def account_folder(cluster: Cluster, namespace: str, account: str, folder: Path) -> None:
    """What Kubernetes mounts into a pod of a ServiceAccount."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    token = cluster.kubectl("create", "token", account, f"--namespace={namespace}").strip()
    (folder / "token").write_text(token)
    (folder / "ca.crt").write_bytes(base64.b64decode(server_of(cluster)["certificate-authority-data"]))
    (folder / "namespace").write_text(namespace)
