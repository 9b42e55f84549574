"""Serves pictures over HTTP from loopback, in a process of its own.

`/<mark>/<name>` is the picture with the mark in a comment of the file: the same pixels under other bytes, so
that no round of a benchmark is answered from what an earlier one left in a cache.
"""

import argparse
import asyncio
import hashlib
from pathlib import Path

from aiohttp import web

_START = b"\xff\xd8"
_COMMENT = b"\xff\xfe"


def marked(jpeg: bytes, mark: str) -> bytes:
    """The JPEG file with `mark` as its comment. Raises ValueError for what is no JPEG file."""
    if not jpeg.startswith(_START):
        raise ValueError("not a JPEG file")
    text = mark.encode()
    return _START + _COMMENT + (len(text) + 2).to_bytes(2, "big") + text + jpeg[len(_START) :]


def application(folder: Path) -> web.Application:
    """The pictures of `folder`, held in memory, with an ETag that a second request may name."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}

    async def picture(request: web.Request) -> web.Response:
        mark, name = request.match_info["mark"], request.match_info["name"]
        if name not in files:
            raise web.HTTPNotFound
        tag = f'"{hashlib.sha256(f"{mark}/{name}".encode()).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        return web.Response(body=marked(files[name], mark), content_type="image/jpeg", headers={"ETag": tag})

    served = web.Application()
    served.router.add_get("/{mark}/{name}", picture)
    return served


async def _serve(folder: Path, port: int) -> None:
    runner = web.AppRunner(application(folder), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    chosen = parser.parse_args()
    asyncio.run(_serve(chosen.folder, chosen.port))
