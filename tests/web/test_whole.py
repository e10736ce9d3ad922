"""What is written in one turn of the loop leaves in one piece, in order, and before the connection ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from service.web.whole import Whole


class Paper(asyncio.Transport):
    """A transport that notes what is done with it."""

    def __init__(self) -> None:
        super().__init__({"peername": "somebody"})
        self.noted: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Note it."""
        self.noted.append(bytes(data))

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return "close" in self.noted

    def pause_reading(self) -> None:
        """Note it."""
        self.noted.append("pause")

    def resume_reading(self) -> None:
        """Note it."""
        self.noted.append("resume")

    def write_eof(self) -> None:
        """Note it."""
        self.noted.append("eof")

    def close(self) -> None:
        """Note it."""
        self.noted.append("close")

    def abort(self) -> None:
        """Note it."""
        self.noted.append("abort")


async def test_one_turn_one_piece() -> None:
    """What is written in one turn leaves at its end, in one piece; the next turn's is a piece of its own."""
    paper = Paper()
    whole = Whole(paper, asyncio.get_running_loop())
    whole.write(b"head ")
    whole.write(b"body")
    assert paper.noted == []
    await asyncio.sleep(0)
    whole.write(bytearray(b"next"))
    await asyncio.sleep(0)
    assert paper.noted == [b"head body", b"next"]


async def test_at_once() -> None:
    """What is let go leaves at once, and not a second time at the end of the turn."""
    paper = Paper()
    whole = Whole(paper, asyncio.get_running_loop())
    whole.write(b"answer")
    whole.flush()
    await asyncio.sleep(0)
    assert paper.noted == [b"answer"]


@pytest.mark.parametrize("end", ["close", "abort", "write_eof"])
async def test_nothing_is_lost_at_the_end(end: str) -> None:
    """Whoever ends a connection after an answer does not end it before the answer left."""
    paper = Paper()
    whole = Whole(paper, asyncio.get_running_loop())
    whole.write(b"answer")
    getattr(whole, end)()
    assert paper.noted == [b"answer", end.removeprefix("write_")]


async def test_nobody_is_there_any_more() -> None:
    """What was to leave when the connection had ended already is let go: nobody would hear it."""
    paper = Paper()
    whole = Whole(paper, asyncio.get_running_loop())
    whole.write(b"answer")
    paper.close()
    await asyncio.sleep(0)
    assert paper.noted == ["close"]


async def test_the_rest_is_the_connections() -> None:
    """Who is there, whether it closes, and whether more is read, is the connection's own."""
    paper = Paper()
    whole = Whole(paper, asyncio.get_running_loop())
    whole.pause_reading()
    whole.resume_reading()
    there: list[Any] = [whole.get_extra_info("peername"), whole.get_extra_info("cipher", "none"), whole.is_closing()]
    whole.close()
    assert [*there, whole.is_closing()] == ["somebody", "none", False, True]
    assert paper.noted == ["pause", "resume", "close"]
