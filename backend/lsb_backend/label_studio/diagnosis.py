"""What went wrong between Label Studio and this backend, in one line that names the setting to change."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import aiohttp

ACCOUNT = "Account & Settings > Personal Access Token"
ORGANIZATION = "Organization > API Tokens Settings"

# What Label Studio says with a 401, and what that means; the first match counts.
UNAUTHORIZED = (
    (
        "legacy token authentication has been disabled",
        "this is a legacy token, and the organization does not accept those: create a personal access token "
        f"({ACCOUNT}), or enable legacy tokens ({ORGANIZATION})",
    ),
    ("blacklisted", f"this personal access token was revoked: create a new one ({ACCOUNT})"),
    ("expired", f"this personal access token has expired: create a new one ({ACCOUNT})"),
    (
        "wrong type",
        f"this is a short-lived access token: give the personal access token it was made from ({ACCOUNT})",
    ),
    (
        "token is invalid",
        "it did not sign this personal access token: the token is mistyped or from another Label Studio, or "
        f"the SECRET_KEY in Label Studio's data folder was lost; create a new token ({ACCOUNT})",
    ),
    (
        "invalid token",
        f"it does not know this token: copy it again, or create a personal access token ({ACCOUNT})",
    ),
    ("user", "the user of this token was deleted or deactivated: use the token of another user"),
    (
        "not provided",
        f"personal access tokens are switched off in the organization: switch them on ({ORGANIZATION})",
    ),
)


def detail(text: str) -> str:
    """What an error answer of Label Studio says, on one line; empty if it is not such an answer."""
    try:
        body = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    parts = [str(body.get("detail") or ""), *_leaves(body.get("validation_errors"))]
    words = " ".join(" ".join(part for part in parts if part != "Validation error").split())
    return re.sub(r"<[^>]{0,200}>", "", words)[:1000]


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [] if value is None else [str(value)]


def unreachable(url: str, error: BaseException) -> str:
    """Why there was no answer at `url`."""
    if isinstance(error, TimeoutError):
        return f"Label Studio at {url} did not answer in time: it is overloaded, or a firewall is in between."
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        name = urlsplit(url).hostname
        return f"The name {name} of Label Studio's address {url} does not resolve: correct labelStudio.url."
    if isinstance(error, aiohttp.ClientConnectorError):
        return (
            f"Nothing answers at {url} ({error.strerror}): is Label Studio up, and is labelStudio.url right?"
        )
    name = type(error).__name__
    return f"Label Studio at {url} broke off the connection ({name}): it is restarting or overloaded."


def untrusted(url: str) -> str:
    """TLS failed."""
    return (
        f"The TLS certificate of {url} is not trusted, or what listens there does not speak TLS: name the "
        "authority that signed it in labelStudio.caBundle (on a laptop: SSL_CERT_FILE), or write http://."
    )


def refusal(url: str, path: str, status: int, text: str, location: str | None = None) -> str:
    """Why the Label Studio at `url` did not do what was asked at `path`; `text` is the body of its answer."""
    said = detail(text)
    if 300 <= status < 400:
        target = urlsplit(location or "")
        to = f"{target.scheme}://{target.netloc}{target.path}" if target.netloc else target.path
        page = " ".join(to.split()) or "another page"
        return f"{url} redirects to {page}: set labelStudio.url to where Label Studio itself answers."
    if not said and (status == 404 or status < 300):
        return (
            f"{url} answers, but not as Label Studio does (status {status} at {path}): is labelStudio.url "
            "right? If Label Studio is served under a path (LABEL_STUDIO_HOST=https://host/path), that path "
            "is part of it."
        )
    if status == 401:
        reason = next(
            (meaning for words, meaning in UNAUTHORIZED if words in said.lower()), said or "no reason given"
        )
        return f"Label Studio at {url} does not accept the token: {reason}."
    if status == 403:
        return f"Label Studio at {url} forbids {path} to the user of this token: {said or 'no reason given'}"
    return f"Label Studio at {url} answered {status} at {path}: {said or 'no reason given'}"


def registration(status: int, said: str, backend_url: str, row_saved: bool) -> str:
    """Why Label Studio did not take the backend at `backend_url`; `said` is the `detail` of its answer.

    `row_saved` tells whether the backend is in the project all the same: Label Studio saves it before it
    makes the webhook, so that a refused webhook looks like a refused backend.
    """
    words = said.lower()
    if "reserved network address" in words or "was not allowed" in words:
        first, second = "ML_BLOCK_LOCAL_IP", "SSRF_PROTECTION_ENABLED"
        if row_saved:
            return blocked(backend_url, second, "webhooks")
        return f"{blocked(backend_url, first, 'ML backends')} The webhook will need {second}=false as well."
    if "can't resolve hostname" in words:
        name = urlsplit(backend_url).hostname
        return f"Label Studio cannot resolve the name {name}: {reachable_advice(backend_url)}"
    if "authentication parameters" in words:
        return (
            f"Label Studio reached {backend_url}, but user and password of HTTP Basic authentication were "
            "wrong: register with the ones the backend was started with."
        )
    if "health check failed" in words:
        advice = reachable_advice(backend_url)
        return f"Label Studio cannot reach the backend at {backend_url} ({cause(said)}): {advice}"
    if "valid ml backend" in words:
        return (
            f"Label Studio reached {backend_url}, but its /setup failed: the log of the backend says why. "
            f"Usually the project's label config has no control that model.task can fill. ({cause(said)})"
        )
    return f"Label Studio did not take the backend {backend_url}: {status} {said or 'without a reason'}"


def blocked(backend_url: str, setting: str, what: str) -> str:
    """Label Studio's protection against requests to its own network is in the way."""
    return (
        f"Label Studio refuses {what} at private addresses, and {backend_url} is one: start Label Studio "
        f"with the environment variable {setting}=false."
    )


def no_webhook(status: int, said: str, backend_url: str) -> str:
    """Why the webhook could not be made; without it annotations are noticed late."""
    if "reserved network address" in said.lower():
        return blocked(backend_url, "SSRF_PROTECTION_ENABLED", "webhooks")
    host = urlsplit(backend_url).hostname or ""
    if host != "localhost" and (not {".", ":"} & set(host) or "_" in host):
        return (
            f"Label Studio makes no webhook for {backend_url}, because the host name {host} has no dot or "
            "has an underscore: set labelStudio.backendURL to localhost, an IP address, or a full name such "
            "as name.namespace.svc or ml-backend.local."
        )
    return f"Label Studio did not make a webhook for {backend_url}: {status} {said or 'without a reason'}"


def reachable_advice(backend_url: str) -> str:
    """Which address to give Label Studio, by where it runs."""
    port = urlsplit(backend_url).port or 9090
    return (
        "set labelStudio.backendURL to an address at which Label Studio reaches this backend: "
        f"http://localhost:{port} if both run on this machine, http://host.docker.internal:{port} if Label "
        "Studio runs in a container (then serve with --host 0.0.0.0), "
        f"http://<name>.<namespace>.svc:{port} in a cluster."
    )


def cause(said: str) -> str:
    """The heart of what Python's requests says inside Label Studio's message."""
    known = (
        ("connection refused", "connection refused"),
        ("name or service not known", "the name does not resolve"),
        ("failed to resolve", "the name does not resolve"),
        ("timed out", "no answer in time"),
        ("no route to host", "no route to host"),
        ("expecting value", "the answer was not JSON"),
    )
    plain = next((meaning for words, meaning in known if words in said.lower()), None)
    status = re.search(r"\b([45]\d\d) (?:Client|Server) Error", said)
    return plain or (f"it answered {status[1]}" if status else said[-200:])
