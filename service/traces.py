"""The names of all spans and what is said in them, how they are kept until they are sent, and how they are written.

A span is made after the fact, of what the flow has written down anyhow: nothing waits for one, or asks which is the
current one. By OpenTelemetry's conventions for messaging, to accept a click is the `create` of a message, and an
attempt or a report is a `process` of it. Each works on one click alone, so it hangs below the span that accepted it and
one trace shows the click from its delivery to its last note, whoever worked on it and however often.

A webhook that joins an action has a trace of its own; the attribute `onhook.action` is the same in both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import metadata
from typing import Final, TypeAlias

from service import telemetry
from service.core import model as m

# `traceparent` of what this task works on, for calls to whom the settings let know it; "" for none
ON_THE_WAY: ContextVar[str] = ContextVar("traceparent", default="")
EXTRA: Final = "onhook[traces]"
_NEEDED: Final = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-common")

Fact: TypeAlias = str | int | float | bool


class Name(StrEnum):
    """Every span: the ten verbs, and what they are done for."""

    DELIVERY = "delivery"
    VERIFY = "verify"
    PARSE = "parse"
    ACCEPT = "accept"
    ATTEMPT = "attempt"
    CLAIM = "claim"
    LOOK = "look"
    DECIDE = "decide"
    DISCONNECT = "disconnect"
    CONFIRM = "confirm"
    SETTLE = "settle"
    REPORT = "report"


class Said(StrEnum):
    """Every attribute of a span. None is a person, a number, a conversation or a ticket; texts are cut as in a log."""

    ACTION = "onhook.action"
    ORG = "onhook.org"
    SOURCE = "onhook.source"
    JOINED = "onhook.joined"
    SELECTOR = "onhook.selector"
    WORKER = "onhook.worker"
    LAPSES = "onhook.lapses"
    SENDS = "onhook.sends"
    OUTCOME = "onhook.outcome"
    REASON = "onhook.reason"
    NOTE = "onhook.note"
    CORRELATION_ID = "onhook.correlation_id"
    CHANNEL = "onhook.channel"
    TRIES = "onhook.tries"
    RESULT = "onhook.result"
    # as OpenTelemetry calls it
    STATUS = "http.response.status_code"


# who asks and who is asked: https://opentelemetry.io/docs/specs/otel/trace/api/#spankind; all others are internal
KINDS: Final[Mapping[Name, str]] = {
    Name.DELIVERY: "SERVER",
    Name.ACCEPT: "PRODUCER",
    Name.ATTEMPT: "CONSUMER",
    Name.REPORT: "CONSUMER",
    **dict.fromkeys((Name.LOOK, Name.DISCONNECT, Name.CONFIRM), "CLIENT"),
}


@dataclass(frozen=True, slots=True)
class Span:
    """Something that was done for a click, and how long it took.

    Attributes:
        place: the span itself in its trace.
        parent_id: the span below which it hangs; "" for none.
        began_at: milliseconds since the epoch, with a fraction.
        lasted_ms: milliseconds.
        facts: what is said of it.
        fault: why it was not done, in a word; "" where it was.
    """

    name: Name
    place: m.Trace
    parent_id: str
    began_at: float
    lasted_ms: float
    facts: Mapping[Said, Fact] = field(default_factory=dict)
    fault: str = ""

    def below(
        self,
        name: Name,
        number: int,
        after_ms: float,
        lasted_ms: float,
        facts: Mapping[Said, Fact] | None = None,
        fault: str = "",
    ) -> Span:
        """Return what was done as the `number`th part of this, so long after it began."""
        place = self.place.within(self.place.span_id, name, str(number))
        return Span(name, place, self.place.span_id, self.began_at + after_ms, lasted_ms, facts or {}, fault)


class Spans:
    """What is to be sent to a collector: of bounded size, the newest are lost where it is full, and nobody waits.

    All is done in the one thread of the flow, so there is no lock. With room for none, nothing is kept or counted.
    """

    def __init__(self, most: int = 0) -> None:
        """Have room for `most`."""
        self._most = most
        self._kept: deque[Span] = deque()

    def note(self, spans: Iterable[Span]) -> None:
        """Keep those whose trace somebody keeps; what there is no room for is dropped, and counted.

        With no room at all they are not even made, where they are made one by one. Never raises: it is said of what was
        done.
        """
        try:
            for span in spans if self._most else ():
                self._keep(span)
        except Exception as fault:  # noqa: BLE001 - they are made here, and a fault in that must not become the flow's
            telemetry.emit_fault(fault, "spans")

    def _keep(self, span: Span) -> None:
        if not span.place.is_sampled:
            return
        if len(self._kept) < self._most:
            self._kept.append(span)
        else:
            telemetry.SPANS.labels("dropped").inc()

    def take(self, many: int) -> list[Span]:
        """Take out up to `many`, the oldest first."""
        return [self._kept.popleft() for _ in range(min(many, len(self._kept)))]

    def give_back(self, spans: Sequence[Span]) -> None:
        """Put back what could not be sent yet, as far as there is room by now."""
        room = self._most - len(self._kept)
        for span in reversed(spans[:room]):
            self._kept.appendleft(span)
        telemetry.SPANS.labels("dropped").inc(len(spans) - len(spans[:room]))


def can_write() -> bool:
    """Whether the extra is installed; nothing of it is imported for that."""
    return all(any(metadata.distributions(name=name)) for name in _NEEDED)


def writer(version: str, instance: str) -> Callable[[Sequence[Span]], bytes]:
    """Return what writes spans as the body of an OTLP request, in protobuf.

    OpenTelemetry is imported here, and only here: it takes a third of a second. Of it only the data are used: its
    exporters read the environment, have threads, and call by another way out than ours.

    Args:
        version: of this service.
        instance: which of its processes this is.
    """
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans  # noqa: PLC0415 - as said
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - as said
    from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415 - as said
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415 - as said
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags  # noqa: PLC0415 - as said

    resource = Resource({"service.name": "onhook", "service.version": version, "service.instance.id": instance})
    scope = InstrumentationScope("onhook", version)

    def context(place: m.Trace, span_id: str, *, is_remote: bool) -> SpanContext:
        return SpanContext(int(place.id, 16), int(span_id, 16), is_remote, TraceFlags(TraceFlags.SAMPLED))

    def readable(span: Span) -> ReadableSpan:
        began = round(span.began_at * 1000) * 1000  # to the microsecond: more is not in the number
        # what hangs below a span of another process, as far as anybody can tell from here
        is_remote = span.name in {Name.DELIVERY, Name.ATTEMPT, Name.REPORT}
        facts = {said.value: _fit(fact) for said, fact in span.facts.items()}
        failed = {"error.type": telemetry.masked(span.fault)} if span.fault else {}
        return ReadableSpan(
            span.name,
            context(span.place, span.place.span_id, is_remote=False),
            context(span.place, span.parent_id, is_remote=is_remote) if span.parent_id else None,
            resource,
            {**facts, **failed},
            kind=SpanKind[KINDS.get(span.name, "INTERNAL")],
            status=Status(StatusCode.ERROR) if span.fault else Status(),
            start_time=began,
            end_time=began + round(max(span.lasted_ms, 0.0) * 1000) * 1000,
            instrumentation_scope=scope,
        )

    def written(spans: Sequence[Span]) -> bytes:
        body: bytes = encode_spans([readable(span) for span in spans]).SerializeToString()
        return body

    return written


def _fit(fact: Fact) -> Fact:
    return telemetry.masked(fact) if isinstance(fact, str) else fact
