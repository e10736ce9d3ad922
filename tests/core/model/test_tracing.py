"""Whose trace it is: what a header may say, what is no trace at all, and ids that everybody makes alike."""

from __future__ import annotations

import re

import pytest

from service.core import model as m
from service.core.model.tracing import trace_in, trace_of, trace_said

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAID = f"00-{ID}-{SPAN}-01"


@pytest.mark.parametrize(
    "text, trace",
    [
        (SAID, m.Trace(ID, SPAN)),
        (f"00-{ID}-{SPAN}-00", m.Trace(ID, SPAN, is_sampled=False)),
        (f"00-{ID}-{SPAN}-03", m.Trace(ID, SPAN)),
        (f"00-{ID}-{SPAN}-fe", m.Trace(ID, SPAN, is_sampled=False)),
        # a later version: what is known of it is read, whatever stands behind
        (f"01-{ID}-{SPAN}-01", m.Trace(ID, SPAN)),
        (f"cc-{ID}-{SPAN}-01-what-the-future-is-like", m.Trace(ID, SPAN)),
        (f"cc-{ID}-{SPAN}-01-", m.Trace(ID, SPAN)),
    ],
)
def test_a_trace_is_read(text: str, trace: m.Trace) -> None:
    """What the specification calls a trace is one, of this version and of later ones."""
    assert trace_in(text) == trace


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        f"ff-{ID}-{SPAN}-01",
        f"00-{ID}-{SPAN}-01-",
        f"00-{ID}-{SPAN}-01-more",
        f"01-{ID}-{SPAN}-01more",
        f"01-{ID}-{SPAN}-01-{'x' * 257}",
        f"01-{ID}-{SPAN}-01-a b",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{ID}-{'0' * 16}-01",
        f"00-{ID.upper()}-{SPAN}-01",
        f"00-{ID}-{SPAN.upper()}-01",
        f"0A-{ID}-{SPAN}-01",
        f"00-{ID}-{SPAN}-0A",
        f"00-{ID[1:]}-{SPAN}-01",
        f"00-{ID}0-{SPAN}-01",
        f"00-{ID}-{SPAN[1:]}-01",
        f"00-{ID}-{SPAN}-1",
        f"00-{ID}-{SPAN}-001",
        f"0-{ID}-{SPAN}-01",
        f"00{ID}-{SPAN}-01",
        f"00_{ID}_{SPAN}_01",
        f"00-{ID[:-1]}g-{SPAN}-01",
        f" {SAID}",
        f"{SAID} ",
        f"{SAID}\n",
        f"{SAID}\r\nX-Evil: 1",
        f"{SAID},{SAID}",
        f"00-{ID[:-1]}\u0664-{SPAN}-01",
        f"00-{ID}-{SPAN}-\uff10\uff11",
        "../../" + SAID,
        "A" * 100_000,
    ],
)
def test_what_is_malformed_is_no_trace(text: str) -> None:
    """Whatever the specification does not allow is read as if nothing had been said, and is no error."""
    assert trace_in(text) is None


@pytest.mark.parametrize(
    "headers, trace",
    [
        ([], None),
        ([(b"traceparent", SAID.encode())], m.Trace(ID, SPAN)),
        ([(b"Host", b"here"), (b"TraceParent", SAID.encode()), (b"tracestate", b"vendor=1")], m.Trace(ID, SPAN)),
        ([(b"traceparent", SAID.encode()), (b"Traceparent", SAID.encode())], None),
        ([(b"traceparent", b"\xff\xfe" + SAID.encode())], None),
        ([(b"tracestate", SAID.encode())], None),
    ],
)
def test_what_a_request_says(headers: list[tuple[bytes, bytes]], trace: m.Trace | None) -> None:
    """The one header counts, however it is written; two of them say nothing, since nobody knows which is meant."""
    assert trace_said(headers) == trace


@pytest.mark.parametrize("is_sampled", [True, False])
def test_it_is_written_as_it_is_read(is_sampled: bool) -> None:
    """What is written is read as the same."""
    trace = m.Trace(ID, SPAN, is_sampled=is_sampled)
    assert trace_in(trace.traceparent) == trace
    assert m.Trace(ID, SPAN).traceparent == SAID


def test_another_span_of_the_same_trace() -> None:
    """The same words are the same span, others another, and another trace has its own for them; the flag goes along."""
    trace = m.Trace(ID, SPAN, is_sampled=False)
    one = trace.within("attempt", "a")
    assert (one.id, one.is_sampled, one) == (ID, False, trace.within("attempt", "a"))
    spans = [
        one,
        trace.within("attempt", "b"),
        trace.within("attempta"),
        m.Trace("a" * 32, SPAN).within("attempt", "a"),
    ]
    assert len({span.span_id for span in spans}) == 4
    assert all(re.fullmatch("[0-9a-f]{16}", span.span_id) for span in spans)


def test_a_trace_of_its_own() -> None:
    """An action whose webhook named none has a trace of its own, which is kept, and the same for whoever asks."""
    one, other = trace_of("acme.01jd0000000000000000000000"), trace_of("acme.01jd0000000000000000000001")
    assert one == trace_of("acme.01jd0000000000000000000000")
    assert trace_in(one.traceparent) == one
    assert one.is_sampled
    assert one.id != other.id
