"""Who begins and never ends: half a head, half a body, or nothing at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

HEAD = b"POST /webhooks/desk HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
HALVES: Mapping[str, bytes] = {
    "half heads": HEAD + b"X-Half: ",
    "half bodies": HEAD + b"Content-Length: 10\r\n\r\n12345",
    "silent": b"",
}
COMING_SECONDS = 1.5
PATIENCE = 60.0  # then whoever was not cut counts as never cut


async def stormed(address: tuple[str, int], each: int) -> dict[str, Any]:
    """Open `each` connections of each kind; return how long the door kept them, in seconds, by kind.

    They come within a second or two, so that what is measured beside them is the door and not how fast a process can
    connect; all are there at once, because each is kept for longer than that.
    """
    kinds = [kind for _ in range(each) for kind in HALVES]
    part = COMING_SECONDS / len(kinds)
    kept = await asyncio.gather(*(_kept(address, HALVES[kind], number * part) for number, kind in enumerate(kinds)))
    seconds: dict[str, list[float]] = {kind: [] for kind in HALVES}
    for kind, (lasted, _) in zip(kinds, kept, strict=True):
        seconds[kind].append(lasted)
    return {
        "connections": len(kinds),
        "longest_seconds": {kind: round(max(times), 2) for kind, times in seconds.items()},
        "shortest_seconds": {kind: round(min(times), 2) for kind, times in seconds.items()},
        "answered": sum(heard > 0 for _, heard in kept),
    }


async def _kept(address: tuple[str, int], sent: bytes, after: float) -> tuple[float, int]:
    await asyncio.sleep(after)  # real processes: they come one after the other
    began, heard = time.monotonic(), 0
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(*address)
            try:
                writer.write(sent)
                while part := await reader.read(65536):
                    heard += len(part)
            finally:
                writer.transport.abort()
    except OSError:  # a reset is a way to close; TimeoutError is one of these, too
        pass
    return time.monotonic() - began, heard
