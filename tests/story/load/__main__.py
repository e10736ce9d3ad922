"""Plays parts, one after the other, as a description in JSON says; each one's figures are a line of standard output.

    {"address": ["127.0.0.1", 8080], "desks": [["desk", "SECRET IN HEX"]], "parts": [
        {"seconds": 5, "streams": {"peak": {"at_once": 64}}},
        {"seconds": 60, "streams": {"storm": {"times": 5}}, "slow": 500}]}

A stream is `at_once` many senders, a `rate` a second, or a number of `times` the peak (what the first part accepted);
`fresh` ones connect for each webhook. `desk` is whose it is, of those named above. `more`, beside the parts, is what
each webhook says besides.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import uvloop

from tests.story.load import slow
from tests.story.load.lines import Lines, Mill
from tests.story.load.streams import as_answered, at_rate, told

LINES = 2000  # connections of one stream; more than the door answers at once
FILES = 8192  # for these, and for the slow


@dataclass
class Player:
    """Plays the parts; what is the peak is known after the first."""

    address: tuple[str, int]
    desks: list[tuple[str, bytes]]
    more: dict[str, Any] = field(default_factory=dict)
    peak: float = 0.0
    mills: list[Mill] = field(init=False)

    def __post_init__(self) -> None:
        host, start = f"{self.address[0]}:{self.address[1]}", time.time_ns()
        self.mills = [
            Mill(host, source, secret, start + number * 10**12, self.more)
            for number, (source, secret) in enumerate(self.desks)
        ]

    async def play(self, part: dict[str, Any]) -> dict[str, Any]:
        """Play one part; return its figures by stream, and those of the slow."""
        names = list(part["streams"])
        figures: list[dict[str, Any]]
        streams = asyncio.gather(*(self._stream(part["streams"][name], part["seconds"]) for name in names))
        if each := part.get("slow"):
            slow_ones, figures = await asyncio.gather(slow.stormed(self.address, each), streams)
        else:
            slow_ones, figures = None, await streams
        if figures:
            self.peak = self.peak or figures[0]["accepted_a_second"]
        return {"slow": slow_ones, **dict(zip(names, figures, strict=True))}

    async def _stream(self, said: dict[str, Any], seconds: float) -> dict[str, Any]:
        mill, lines = self.mills[said.get("desk", 0)], Lines(self.address, LINES, said.get("fresh", False))
        began, unsent = time.monotonic(), 0
        try:
            if "at_once" in said:
                heard = await as_answered(mill, lines, said["at_once"], seconds)
            else:
                rate = said.get("rate") or self.peak * said["times"]
                heard, unsent = await at_rate(mill, lines, rate, seconds)
            return told(heard, began, seconds, unsent)
        finally:
            lines.close()


async def main(description: dict[str, Any]) -> None:
    """Play all parts."""
    host, port = description["address"]
    desks = [(name, bytes.fromhex(secret)) for name, secret in description["desks"]]
    player = Player((host, port), desks, description.get("more", {}))
    for part in description["parts"]:
        sys.stdout.write(json.dumps(await player.play(part)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if hard == resource.RLIM_INFINITY else min(FILES, hard), hard))
    uvloop.run(main(json.loads(sys.argv[-1])))
