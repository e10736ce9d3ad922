"""The least that a queue does with a webhook: the same HMAC, one pipeline of SET and LPUSH, 202. By hand, nothing else.

    python -m tests.bench.enqueued SECRET_IN_HEX REDIS_URL

No duplicates are known, nothing is read of the body, nobody sees what became of it; but it is on disk before the 202.
"""

from __future__ import annotations

import base64
import hmac
import sys
import uuid

import uvicorn
from redis.asyncio import Redis
from starlette.types import Receive, Scope, Send

QUEUE = "queue"


class Enqueue:
    """An ASGI app over one Redis."""

    def __init__(self, secret: bytes, redis: Redis) -> None:
        self._secret = secret
        self._redis = redis

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one webhook."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, said = 401, b"{}"
        if self._is_signed(dict(scope["headers"]), body):
            job = uuid.uuid4().hex
            async with self._redis.pipeline(transaction=False) as pipe:
                _ = pipe.set(f"job:{job}", body)
                _ = pipe.lpush(QUEUE, job)
                await pipe.execute()
            status, said = 202, b'{"job":"%b"}' % job.encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(said)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    def _is_signed(self, headers: dict[bytes, bytes], body: bytes) -> bool:
        content = b"%b.%b.%b" % (headers[b"webhook-id"], headers[b"webhook-timestamp"], body)
        expected = b"v1," + base64.b64encode(hmac.digest(self._secret, content, "sha256"))
        return hmac.compare_digest(expected, headers[b"webhook-signature"])


def main(secret: str, url: str) -> None:
    """Serve until told to stop."""
    app = Enqueue(bytes.fromhex(secret), Redis.from_url(url, protocol=2))
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", access_log=False, log_config=None))
    sock = server.config.bind_socket()
    sys.stdout.write(f"The public door is at http://{sock.getsockname()[0]}:{sock.getsockname()[1]}\n")
    sys.stdout.flush()
    server.run([sock])


if __name__ == "__main__":
    main(*sys.argv[1:])
