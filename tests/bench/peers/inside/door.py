"""The endpoint before every peer: the same HMAC on the same bytes, parsed, put into its queue, and then a 202."""

from __future__ import annotations

import base64
import hmac
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOLERANCE_SECONDS = 300
# delivery, conversation, phone: returns when Redis has answered
Enqueue = Callable[[str, str, str], Awaitable[object]]
Queue = Callable[[], AbstractAsyncContextManager[Enqueue]]


def is_signed(secret: bytes, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether the sender who knows `secret` signed this delivery within five minutes, by Standard Webhooks."""
    webhook_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not webhook_id or not stamp.isdecimal() or abs(now - int(stamp)) > TOLERANCE_SECONDS:
        return False
    mac = hmac.digest(secret, f"{webhook_id}.{stamp}.".encode() + body, "sha256")
    expected = b"v1," + base64.b64encode(mac)
    said = headers.get("webhook-signature", "").encode("latin-1").split(b" ")
    return any(hmac.compare_digest(expected, one) for one in said)


def door(secret: bytes, queue: Queue) -> Starlette:
    """Return the app: `queue` opens what enqueues, for as long as the app runs."""

    @asynccontextmanager
    async def opened(_app: Starlette) -> AsyncIterator[Mapping[str, Enqueue]]:
        async with queue() as enqueue:
            yield {"enqueue": enqueue}

    async def webhook(request: Request) -> Response:
        body = await request.body()
        if not is_signed(secret, request.headers, body, time.time()):
            return JSONResponse({"code": "bad_signature"}, 401)
        try:
            data = json.loads(body)["data"]
            conversation, phone = str(data["conversation_id"]), str(data["caller_phone"])
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"code": "unreadable"}, 400)
        await request.state.enqueue(request.headers["webhook-id"], conversation, phone)
        return JSONResponse({"status": "accepted"}, 202)

    return Starlette(routes=[Route("/webhooks/{source}", webhook, methods=["POST"])], lifespan=opened)


def serve(secret: bytes, queue: Queue) -> None:
    """Serve until told to stop, as ours does: uvicorn with httptools and uvloop, no line a request."""
    config = uvicorn.Config(
        door(secret, queue), port=0, http="httptools", loop="uvloop", access_log=False, log_level="warning"
    )
    sock = config.bind_socket()
    sock.listen()  # from now on nobody is refused: whoever comes before the server runs waits for it
    host, port = sock.getsockname()
    sys.stdout.write(f"The public door is at http://{host}:{port}\n")
    sys.stdout.flush()
    uvicorn.Server(config).run([sock])
