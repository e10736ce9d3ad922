"""What the flow says in a trace: one click from its delivery to its note is one tree, with nobody in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from service.core import model as m
from service.core.errors import BadSignature, LeaseLost, StoreDown
from service.flow.intake import Intake
from service.flow.worker import Worker
from service.flow.workplace import Workplace
from service.traces import ON_THE_WAY, Name, Said, Span, Spans
from tests.flow.meddler import Meddler, down, on, raising
from tests.flow.stage import ORG, PHONE, SOURCE, Scene, Stage
from tests.flow.test_intake import Counting

CAME = m.Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
ASKED = ["delivery", "verify", "parse", "accept"]
DONE = ["claim", "look", "decide", "disconnect", "confirm", "settle"]
TWICE = [b"00-" + CAME.id.encode() + b"-" + CAME.span_id.encode() + b"-01"] * 2


class Watched:
    """A stage whose spans are seen."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.spans = stage, Spans(1000)

    async def click(self, scene: Scene, *said: bytes, store: Any = None, **fields: object) -> m.Receipt:  # noqa: ANN401 - a port
        """Take a click in whose sender says its trace so."""
        stage = self.stage
        ports = (stage.sources, store or stage.store, stage.clock, stage.dice, stage.terms_of)
        delivery = stage.delivery(scene, **fields)  # type: ignore[arg-type] # as `delivery` takes them
        headers = (*delivery.headers, *((b"traceparent", one) for one in said))
        receipt = await Intake(*ports, spans=self.spans).take(replace(delivery, headers=headers))
        assert isinstance(receipt, m.Receipt)
        return receipt

    def place(self, **ports: Any) -> Workplace:  # noqa: ANN401 - as a stage takes them
        return self.stage.place(spans=self.spans, **ports)

    async def work(self, seconds: float, **ports: Any) -> None:  # noqa: ANN401 - as a stage takes them
        """Let a worker work for a while."""
        place = self.place(**ports)
        task = asyncio.create_task(Worker(place).run())
        await self.stage.clock.sleep(seconds)
        place.stopping.set()
        await task

    def seen(self) -> list[Span]:
        """Return the spans since this was asked last."""
        return self.spans.take(1000)


@pytest.fixture
def watched(stage: Stage) -> Watched:
    """Give a stage whose spans are seen."""
    return Watched(stage)


def named(spans: Sequence[Span], name: str) -> Span:
    """Return the one span of that name."""
    (found,) = [span for span in spans if span.name == name]
    return found


def below(spans: Sequence[Span], above: Span) -> list[str]:
    """Return the names of what hangs below a span, in order."""
    return [span.name.value for span in spans if span.parent_id == above.place.span_id]


@pytest.mark.parametrize("said", [(), (CAME.traceparent.encode(),)])
async def test_one_click_is_one_tree(stage: Stage, watched: Watched, said: tuple[bytes, ...]) -> None:
    """From the delivery to the note all is one trace, the sender's if it named one, each part where it belongs."""
    scene, ticket = await stage.scene(lag=0.2), await stage.ticket()
    receipt = await watched.click(scene, *said, sys_id=ticket)
    await watched.work(5)
    spans = watched.seen()
    own = m.trace_of(receipt.action_id)
    assert {span.place.id for span in spans} == {receipt.trace_id} == {CAME.id if said else own.id}
    assert len({span.place.span_id for span in spans}) == len(spans)
    delivery, accept, attempt, report = (named(spans, name) for name in ("delivery", "accept", "attempt", "report"))
    assert delivery.parent_id == (CAME.span_id if said else "")
    assert below(spans, delivery) == ["verify", "parse", "accept"]
    assert (below(spans, accept), below(spans, attempt)) == (["attempt", "report"], DONE)
    assert not any(span.fault for span in spans)
    for whole in (delivery, attempt):
        for part in (span for span in spans if span.parent_id == whole.place.span_id):
            assert whole.began_at <= part.began_at
            assert part.began_at + part.lasted_ms <= whole.began_at + whole.lasted_ms + 1  # moments are whole ms
    assert attempt.began_at >= delivery.began_at
    assert report.began_at >= named(spans, "settle").began_at
    about = {Said.ACTION: receipt.action_id, Said.ORG: ORG, Said.SOURCE: SOURCE}
    assert delivery.facts == about | {Said.JOINED: ""}
    ended = {Said.LAPSES: 0, Said.SENDS: 1, Said.OUTCOME: "disconnected", Said.REASON: "confirmed"}
    assert attempt.facts == about | ended | {Said.WORKER: "w1"}
    tried = {Said.CHANNEL: "ticket", Said.TRIES: 1, Said.RESULT: "told"}
    assert report.facts == about | tried | {Said.WORKER: "w1"}
    look = named(spans, "look")
    assert (look.facts[Said.STATUS], look.facts[Said.NOTE]) == (200, "present")
    assert look.facts[Said.CORRELATION_ID]


async def test_how_long_the_end_took(stage: Stage, watched: Watched) -> None:
    """The end lasts until the store has it, though its line in the timeline is written before."""
    scene = await stage.scene(lag=0.2)
    receipt = await watched.click(scene)
    await watched.work(3, store=Meddler(stage.store, on("settle", lambda: stage.clock.freeze(0.03))))
    assert named(watched.seen(), "settle").lasted_ms == pytest.approx(30, abs=0.1)
    (entry,) = [one for one in (await stage.account(receipt.action_id)).timeline if one.verb == "settle"]
    assert entry.duration_ms == 0


async def test_how_long_a_claim_took(stage: Stage, watched: Watched) -> None:
    """An attempt begins with its claim, which lasts as long as the store took for it."""
    await watched.click(await stage.scene(lag=0.2))
    await watched.work(3, store=Meddler(stage.store, on("claim", lambda: stage.clock.freeze(0.03))))
    assert named(watched.seen(), "claim").lasted_ms == pytest.approx(30, abs=0.1)


async def test_how_long_a_delivery_and_a_report_took(stage: Stage, watched: Watched) -> None:
    """Each part of a delivery lasts as long as it took, one after the other; a report as long as its desk took."""
    stage.sources[SOURCE] = Counting(stage, stage.sources[SOURCE])
    await stage.switch(answers=[{"on": "note", "delay_seconds": 0.25}])
    await watched.click(await stage.scene(lag=0.2), sys_id=await stage.ticket())
    stage.sources[SOURCE] = stage.source()
    await watched.work(3)
    spans = watched.seen()
    verify, parse = named(spans, "verify"), named(spans, "parse")
    assert [verify.lasted_ms, parse.lasted_ms] == pytest.approx([4, 2])
    assert parse.began_at - verify.began_at == pytest.approx(4)
    assert named(spans, "report").lasted_ms == pytest.approx(250, abs=0.1)


async def test_nobody_is_in_it(stage: Stage, watched: Watched) -> None:
    """No number, no name, no conversation, no participant and no ticket is in any span, of a replay as little."""
    scene, ticket = await stage.scene(lag=0.2), await stage.ticket()
    await watched.click(scene, sys_id=ticket, reason="she was rude to Joe")
    await watched.work(5)
    text = repr(watched.seen())
    assert "disconnected" in text
    personal = (PHONE, PHONE[-4:], "beth", "rude", scene.cid, scene.id(), ticket, "INC0010112")
    assert [one for one in personal if one in text] == []


@pytest.mark.parametrize(
    "said",
    [
        TWICE,
        [b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01"],
        [b"\x1b]0;evil\x07", b"x"],
        [b"\xff" * 8000],
        [b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nX-Evil: 1"],
        [b"' OR 1=1 --"],
    ],
)
async def test_a_hostile_trace_is_none(stage: Stage, watched: Watched, said: list[bytes]) -> None:
    """What is no trace is as if nothing had been said: the click has a trace of its own, and no log repeats it."""
    scene = await stage.scene()
    with capture_logs() as logs:
        receipt = await watched.click(scene, *said)
        await watched.work(5)
    assert receipt.trace_id == m.trace_of(receipt.action_id).id
    assert {span.place.id for span in watched.seen()} == {receipt.trace_id}
    assert (await stage.account(receipt.action_id)).action.asked_in is None
    assert not any(one.decode("latin-1")[:20] in repr((logs, stage.client.keys("*"))) for one in said)


async def test_the_log_says_the_trace(stage: Stage, watched: Watched) -> None:
    """The lines of an attempt and of a report say the trace, so that it is found from them, and they from it."""
    scene, ticket = await stage.scene(), await stage.ticket()
    with capture_logs() as logs:
        receipt = await watched.click(scene, CAME.traceparent.encode(), sys_id=ticket)
        await watched.work(5)
    said = {line["event"]: line["trace"] for line in logs if "trace" in line}
    assert said == {"attempt.ended": receipt.trace_id, "report.told": receipt.trace_id}


async def test_what_nobody_keeps(stage: Stage, watched: Watched) -> None:
    """Of a trace that its sender does not keep there are no spans; the log has it all the same."""
    scene = await stage.scene()
    receipt = await watched.click(scene, replace(CAME, is_sampled=False).traceparent.encode())
    with capture_logs() as logs:
        await watched.work(5)
    assert (watched.seen(), receipt.trace_id) == ([], CAME.id)
    assert [line["trace"] for line in logs if line["event"] == "attempt.ended"] == [CAME.id]


async def test_who_joins_has_a_trace_of_his_own(stage: Stage, watched: Watched) -> None:
    """A second click and a repeat are traces of their own, which name the action they joined."""
    scene = await stage.scene()
    first = await watched.click(scene, CAME.traceparent.encode(), msg="a")
    repeat, second = await watched.click(scene, msg="a"), await watched.click(scene, msg="b")
    told = [span for span in watched.seen() if span.name is Name.DELIVERY]
    assert {span.facts[Said.ACTION] for span in told} == {first.action_id}
    assert [span.facts[Said.JOINED] for span in told] == ["", "delivery", "intent"]
    assert len({span.place.id for span in told}) == len({first.trace_id, repeat.trace_id, second.trace_id}) == 3


async def test_what_is_not_stored(stage: Stage, watched: Watched) -> None:
    """Where the store is away, the delivery and its accepting say so; a stranger's delivery says nothing at all."""
    scene = await stage.scene()
    with pytest.raises(StoreDown):
        await watched.click(scene, store=Meddler(stage.store, on("accept", raising(down()))))
    spans = watched.seen()
    assert [span.name.value for span in spans] == ASKED
    assert {span.name.value: span.fault for span in spans if span.fault} == dict.fromkeys(
        ["delivery", "accept"], "StoreDown"
    )
    assert Said.ACTION not in named(spans, "delivery").facts
    with pytest.raises(BadSignature):
        await watched.click(scene, CAME.traceparent.encode(), source="nobody")
    assert watched.seen() == []


async def test_each_attempt_is_one(stage: Stage, watched: Watched) -> None:
    """What was tried again is there as often as it was tried, with what Genesys answered or that it did not."""
    scene = await stage.scene(lag=0.2)
    await scene.answers({"on": "look", "status": 503, "times": 1})
    stage.broken.append((f"GET /api/v2/conversations/{scene.cid}", ConnectionError("cut")))
    receipt = await watched.click(scene)
    await watched.work(30)
    spans = [span for span in watched.seen() if span.place.id == receipt.trace_id]
    looks = [span for span in spans if span.name is Name.LOOK]
    assert [look.fault for look in looks] == ["no_answer", "503", ""]
    assert [look.facts.get(Said.STATUS) for look in looks] == [None, 503, 200]
    attempts = [span for span in spans if span.name is Name.ATTEMPT]
    assert {span.parent_id for span in attempts} == {m.trace_of(receipt.action_id).span_id}
    assert [span.facts[Said.OUTCOME] for span in attempts][-1] == "disconnected"


async def test_a_lost_lease(stage: Stage, watched: Watched) -> None:
    """An attempt that another one has taken over says that, and what it did until then."""
    scene = await stage.scene()
    await watched.click(scene)
    await watched.work(3, store=Meddler(stage.store, on("settle", raising(LeaseLost("another has it")))))
    attempt = named([span for span in watched.seen() if span.fault], "attempt")
    assert (attempt.fault, attempt.facts[Said.OUTCOME]) == ("LeaseLost", "")


@pytest.mark.parametrize(
    "status, result",
    [(503, "delayed"), (400, "dead")],
)
async def test_a_report_that_is_not_told(stage: Stage, watched: Watched, status: int, result: str) -> None:
    """A try to tell a ticket says what became of it."""
    scene, ticket = await stage.scene(lag=0.2), await stage.ticket()
    await stage.switch(answers=[{"on": "note", "status": status}])
    await watched.click(scene, sys_id=ticket)
    with capture_logs() as logs:
        await watched.work(1.5)
    first = next(span for span in watched.seen() if span.name is Name.REPORT)
    assert (first.facts[Said.RESULT], first.fault, first.facts[Said.TRIES]) == (result, result, 1)
    (line,) = [line for line in logs if line["event"] in {"report.delayed", "report.buried"}]
    assert line["trace"] == first.place.id


async def test_a_report_that_is_given_back(stage: Stage, watched: Watched) -> None:
    """One that is given back because the process ends is no fault; one whose lease is gone is."""
    scene, ticket = await stage.scene(lag=0.2), await stage.ticket()
    action_id = (await watched.click(scene, sys_id=ticket)).action_id
    await stage.finish(action_id)
    watched.seen()
    place = watched.place()
    worker = Worker(place)
    (claim,) = await stage.claim_reports(place)
    place.stopping.set()
    await worker._report(claim)
    (given_back,) = watched.seen()
    assert (given_back.facts[Said.RESULT], given_back.fault) == ("given_back", "")
    with pytest.raises(LeaseLost):
        await worker._report(claim)
    (lost,) = watched.seen()
    assert (lost.facts[Said.RESULT], lost.fault) == ("", "LeaseLost")


async def test_a_call_knows_whose_it_is(stage: Stage, watched: Watched) -> None:
    """While it works on something a task knows the span of its attempt or report, and no other task does."""
    heard: dict[str, set[str]] = {}

    def hear(name: str) -> None:
        heard.setdefault(name, set()).add(ON_THE_WAY.get())

    scene, ticket = await stage.scene(lag=0.2), await stage.ticket()
    await watched.click(scene, CAME.traceparent.encode(), sys_id=ticket)
    genesys = Meddler(stage.cloud(), hear)
    desk = Meddler(stage.sources[SOURCE], hear)
    desk_port: Any = desk
    desk_port.terms = stage.sources[SOURCE].terms
    await watched.work(5, genesys=genesys, sources={SOURCE: desk}, store=Meddler(stage.store, hear))
    spans = watched.seen()
    attempt, report = {named(spans, "attempt").place.traceparent}, {named(spans, "report").place.traceparent}
    assert [heard[name] for name in ("look", "disconnect", "mark_sent", "settle")] == [attempt] * 4
    assert [heard[name] for name in ("tell", "told")] == [report] * 2
    assert (heard["claim"], heard["claim_reports"], ON_THE_WAY.get()) == ({""}, {""}, "")
