"""Images over HTTP: bounded, retried, and without our token leaving Label Studio."""

from collections.abc import Mapping, Sequence

import aiohttp
import stamina

from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.label_studio.errors import LabelStudioError
from lsb_backend.media import address
from lsb_backend.media.error import MediaError, Reason
from lsb_backend.media.fetched import Fetched, Validators
from lsb_backend.media.limits import Limits
from lsb_backend.media.locate import Remote, redirected

REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHUNK = 2**16
UNCHANGED = 304


class UnavailableError(Exception):
    """A server that may well answer if it is asked again."""


TRANSIENT = (UnavailableError, TimeoutError, aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)


class Fetcher:
    """GETs images; holds the connections. Close it in the end."""

    def __init__(self, studio: LabelStudio, hosts: Sequence[str], limits: Limits) -> None:
        self._studio = studio
        self._hosts = hosts
        self._limits = limits
        self._session: aiohttp.ClientSession | None = None

    async def get(self, remote: Remote) -> bytes:
        """The body found at `remote`; raises MediaError, after some attempts where another may help."""
        fetched = await self.fetch(remote)
        return fetched.data or b""

    async def fetch(self, remote: Remote, known: Validators | None = None) -> Fetched:
        """What is found at `remote`, without its body if that is still what `known` belongs to.

        Raises as `get` does.
        """
        try:
            async for attempt in stamina.retry_context(
                on=TRANSIENT, attempts=self._limits.attempts, timeout=None, wait_initial=0.2, wait_max=2.0
            ):
                with attempt:
                    return await self._follow(remote, known or Validators())
        except TimeoutError:
            seconds = f"{self._limits.total_timeout:g} s"
            raise MediaError(
                Reason.UNREACHABLE, f"{address.shown(remote.url)} was not read within {seconds}."
            ) from None
        except TRANSIENT as error:
            raise MediaError(
                Reason.UNREACHABLE, f"{address.shown(remote.url)} cannot be read: {error}."
            ) from None
        except LabelStudioError as error:
            raise MediaError(Reason.UNREACHABLE, str(error)) from None
        except aiohttp.ClientError as error:
            raise MediaError(
                Reason.UNREACHABLE,
                f"{address.shown(remote.url)} does not answer as HTTP asks ({type(error).__name__}).",
            ) from None
        raise AssertionError("the last attempt returns or raises")

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _follow(self, remote: Remote, known: Validators) -> Fetched:
        conditions = known.conditions
        for _ in range(self._limits.redirects + 1):
            async with await self._answer(remote, conditions) as response:
                location = response.headers.get("Location")
                if conditions and response.status == UNCHANGED:
                    return Fetched(None, known)
                if response.status not in REDIRECTS or location is None:
                    return Fetched(await self._body(remote, response), Validators.of(response.headers))
            remote = redirected(remote, location, self._hosts)
        raise MediaError(
            Reason.UNREACHABLE,
            f"{address.shown(remote.url)} was reached after {self._limits.redirects} redirects "
            "and redirects again.",
        )

    async def _answer(self, remote: Remote, conditions: Mapping[str, str]) -> aiohttp.ClientResponse:
        if not remote.trusted:
            return await self._opened().get(remote.url, headers=conditions, allow_redirects=False)
        headers = await self._studio.headers()
        response = await self._opened().get(
            remote.url, headers={**headers, **conditions}, allow_redirects=False
        )
        if response.status == 401:
            # An access token may end before its time, when Label Studio is restarted with another key.
            response.release()
            self._studio.credentials.reject(headers)
            headers = {**await self._studio.headers(), **conditions}
            response = await self._opened().get(remote.url, headers=headers, allow_redirects=False)
        return response

    async def _body(self, remote: Remote, response: aiohttp.ClientResponse) -> bytes:
        if response.status != 200:
            raise await _refusal(remote, response)
        limit = self._limits.bytes
        data = bytearray()
        # The length that the server announces is the compressed one, and may be none; what arrives counts.
        too_large = (response.content_length or 0) > limit
        while not too_large and (chunk := await response.content.read(CHUNK)):
            data += chunk
            too_large = len(data) > limit
        if too_large:
            raise MediaError(
                Reason.TOO_LARGE, f"{address.shown(remote.url)} is larger than the {limit} bytes allowed."
            )
        return bytes(data)

    def _opened(self) -> aiohttp.ClientSession:
        # Made in the loop that uses it, not in the constructor.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._limits.connections),
                timeout=aiohttp.ClientTimeout(
                    total=self._limits.total_timeout, sock_connect=self._limits.connect_timeout
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                requote_redirect_url=False,
            )
        return self._session


async def _refusal(remote: Remote, response: aiohttp.ClientResponse) -> Exception:
    """What an answer other than 200 means."""
    where, status = address.shown(remote.url), response.status
    if status in (401, 403):
        whose = "Label Studio" if remote.trusted else remote.url.host
        cure = (
            "check the token and what its owner may see"
            if remote.trusted
            else "only Label Studio gets a token"
        )
        return MediaError(Reason.UNAUTHORIZED, f"{whose} refuses {where} with {status}: {cure}.")
    if status in (404, 410) or (status == 500 and await _is_missing_upload(remote, response)):
        return MediaError(Reason.MISSING, f"There is no image at {where}.")
    if status == 429 or status >= 500:
        return UnavailableError(f"it answers {status}")
    return MediaError(Reason.UNREACHABLE, f"{where} answers {status} instead of an image.")


async def _is_missing_upload(remote: Remote, response: aiohttp.ClientResponse) -> bool:
    # Label Studio stumbles over the row that an upload of which it knows nothing does not have.
    return remote.trusted and b"NoneType" in await response.content.read(CHUNK)
