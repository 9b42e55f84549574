"""Where the pictures of a dataset come from: the cache where it holds them still, else Label Studio."""

import asyncio

from lsb_backend.dataset.cache import ImageCache, KeptPicture
from lsb_backend.dataset.images import Picture, picture
from lsb_backend.media.fetched import Fetched, Identity
from lsb_backend.media.media import Media


class CachedImages:
    """Reads images with `media`, each once for as long as it does not change."""

    def __init__(self, media: Media, cache: ImageCache) -> None:
        self._media = media
        self._cache = cache

    async def read(self, task_id: int, address: str) -> Picture | KeptPicture | bytes:
        """The picture of a task, or its image file if it is kept nowhere.

        An upload of Label Studio never changes; of every other image its server is asked. Raises UserError.
        """
        identity = self._media.identity(task_id, address)
        if identity is None:
            return await self._media.read(task_id, address)
        known = self._cache.known(identity)
        if known is not None and identity.lasting:
            return known
        fetched = await self._media.fetch(task_id, address, known.validators if known else None)
        if fetched.data is None and known is not None:
            return known
        return await asyncio.to_thread(self._kept, identity, fetched)

    def _kept(self, identity: Identity, fetched: Fetched) -> Picture | KeptPicture:
        made = picture(fetched.data or b"", self._media.limits)
        return self._cache.add(identity, made, fetched.validators)
