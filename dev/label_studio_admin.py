"""What an administrator and an annotator do in a browser, as plain calls: for the demo and the tests."""

import http.cookiejar
import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Json = Any


class AdminError(Exception):
    """Label Studio answered with an error; `status` is its HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"Label Studio answered {status}: {text[:500]}")
        self.status = status


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the one after the login leads to a page that nobody reads."""

    def redirect_request(self, *_: Json) -> None:
        return None


class LabelStudioAdmin:
    """Somebody logged in at Label Studio with e-mail and password, as with a browser."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self._cookies), _StayHere()
        )
        self._log_in(username, password)

    def get(self, path: str) -> Json:
        """GET `path` (starts with /api/) and return its JSON."""
        return self._send("GET", path)

    def send(self, method: str, path: str, body: Json = None) -> Json:
        """Send JSON with POST, PATCH or DELETE and return the JSON of the answer, None for an empty one."""
        data = None if body is None else json.dumps(body).encode()
        return self._send(method, path, data, "application/json")

    def personal_token(self) -> str:
        """Make a personal access token; one made before is revoked, for Label Studio cannot show it again."""
        for old in self.get("/api/token/"):
            self.send("POST", "/api/token/blacklist/", {"refresh": old["token"]})
        token: str = self.send("POST", "/api/token/", {})["token"]
        return token

    def legacy_token(self) -> str:
        """The user's legacy token, whether or not the organization accepts it."""
        token: str = self.get("/api/current-user/token")["token"]
        return token

    def allow_tokens(self, *, personal: bool = True, legacy: bool = False) -> None:
        """Choose which kinds of token the organization accepts."""
        settings = {"api_tokens_enabled": personal, "legacy_api_tokens_enabled": legacy}
        self.send("POST", "/api/jwt/settings", settings)

    def create_project(self, title: str, label_config: str, **settings: Json) -> int:
        """Make a project; `settings` are further fields of Label Studio's project. Returns its id."""
        body = {"title": title, "label_config": label_config, **settings}
        project: int = self.send("POST", "/api/projects/", body)["id"]
        return project

    def delete_project(self, project: int) -> None:
        """Delete a project with all that is in it."""
        self.send("DELETE", f"/api/projects/{project}/")

    def import_tasks(self, project: int, tasks: Sequence[Mapping[str, Json]]) -> list[int]:
        """Import tasks (`{"data": {...}}`); their ids, oldest first."""
        before = set(self.tasks(project))
        self.send("POST", f"/api/projects/{project}/import", list(tasks))
        return [task for task in self.tasks(project) if task not in before]

    def upload(self, project: int, files: Sequence[Path]) -> list[int]:
        """Upload pictures as a person does in the import window: one task each. Their ids, in that order."""
        before = set(self.tasks(project))
        for file in files:
            self._upload(project, [file])
        return [task for task in self.tasks(project) if task not in before]

    def upload_together(self, project: int, files: Sequence[Path], at_once: int = 50) -> None:
        """Upload many pictures in few requests, which is quicker; the order of their tasks is anybody's."""
        for first in range(0, len(files), at_once):
            self._upload(project, files[first : first + at_once])

    def tasks(self, project: int) -> list[int]:
        """The ids of all tasks, oldest first. Asks no backend for predictions."""
        return sorted(task["id"] for task in self.export(project))

    def export(self, project: int) -> list[dict[str, Json]]:
        """All tasks of a project, annotated or not, as Label Studio's JSON export gives them."""
        tasks: list[dict[str, Json]] = self.get(
            f"/api/projects/{project}/export?exportType=JSON&download_all_tasks=true"
        )
        return tasks

    def annotate(self, task: int, result: Sequence[Mapping[str, Json]], **fields: Json) -> int:
        """Submit an annotation, as the Submit button does (`was_cancelled=True`: Skip). Its id."""
        body = {"result": list(result), **fields}
        annotation: int = self.send("POST", f"/api/tasks/{task}/annotations/", body)["id"]
        return annotation

    def update_annotation(self, annotation: int, result: Sequence[Mapping[str, Json]]) -> None:
        """Change an annotation, as the Update button does."""
        self.send("PATCH", f"/api/annotations/{annotation}/", {"result": list(result)})

    def predictions(self, task: int) -> list[dict[str, Json]]:
        """The predictions stored for a task. Asks no backend for new ones."""
        predictions: list[dict[str, Json]] = self.get(f"/api/predictions?task={task}")
        return predictions

    def retrieve_predictions(self, project: int, tasks: Sequence[int]) -> None:
        """The Data Manager's action "Retrieve predictions" for some tasks."""
        body = {
            "selectedItems": {"all": False, "included": list(tasks)},
            "ordering": [],
            "project": str(project),
        }
        self.send("POST", f"/api/dm/actions?id=retrieve_tasks_predictions&project={project}", body)

    def backends(self, project: int) -> list[dict[str, Json]]:
        """The ML backends of a project; Label Studio calls each one's /health and /setup."""
        backends: list[dict[str, Json]] = self.get(f"/api/ml?project={project}")
        return backends

    def webhooks(self, project: int) -> list[dict[str, Json]]:
        """The webhooks of a project."""
        webhooks: list[dict[str, Json]] = self.get(f"/api/webhooks/?project={project}")
        return webhooks

    def start_training(self, backend: int) -> None:
        """Press the Start training button of an ML backend."""
        self.send("POST", f"/api/ml/{backend}/train", {})

    def _upload(self, project: int, files: Sequence[Path]) -> None:
        boundary = secrets.token_hex(16)
        data = bytearray()
        for number, file in enumerate(files):
            data += (
                f'--{boundary}\r\nContent-Disposition: form-data; name="file{number or ""}"; '
                f'filename="{file.name}"\r\n\r\n'
            ).encode()
            data += file.read_bytes() + b"\r\n"
        data += f"--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        self._send("POST", f"/api/projects/{project}/import", bytes(data), kind)

    def _log_in(self, username: str, password: str) -> None:
        self._open("GET", "/user/login/")
        csrf = next((cookie.value for cookie in self._cookies if cookie.name == "csrftoken"), None)
        form = {"email": username, "password": password, "csrfmiddlewaretoken": csrf or ""}
        data = urllib.parse.urlencode(form).encode()
        self._open("POST", "/user/login/", data, "application/x-www-form-urlencoded")
        self.get("/api/current-user/whoami")

    def _send(self, method: str, path: str, data: bytes | None = None, kind: str | None = None) -> Json:
        text = self._open(method, path, data, kind)
        return json.loads(text) if text else None

    def _open(self, method: str, path: str, data: bytes | None = None, kind: str | None = None) -> bytes:
        headers = {"Referer": f"{self.url}/", **({"Content-Type": kind} if kind else {})}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - our server
        try:
            with self._opener.open(request, timeout=600) as answer:
                text: bytes = answer.read()
        except urllib.error.HTTPError as error:
            if error.code < 400:
                return b""
            raise AdminError(error.code, error.read().decode(errors="replace")) from None
        return text
