"""Spans: how many are kept, what is written of them, and that nothing of it is there where nobody asked for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from service.core import model as m
from service.traces import KINDS, Fact, Name, Said, Span, Spans, can_write, writer
from tests.flow.stage import counted
from tests.needs import needs
from tests.test_docs import VERBS

PLACE = m.Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


def span(number: int, trace: m.Trace = PLACE) -> Span:
    """Return a span that shows its number."""
    return Span(Name.LOOK, trace, "", number, 1.0)


def dropped() -> float:
    """Return how many were dropped so far."""
    return counted("onhook_spans_total", result="dropped")


def read(body: bytes) -> Any:  # noqa: ANN401 - a message of protobuf, which has no types here
    """Return what a collector reads."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415 - needs the extra
        ExportTraceServiceRequest,
    )

    return ExportTraceServiceRequest.FromString(body)


def test_the_names_are_the_ten_verbs() -> None:
    """Spans are called by the ten verbs, and by the three things they are done for."""
    assert set(Name) == {*VERBS, "delivery", "attempt"}
    assert set(KINDS) < set(Name)


def test_nothing_is_kept_by_itself() -> None:
    """Where there is no collector nothing is kept, nothing is counted as lost, and no span is even made."""

    def made() -> Iterator[Span]:
        yield pytest.fail("made in vain")

    before, spans = dropped(), Spans()
    spans.note(made())
    assert (spans.take(10), dropped()) == ([], before)


def test_what_has_no_room_is_lost_and_counted() -> None:
    """As many are kept as there is room for; what comes then is dropped, and is counted."""
    before, spans = dropped(), Spans(3)
    spans.note(span(number) for number in range(5))
    assert dropped() == before + 2
    assert [one.began_at for one in spans.take(2)] == [0, 1]
    spans.note([span(7)])
    assert [one.began_at for one in spans.take(9)] == [2, 7]
    assert spans.take(9) == []


def test_what_was_given_back_goes_first() -> None:
    """What could not be sent is the next to be sent, in its order; what there is no room for by now is dropped."""
    before, spans = dropped(), Spans(4)
    spans.note(span(number) for number in range(4))
    taken = spans.take(3)
    spans.give_back(taken)
    assert [one.began_at for one in spans.take(2)] == [0, 1]
    spans.note([span(8)])
    spans.give_back(taken)
    assert dropped() == before + 2
    assert [one.began_at for one in spans.take(9)] == [0, 2, 3, 8]


def test_a_fault_in_a_span_is_nobody_elses() -> None:
    """What goes wrong while spans are made is told as a fault of ours, and does not reach whoever says what he did."""

    def made() -> Iterator[Span]:
        yield span(1)
        raise ValueError("no such verb")

    spans = Spans(4)
    with capture_logs() as logs:
        spans.note(made())
    assert [one.began_at for one in spans.take(9)] == [1]
    assert [(line["event"], line["fault"], line["where"]) for line in logs] == [("fault.raised", "ValueError", "spans")]


def test_what_nobody_keeps_is_not_kept() -> None:
    """A trace that whoever began it does not keep gets no spans of ours, and none of them is lost by that."""
    before, spans = dropped(), Spans(4)
    spans.note([span(1, m.Trace(PLACE.id, PLACE.span_id, is_sampled=False)), span(2)])
    assert ([one.began_at for one in spans.take(9)], dropped()) == ([2], before)


def test_a_span_below_another() -> None:
    """A part of something hangs below it in the same trace, so long after it began, and each part is another span."""
    whole = Span(Name.ATTEMPT, PLACE, "", 1_000, 50)
    one, other = whole.below(Name.LOOK, 1, 2.5, 7.0, {Said.STATUS: 200}, "late"), whole.below(Name.LOOK, 2, 0, 0)
    assert (one.parent_id, one.place.id, one.began_at, one.lasted_ms) == (PLACE.span_id, PLACE.id, 1002.5, 7.0)
    assert (one.facts, one.fault, other.facts, other.fault) == ({Said.STATUS: 200}, "late", {}, "")
    assert len({one.place.span_id, other.place.span_id, PLACE.span_id}) == 3


def test_what_is_written() -> None:
    """A collector reads whose span it is, what it hangs below, when it was, and what is said of it, texts masked."""
    needs("opentelemetry")
    facts: dict[Said, Fact] = {Said.NOTE: "call +14155550123\n" + "x" * 1000, Said.STATUS: 404, Said.TRIES: 2}
    look = Span(Name.LOOK, PLACE, "b7ad6b7169203331", 1_790_000_000_000.25, 12.5, facts, "404")
    delivery = Span(Name.DELIVERY, PLACE.within("x"), "b7ad6b7169203331", 5, -3)
    (resource,) = read(writer("1.2.3", "w-here:7")([look, delivery])).resource_spans
    told = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert told == {"service.name": "onhook", "service.version": "1.2.3", "service.instance.id": "w-here:7"}
    (scope,) = resource.scope_spans
    assert (scope.scope.name, scope.scope.version) == ("onhook", "1.2.3")
    one, other = scope.spans
    assert (one.trace_id.hex(), one.span_id.hex()) == (PLACE.id, PLACE.span_id)
    assert (one.name, one.parent_span_id.hex(), one.trace_state) == ("look", "b7ad6b7169203331", "")
    assert one.start_time_unix_nano == 1_790_000_000_000_250_000
    assert one.end_time_unix_nano - one.start_time_unix_nano == 12_500_000
    said = {fact.key: fact.value.string_value or fact.value.int_value for fact in one.attributes}
    assert said.pop("onhook.note") == ("call …0123�" + "x" * 1000)[:300]
    assert said == {"http.response.status_code": 404, "onhook.tries": 2, "error.type": "404"}
    assert (one.status.code, other.status.code) == (2, 0)
    assert other.end_time_unix_nano == other.start_time_unix_nano == 5_000_000
    # what hangs below a span of another process says so: bit 9 of the flags
    assert [bool(it.flags & 0x200) for it in (one, other)] == [False, True]
    assert [it.kind for it in (one, other)] == [3, 2]


def test_one_that_hangs_below_none() -> None:
    """The first span of a trace has none above it."""
    needs("opentelemetry")
    ((scope,),) = (one.scope_spans for one in read(writer("1", "w")([span(1)])).resource_spans)
    assert [one.parent_span_id for one in scope.spans] == [b""]


def test_whether_it_can_be_written(tmp_path: Path) -> None:
    """Whether the extra is installed is known by its packages; one of the two is not enough."""
    needs("opentelemetry")
    assert can_write()
    before = sys.path[:]
    try:
        sys.path[:] = [str(tmp_path)]
        assert not can_write()
        (tmp_path / "opentelemetry_sdk-1.0.dist-info").mkdir()
        assert not can_write()
    finally:
        sys.path[:] = before


def test_nobody_pays_for_what_nobody_asked() -> None:
    """A process whose settings name no collector imports nothing that writes spans, also to know whether it could."""
    said = "from service.wiring import processes; import service.traces, sys; service.traces.can_write()"
    # redis-py takes what it counts with wherever it is installed; what we take is the rest
    loaded = "print(*[it for it in sys.modules if it.startswith(('opentelemetry.exporter', 'google.protobuf'))])"
    ran = subprocess.run([sys.executable, "-c", f"{said}; {loaded}"], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
