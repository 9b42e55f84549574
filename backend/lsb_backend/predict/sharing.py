"""The same work is done once: for all who ask while it is under way, and for those who ask again later."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(slots=True)
class _UnderWay(Generic[Value]):
    work: asyncio.Future[Value]
    callers: int = 0


class Sharing(Generic[Value]):
    """Results by key, the least recently used of them forgotten beyond `room` bytes; on the event loop only.

    `size` says how many bytes a result holds. Failures are told to everybody who waits and not kept.
    `outcomes` counts how askers were answered: "computed", "joined" or "remembered".
    """

    def __init__(self, room: int, size: Callable[[Value], int]) -> None:
        self.outcomes: Counter[str] = Counter()
        self._room = room
        self._size = size
        self._used = 0
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._under_way: dict[Hashable, _UnderWay[Value]] = {}

    async def get(self, key: Hashable, owner: Hashable, work: Callable[[], Awaitable[Value]]) -> Value:
        """The result for `key`, which `work` makes if nobody has or does.

        Only askers of one `owner`, the loaded model, share what is under way: work goes on when the one who
        began it leaves, for as long as somebody waits, and each of those keeps the model open.
        """
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            self.outcomes["remembered"] += 1
            return kept[0]
        place = (key, owner)
        shared = self._under_way.get(place)
        self.outcomes["computed" if shared is None else "joined"] += 1
        if shared is None:
            shared = _UnderWay(asyncio.ensure_future(work()))
            self._under_way[place] = shared
        return await self._wait(shared, place, key)

    async def _wait(self, shared: _UnderWay[Value], place: Hashable, key: Hashable) -> Value:
        shared.callers += 1
        try:
            value = await asyncio.shield(shared.work)
        finally:
            shared.callers -= 1
            if not shared.callers or shared.work.done():
                if self._under_way.get(place) is shared:
                    del self._under_way[place]
                shared.work.cancel()
        if key not in self._kept:
            self._keep(key, value)
        return value

    def _keep(self, key: Hashable, value: Value) -> None:
        size = self._size(value)
        if size > self._room:
            return
        self._kept[key] = value, size
        self._used += size
        while self._used > self._room:
            _, (_, freed) = self._kept.popitem(last=False)
            self._used -= freed
