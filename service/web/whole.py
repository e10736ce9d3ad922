"""How answers leave: each in one piece, although an app says its head and its body one after the other."""

from __future__ import annotations

import asyncio
from typing import Any


class Whole(asyncio.Transport):
    """A transport that lets leave in one piece what is written in one turn of the loop: an answer's head and its body.

    Each piece that leaves by itself costs the system as much as a fifth of a webhook costs us.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._pieces: list[bytes | bytearray | memoryview] = []
        # asked for each request, and nothing is added to them
        self.is_closing = transport.is_closing  # type: ignore[method-assign] # as said
        self.pause_reading = transport.pause_reading  # type: ignore[method-assign] # as said
        self.resume_reading = transport.resume_reading  # type: ignore[method-assign] # as said

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write it before the next turn of the loop ends."""
        if not self._pieces:
            self._loop.call_soon(self.flush)
        self._pieces.append(data)

    def flush(self) -> None:
        """Write it now."""
        pieces, self._pieces = self._pieces, []
        if pieces and not self._transport.is_closing():  # the peer may have gone in this turn
            self._transport.write(b"".join(pieces))

    def write_eof(self) -> None:
        """Close our half, after what was written."""
        self.flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Close, after what was written."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what was written leaves as far as it can at once."""
        self.flush()
        self._transport.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - the base's
        """Return what is known of the connection."""
        return self._transport.get_extra_info(name, default)
