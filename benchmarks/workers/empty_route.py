"""An empty FastAPI route, served as our server is: what no server of this kind can be quicker than."""

import asyncio
import sys

from fastapi import FastAPI

from lsb_backend.serve.listener import Listener, bind


def application() -> FastAPI:
    """One route that reads nothing and answers with nothing."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/predict")
    async def predict() -> dict[str, str]:
        return {}

    return app


if __name__ == "__main__":
    asyncio.run(Listener(application(), bind("127.0.0.1", int(sys.argv[1]))).run_until_stopped())
