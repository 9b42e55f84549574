"""HTTP to one Label Studio: the token, time limits, repeats, and errors in plain words."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
import stamina
import yarl

from lsb_crds.errors import UserError

from .diagnosis import detail, refusal, unreachable, untrusted
from .errors import LabelStudioError, RefusedError, UnreachableError
from .token import Credentials

Json = Any
TokenSource = str | Callable[[], str]

MAXIMUM_BYTES = 64 << 20
CONNECTIONS = 16
QUICK = aiohttp.ClientTimeout(total=60, sock_connect=10)
# Label Studio asks each ML backend for /health and /setup before it answers, with time limits of its own.
ASKING = aiohttp.ClientTimeout(total=300, sock_connect=10)
# Label Studio answers some calls only after a model has answered it.
PATIENT = aiohttp.ClientTimeout(total=3600, sock_connect=10)
# A proxy says these while the Label Studio behind it is starting.
GATEWAY = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `path` is below Label Studio's address, `maximum_bytes` limits the answer.

    `parse` reads a good answer in a thread; ValueError means that it is not what was asked for.
    """

    method: str
    path: str
    params: Mapping[str, str | int] | None = None
    body: Json = field(default=None, repr=False)  # may hold the token
    limits: aiohttp.ClientTimeout = QUICK
    maximum_bytes: int = MAXIMUM_BYTES
    parse: Callable[[bytes], Json] = json.loads


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    data: bytes
    location: str | None = None


class Connection:
    """Calls one Label Studio; paths are below its address, a sub-path of which is kept.

    `token` is a token, or a function that gives the one valid now. `session` stays the caller's; `connect`
    makes one with the right limits. Every method raises LabelStudioError.
    """

    def __init__(self, url: str, token: TokenSource, session: aiohttp.ClientSession) -> None:
        self.url = normal_url(url)
        self._session = session
        self._origin = _origin(self.url)
        self.credentials = Credentials(token if callable(token) else lambda: token, self._refresh)

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str, token: TokenSource) -> AsyncIterator[Self]:
        """Open a session for the time of a `with` block. Sends nothing yet; `check` does."""
        # Label Studio sets a session cookie, which would hide that a token no longer works.
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS), cookie_jar=jar, timeout=QUICK
        ) as session:
            studio = cls(url, token, session)
            try:
                yield studio
            finally:
                await studio.credentials.close()

    def owns(self, url: str) -> bool:
        """Whether `url` has Label Studio's own scheme, host and port: the only place its token may go to."""
        try:
            return _origin(url) == self._origin
        except ValueError:
            return False

    async def headers(self) -> dict[str, str]:
        """The Authorization header, for URLs that Label Studio `owns`."""
        return await self.credentials.headers()

    async def get_json(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        limits: aiohttp.ClientTimeout = QUICK,
        maximum_bytes: int = MAXIMUM_BYTES,
        parse: Callable[[bytes], Json] = json.loads,
    ) -> Json:
        """GET, repeated on a failing network or server, and read as JSON of at most `maximum_bytes`."""
        return await self._repeated(Request("GET", path, params, None, limits, maximum_bytes, parse))

    async def post_json(
        self,
        path: str,
        body: Json,
        params: Mapping[str, str | int] | None = None,
        *,
        limits: aiohttp.ClientTimeout = QUICK,
    ) -> Json:
        """POST once: a second one could do it twice."""
        return await self._authorized(Request("POST", path, params, body, limits))

    async def patch_json(self, path: str, body: Json, *, limits: aiohttp.ClientTimeout = QUICK) -> Json:
        """PATCH, repeated like GET."""
        return await self._repeated(Request("PATCH", path, None, body, limits))

    async def delete(self, path: str) -> bool:
        """DELETE, repeated like GET; whether it was still there."""
        try:
            await self._repeated(Request("DELETE", path))
        except RefusedError as error:
            if error.status == 404 and error.detail:
                return False
            raise
        return True

    async def _repeated(self, request: Request) -> Json:
        async for attempt in _attempts():
            with attempt:
                return await self._authorized(request)
        raise AssertionError("the last attempt returns or raises")

    async def _authorized(self, request: Request) -> Json:
        headers = await self.headers()
        answer = await self._send(request, headers)
        if answer.status == 401:
            # The access token has run out early, or the token file was changed.
            self.credentials.reject(headers)
            answer = await self._send(request, await self.headers())
        return await self._understood(request, answer)

    async def _refresh(self, token: str) -> str:
        request = Request("POST", "/api/token/refresh/", body={"refresh": token})
        async for attempt in _attempts():
            with attempt:
                body = await self._understood(request, await self._send(request, {}))
        if not isinstance(body, dict) or not isinstance(body.get("access"), str):
            raise self._refused(request.path, Answer(200, b""))
        return str(body["access"])

    async def _send(self, request: Request, headers: Mapping[str, str]) -> Answer:
        try:
            # A redirect would turn POST into GET, and shows that the address is not Label Studio's own.
            async with self._session.request(
                request.method,
                self.url + request.path,
                params=request.params,
                json=request.body,
                headers=headers,
                timeout=request.limits,
                allow_redirects=False,
            ) as response:
                data = await _read(response, self.url + request.path, request.maximum_bytes)
                return Answer(response.status, data, response.headers.get("Location"))
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            raise LabelStudioError(untrusted(self.url)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise UnreachableError(unreachable(self.url, error)) from error

    async def _understood(self, request: Request, answer: Answer) -> Json:
        if answer.status in GATEWAY:
            raise UnreachableError(
                f"A proxy answers {answer.status} for {self.url}: Label Studio behind it is down or starting."
            )
        if not 200 <= answer.status < 300:
            raise self._refused(request.path, answer)
        if not answer.data:
            return None
        try:
            return await asyncio.to_thread(request.parse, answer.data)
        except ValueError:
            raise self._refused(request.path, answer) from None

    def _refused(self, path: str, answer: Answer) -> RefusedError:
        text = answer.data[:65_536].decode(errors="replace")
        message = refusal(self.url, path, answer.status, text, answer.location)
        return RefusedError(message, answer.status, detail(text))


def normal_url(url: str) -> str:
    """Label Studio's address without the slash at its end; raises UserError if it cannot be one."""
    try:
        parsed = yarl.URL(url.strip())
        usable = parsed.scheme in ("http", "https") and parsed.host and parsed.explicit_port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UserError(
            f"labelStudio.url is {url!r}: it must look like http://host:8080 or https://host/path."
        )
    if parsed.user is not None or parsed.password is not None:
        raise UserError("labelStudio.url must not hold a user or password: the token is all that is needed.")
    return str(parsed.with_query(None).with_fragment(None)).rstrip("/")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    # yarl's own origin() keeps a default port that is written out.
    parsed = yarl.URL(url)
    return parsed.scheme, parsed.host, parsed.port


def _attempts() -> AsyncIterator[stamina.Attempt]:
    return stamina.retry_context(
        on=_worth_repeating, attempts=4, timeout=90, wait_initial=0.2, wait_max=3, wait_jitter=0.3
    ).__aiter__()


def _worth_repeating(error: Exception) -> bool:
    return isinstance(error, UnreachableError) or (isinstance(error, RefusedError) and error.status >= 500)


async def _read(response: aiohttp.ClientResponse, url: str, maximum_bytes: int) -> bytes:
    parts = bytearray()
    async for part in response.content.iter_chunked(1 << 16):
        parts += part
        if len(parts) > maximum_bytes:
            raise LabelStudioError(
                f"The answer of {url} is larger than {maximum_bytes >> 20} MiB, the limit here."
            )
    return bytes(parts)
