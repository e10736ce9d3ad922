"""Whole processes and a collector: one click is one trace across them, and no collector costs a click anything."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from tests.findings import write_evidence
from tests.fixtures.collector import TAKEN, Collector, Seen, collecting
from tests.genesys.peers import dripping, mute, peer, saying
from tests.needs import needs
from tests.story.stage import Running, Stage, eventually, staged
from tests.story.test_reports_under_fire import settle_seconds

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAID = f"00-{TRACE}-{SPAN}-01"
ENDPOINT = "ONHOOK_TRACES__ENDPOINT"
COMMAND = "uv run pytest -n 0 -m slow tests/story/test_traces.py"
HOSTILE = [
    f"00-{TRACE}-{SPAN}-01-and-more",
    f"ff-{TRACE}-{SPAN}-01",
    f"00-{TRACE.upper()}-{SPAN}-01",
    f"00-{'0' * 32}-{SPAN}-01",
    "${jndi:ldap://evil.invalid/a}",
    "<script>alert(1)</script>",
    "x" * 4000,
]
# what a collector may be: who takes spans, nobody at all, who says no for now, who says a gigabyte, who says nothing
COLLECTORS = ("taking", "away", "failing", "endless", "silent")
FAILING = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
ENDED_SECONDS = 10.0  # after which an orchestrator kills


@dataclass
class Relay:
    """A way to somebody that notes what is said on it."""

    to: str
    heard: bytearray = field(default_factory=bytearray)

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        there = urlsplit(self.to)
        back, forth = await asyncio.open_connection(there.hostname, there.port)

        async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, noted: bytearray) -> None:
            while piece := await source.read(65536):
                noted += piece
                sink.write(piece)
                await sink.drain()
            sink.close()

        try:
            await asyncio.gather(carry(reader, forth, self.heard), carry(back, writer, bytearray()))
        finally:
            forth.close()

    def said(self) -> dict[str, list[str]]:
        """Return, by method and what it is about, which span each request said it comes from; "" for none."""
        found: dict[str, list[str]] = {}
        for head in re.findall(rb"(?:GET|PATCH|POST) /[^\r]* HTTP/1\.1\r\n(?:[^\r]+\r\n)*", bytes(self.heard)):
            method, path = head.decode().split()[:2]
            trace = re.search(r"(?im)^traceparent: (\S+)\r$", head.decode())
            found.setdefault(f"{method} {path.split('/')[1]}", []).append(trace[1] if trace else "")
        return found


async def trace_in(collector: Collector, trace: str, reports: int = 1) -> Sequence[Seen]:
    """Return the spans of a trace, once so many tickets are told in it and all that began before has been sent."""

    async def whole() -> Sequence[Seen] | None:
        spans = collector.of(trace)
        names = [span.name for span in spans]
        return spans if names.count("report") == reports and {"settle", "accept"} <= set(names) else None

    return await eventually(whole, 30)


async def test_one_click_across_two_processes() -> None:
    """From the sender's span to the note all hangs together, whoever did it; desk and Genesys hear whose call it is."""
    async with collecting() as collector, staged() as stage, AsyncExitStack() as stack:
        relays = [Relay(stage.play), Relay(stage.play)]
        genesys, desk = [await stack.enter_async_context(peer(relay.play)) for relay in relays]
        stage.environment |= {ENDPOINT: collector.url, "ONHOOK_TRACES__PROPAGATE": "orgs.play,sources.desk"}
        stage.environment |= {"ONHOOK_ORGS__PLAY__API_URL": genesys, "ONHOOK_SOURCES__DESK__INSTANCE_URL": desk}
        await asyncio.gather(stage.serve(), stage.work())
        ticket = await stage.ticket()
        body = stage.webhook(await stage.conversation(), ticket=ticket)
        receipt = (await stage.post(body, headers={"traceparent": SAID, "tracestate": "evil=1"})).json()
        account = await stage.settled(receipt)
        assert account["outcome"]["kind"] == "disconnected"
        spans = await trace_in(collector, TRACE)
        _is_one_tree(spans, receipt["action"])
        attempt, report = (next(span for span in spans if span.name == name) for name in ("attempt", "report"))
        told = [{f"00-{TRACE}-{span.id}-01"} for span in (attempt, report)]
        assert [set(relays[0].said()[f"{method} api"]) for method in ("GET", "PATCH")] == [told[0]] * 2
        assert set(relays[1].said()["PATCH api"]) == told[1]
        assert not any(b"tracestate" in relay.heard for relay in relays)
        await _hostile(stage, collector)
        log = (stage.folder / "serve.log").read_text() + (stage.folder / "work.log").read_text()
        assert log.count(f'"trace":"{TRACE}"') == 3  # of the delivery, its attempt and its report
        assert [one for one in ("evil", "jndi", "alert", "xxxx", TRACE.upper()) if one in log] == []


def _is_one_tree(spans: Sequence[Seen], action: str) -> None:
    above = {span.id: span.name for span in spans} | {SPAN: "the sender"}
    assert [(span.name, above[span.parent]) for span in spans] == [
        ("delivery", "the sender"),
        *((verb, "delivery") for verb in ("verify", "parse", "accept")),
        ("attempt", "accept"),
        *((verb, "attempt") for verb in ("claim", "look", "decide", "disconnect", "confirm")),
        *((verb, "attempt") for verb in ["confirm"] * (len(spans) - 12)),  # as often as the platform lagged
        ("settle", "attempt"),
        ("report", "accept"),
    ]
    by = {span.name: span.process for span in spans}
    assert by["delivery"] == by["accept"] != by["attempt"] == by["settle"] == by["report"]
    about = {span.facts.get("onhook.action") for span in spans if span.name in {"delivery", "attempt", "report"}}
    assert about == {action}
    assert not any(span.is_failed or span.ended_ns < span.began_ns for span in spans)


async def _hostile(stage: Stage, collector: Collector) -> None:
    """Let clicks come whose traces are none: they are taken, each in a trace of its own."""
    conversation = await stage.conversation()
    body = stage.webhook(conversation)
    posted = [await stage.post(body, headers={"traceparent": said}) for said in HOSTILE]
    assert {answer.status_code for answer in posted} == {202}
    await stage.settled(posted[0].json())

    async def all_seen() -> set[str] | None:
        told = {span.trace for span in collector.spans if span.facts.get("onhook.action") == posted[0].json()["action"]}
        return told if len(told) == len(HOSTILE) else None

    assert TRACE not in await eventually(all_seen, 30)


@asynccontextmanager
async def collector_that_is(kind: str) -> AsyncIterator[str]:
    """Give the address of a collector of that kind."""
    needs("opentelemetry")
    plays = {
        "failing": saying(FAILING),
        "endless": dripping(ENDLESS, b"x" * 65536),
        "silent": mute,
        "taking": saying(TAKEN),
    }
    async with peer(plays.get(kind, mute)) as url:
        address = url
        if kind != "away":
            yield address
    if kind == "away":
        yield address


@pytest.mark.parametrize(
    "kinds, clicks",
    [(("silent",), 2), pytest.param(COLLECTORS, 40, marks=pytest.mark.slow)],
    ids=["short", "full"],
)
async def test_no_collector_costs_a_click_anything(kinds: Sequence[str], clicks: int) -> None:
    """Whatever a collector does, clicks are done (in full: as quickly as without one), and processes end in time."""
    took: dict[str, dict[str, float]] = {}
    for kind in kinds:
        async with AsyncExitStack() as stack:
            stages = {"with": await stack.enter_async_context(staged())}
            stages["with"].environment[ENDPOINT] = await stack.enter_async_context(collector_that_is(kind))
            if len(kinds) > 1:
                stages["without"] = await stack.enter_async_context(staged())
            running = await asyncio.gather(*(start() for it in stages.values() for start in (it.serve, it.work)))
            seconds: dict[str, list[float]] = {name: [] for name in stages}
            for _ in range(clicks):  # in turn, so that both see the same machine
                for name, it in stages.items():
                    seconds[name].append(await settle_seconds(it))
            took[kind] = {name: round(statistics.median(each), 3) for name, each in seconds.items()}
            took[kind] |= {f"{name}, most": round(max(each), 3) for name, each in seconds.items()}
            took[kind] |= {"until both had ended": round(await _ended(running[:2]), 3)}
    slower = [kind for kind, each in took.items() if each["with"] > each.get("without", each["with"]) + 0.1]
    late = [kind for kind, each in took.items() if each["until both had ended"] > ENDED_SECONDS]
    if len(kinds) > 1:
        findings = [f"with a collector that is {kind}, clicks take longer" for kind in slower]
        findings += [f"with a collector that is {kind}, a process ends late" for kind in late]
        counters = {"clicks": 2 * clicks * len(kinds), "collectors": len(kinds)}
        write_evidence("traces", command=COMMAND, counters=counters, findings=findings, seconds=took)
    assert (slower, late) == ([], [])


async def _ended(running: Sequence[Running]) -> float:
    """Tell processes to end; return how long the last one took."""
    began = time.monotonic()
    assert await asyncio.gather(*(one.end() for one in running)) == [0] * len(running)
    return time.monotonic() - began
