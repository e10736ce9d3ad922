"""Spans reach their collector, whatever it does to them is told once, and nothing that it does holds anybody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service import settings
from service.core import model as m
from service.outbound import Outgoing
from service.traces import Name, Span, Spans
from service.wiring.exporting import KEPT, LAST_SECONDS, LONGEST_REST_SECONDS, REST_SECONDS, TOGETHER, exported
from tests.fixtures.collector import TAKEN, collecting
from tests.flow.stage import counted
from tests.genesys.peers import HandClock, Play, dripping, mute

KEY = "Bearer obviously-fake-key"
TRACE = m.Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
HEADER = "ONHOOK_TRACES__HEADERS__AUTHORIZATION"
AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
WRONG = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"


class Rests(HandClock):
    """A clock whose rests are over when a test lets them be; they are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.rests: list[float] = []
        self.over: asyncio.Queue[None] = asyncio.Queue()
        self.began: asyncio.Queue[None] = asyncio.Queue()

    async def sleep(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.began.put_nowait(None)
        await self.over.get()

    async def turn(self) -> None:
        """Let it rest, send, and begin its next rest."""
        self.over.put_nowait(None)
        await asyncio.wait_for(self.began.get(), 20)


def some(many: int, first: int = 0) -> list[Span]:
    """Return spans that show their numbers."""
    return [Span(Name.LOOK, TRACE.within(str(number)), "", number, 1.0) for number in range(first, first + many)]


@asynccontextmanager
async def exporting(
    url: str, clock: Rests, folder: Path, outgoing: Outgoing | None = None, **variables: str
) -> AsyncIterator[Spans]:
    """Let spans leave for a collector, which is told a key."""
    said = settings.read(
        {settings.CONFIG: "/dev/null", settings.STATE_DIR: str(folder), "ONHOOK_TRACES__ENDPOINT": url, HEADER: KEY}
    )
    async with exported(said, clock, outgoing or Outgoing(), "w-here:7") as spans:
        await asyncio.wait_for(clock.began.get(), 20)
        yield spans


def became() -> tuple[float, float]:
    """Return how many spans were sent and dropped so far."""
    return counted("onhook_spans_total", result="sent"), counted("onhook_spans_total", result="dropped")


async def test_without_a_collector(tmp_path: Path) -> None:
    """Where the settings name none, nothing is kept, nothing runs and nobody is called."""
    said, tasks = (
        settings.read({settings.CONFIG: "/dev/null", settings.STATE_DIR: str(tmp_path)}),
        len(asyncio.all_tasks()),
    )
    async with exported(said, Rests(), Outgoing(), "w") as spans:
        spans.note(some(3))
        assert spans.take(9) == []
        assert len(asyncio.all_tasks()) == tasks


async def test_spans_are_sent(tmp_path: Path) -> None:
    """What is noted leaves at the next turn, in requests of bounded size, with the key, and as a part of no trace."""
    clock, (sent, dropped) = Rests(), became()
    async with collecting() as collector, exporting(collector.url, clock, tmp_path) as spans:
        await clock.turn()
        assert collector.heads == []
        spans.note(some(TOGETHER + 1))
        await clock.turn()
        assert [len(collector.heads), len(collector.spans)] == [2, TOGETHER + 1]
        assert [span.began_ns for span in collector.spans] == [number * 1_000_000 for number in range(TOGETHER + 1)]
        head = dict(line.lower().split(": ", 1) for line in collector.heads[0].split("\r\n")[1:])
        assert collector.heads[0].startswith("POST /v1/traces HTTP/1.1\r\n")
        assert (head["authorization"], head["content-type"]) == (KEY.lower(), "application/x-protobuf")
        assert (head["user-agent"], "traceparent" in head) == ("onhook", False)
        assert {span.process for span in collector.spans} == {"w-here:7"}
    assert became() == (sent + TOGETHER + 1, dropped)
    assert set(clock.rests) == {REST_SECONDS}


async def test_the_last_ones_are_sent(tmp_path: Path) -> None:
    """What is there when the process ends is sent before it does."""
    clock = Rests()
    async with collecting() as collector:
        async with exporting(collector.url, clock, tmp_path) as spans:
            spans.note(some(3))
        assert len(collector.spans) == 3


async def test_a_collector_that_is_away(tmp_path: Path) -> None:
    """It is asked less and less often, told of once in the log, and has what there was room for when it is back."""
    clock, (sent, dropped) = Rests(), became()
    async with collecting() as collector, exporting(collector.url, clock, tmp_path) as spans:
        collector.answers += [AWAY] * 7
        spans.note(some(2))
        with capture_logs() as logs:
            for _ in range(8):
                await clock.turn()
        assert clock.rests == [1, 2, 4, 8, 16, LONGEST_REST_SECONDS, LONGEST_REST_SECONDS, LONGEST_REST_SECONDS, 1]
        assert [span.began_ns for span in collector.spans] == [0, 1_000_000]
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("collector.lost", "warning"),
        ("collector.found", "info"),
    ]
    assert logs[0]["fault"] == "it answered 503"
    assert became() == (sent + 2, dropped)


async def test_a_collector_that_wants_none(tmp_path: Path) -> None:
    """What it refuses for good is dropped and counted, and does not stand in the way of what comes after."""
    clock, (sent, dropped) = Rests(), became()
    async with collecting() as collector, exporting(collector.url, clock, tmp_path) as spans:
        collector.answers.append(WRONG)
        spans.note(some(TOGETHER + 1))
        with capture_logs() as logs:
            await clock.turn()
            await clock.turn()
        assert [span.began_ns for span in collector.spans] == [TOGETHER * 1_000_000]
    assert [line.get("fault") for line in logs] == ["it answered 401", None]
    assert became() == (sent + 1, dropped + TOGETHER)


async def test_what_cannot_be_written(tmp_path: Path) -> None:
    """A span that cannot be written is dropped with those beside it, and told as a fault of ours; others go on."""
    clock, (sent, dropped) = Rests(), became()
    async with collecting() as collector, exporting(collector.url, clock, tmp_path) as spans:
        spans.note([Span(Name.LOOK, m.Trace("no trace", "at all"), "", 1, 1)])
        with capture_logs() as logs:
            await clock.turn()
        spans.note(some(1))
        await clock.turn()
        assert len(collector.spans) == 1
    assert [line["event"] for line in logs] == ["fault.raised", "collector.lost"]
    assert became() == (sent + 1, dropped + 1)


async def test_nobody_there(tmp_path: Path) -> None:
    """Where nobody listens, more is noted than can be kept, and the end comes all the same: the rest is counted."""
    clock, (sent, dropped) = Rests(), became()
    async with collecting() as collector:
        gone = collector.url
    async with exporting(gone, clock, tmp_path) as spans:
        spans.note(some(KEPT + 5))
        with capture_logs() as logs:
            await clock.turn()
        assert [line["event"] for line in logs] == ["collector.lost"]
        assert became() == (sent, dropped + 5)
    assert became() == (sent, dropped + 5 + KEPT)


@pytest.mark.parametrize(
    "play", [mute, dripping(ENDLESS, b"x" * 65536), dripping(TAKEN[:20], b"x")], ids=["silent", "endless", "dripping"]
)
async def test_the_end_waits_for_nobody(tmp_path: Path, play: Play) -> None:
    """However a collector keeps a request, the process ends soon after it is told to."""
    clock, moment, before = Rests(), asyncio.get_running_loop().time, sum(became())
    async with collecting(play) as collector:
        async with exporting(collector.url, clock, tmp_path, Outgoing(total_seconds=60)) as spans:
            spans.note(some(3))
            clock.over.put_nowait(None)  # it begins to send
            await asyncio.sleep(0)
            began = moment()
        assert moment() - began < LAST_SECONDS + 5  # on a busy machine; the call alone would take a minute
    assert sum(became()) == before + 3  # and none is forgotten that was on its way


async def test_an_endless_answer(tmp_path: Path) -> None:
    """Of an answer of a gigabyte no more than a megabyte is read, and the spans count as taken, since it said so."""
    clock, (sent, dropped) = Rests(), became()
    play = dripping(ENDLESS, b"x" * 65536)
    async with collecting(play) as collector, exporting(collector.url, clock, tmp_path) as spans:
        spans.note(some(2))
        await clock.turn()
    assert became() == (sent + 2, dropped)


async def test_the_proxy_is_for_others(tmp_path: Path) -> None:
    """A collector on this machine is not asked through the proxy, which would look for it on its own."""
    clock = Rests()
    async with collecting() as collector:
        way = Outgoing(proxy="http://127.0.0.1:9")
        async with exporting(collector.url, clock, tmp_path, way) as spans:
            spans.note(some(1))
            await clock.turn()
        assert len(collector.spans) == 1
