"""The least that answers at a port: uvicorn with an empty Starlette, on the same loop and parser; for comparison.

python -m tests.bench.bare PORT
"""

from __future__ import annotations

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def ready(_: Request) -> PlainTextResponse:
    """Say that it is there."""
    return PlainTextResponse("ready")


if __name__ == "__main__":
    app = Starlette(routes=[Route("/readyz", ready)])
    uvicorn.run(app, port=int(sys.argv[-1]), loop="uvloop", http="httptools", log_level="warning", access_log=False)
