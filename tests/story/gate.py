"""What stands between us and the sandbox as a network does: TLS by an authority of ours, and who is let in today."""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.authority import Authority
from tests.genesys.peers import peer, read_request

_BASIC = re.compile(rb"(?im)^authorization: *basic +(\S+)\r$")
_REFUSED = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
)


def basic(user: str, password: str) -> bytes:
    """Return how HTTP Basic writes it."""
    return base64.b64encode(f"{user}:{password}".encode())


@dataclass
class Gate:
    """A way to the sandbox by TLS. Who logs in as one of `known` is somebody else there; whoever is not is refused.

    Attributes:
        known: by what is shown by HTTP Basic, what the sandbox takes.
        refused: how often somebody was turned away.
    """

    play: str
    tls: ssl.SSLContext
    known: dict[bytes, bytes] = field(default_factory=dict)
    refused: int = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Open it; give its URL."""
        async with peer(self._carry, self.tls) as url:
            yield url

    def show(self, authority: Authority, folder: Path) -> None:
        """Show a certificate of an authority from now on."""
        authority.server("gate")
        self.tls.load_cert_chain(folder / "gate-chain.pem", folder / "gate.key")

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one request there and its answer back: who comes again comes by another connection."""
        asked = await read_request(reader)
        if shown := _BASIC.search(asked):
            if (meant := self.known.get(shown[1])) is None:
                self.refused += 1
                writer.write(_REFUSED)
                await writer.drain()
                return
            asked = asked[: shown.start(1)] + meant + asked[shown.end(1) :]
        there = httpx.URL(self.play)
        back, onward = await asyncio.open_connection(there.host, there.port)
        try:
            head, _, body = re.sub(rb"(?im)^connection:.*\r\n", b"", asked, count=1).partition(b"\r\n")
            onward.write(head + b"\r\nConnection: close\r\n" + body)
            writer.write(await back.read())
            await writer.drain()
        finally:
            onward.close()
