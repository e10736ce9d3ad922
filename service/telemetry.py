"""The names of everything that leaves the process about itself, log events and metrics, and the way they leave."""

from __future__ import annotations

import contextlib
import logging
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from structlog.typing import EventDict, Processor, WrappedLogger

from service.core.model import OutcomeKind

_LONGEST_FIELD = 300  # characters: enough for a sentence, too short to smuggle a body into a log
_WHOLE_NUMBERS = range(-(2**63), 2**64)  # what fits into JSON as other programs read it
_STATUSES, _TOO_MANY = range(200, 600), 429
# seven digits and more, also as people write them: +1 415 555-0123, +49 (0)151 - 234/567, 0049 151 234567 and
# (415) 555-0123; a word of bare digits may be an id of somebody's, and is left
_GAP = r"[ \u00a0\u202f()./\u2010-\u2013-]{0,3}"
_NUMBER = re.compile(
    rf"[+\uff0b] ?[0-9](?:{_GAP}[0-9]){{6,}}"
    rf"|(?<![\w.:-])00[1-9](?:{_GAP}[0-9]){{7,}}(?![\w:-])"
    r"|(?<![\w.-])(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?![\w-])"
)
# no number is without one of these; most texts are, and are not gone through for a number
_NUMBERED = re.compile(r"[+\uff0b(]|00|[0-9][ .-][0-9]")
# also what turns or hides the text around it, for who reads a log in a terminal; and lone surrogates: they are in no
# encoding, and would be the end of the line and of who wrote it
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


# the logger that `configure` made, and the processors it was made for
_SPEAKING: dict[str, Any] = {}


class Event(StrEnum):
    """Every log event: a noun and what happened to it."""

    DELIVERY_ACCEPTED = "delivery.accepted"
    DELIVERY_IGNORED = "delivery.ignored"
    DELIVERY_REFUSED = "delivery.refused"
    DELIVERY_UNSTORED = "delivery.unstored"
    SOURCE_PAUSED = "source.paused"
    ATTEMPT_ENDED = "attempt.ended"
    REPORT_TOLD = "report.told"
    REPORT_DELAYED = "report.delayed"
    REPORT_BURIED = "report.buried"
    LEASE_LOST = "lease.lost"
    BYSTANDER_LOST = "bystander.lost"
    STORE_LOST = "store.lost"
    STORE_FOUND = "store.found"
    READINESS_LOST = "readiness.lost"
    READINESS_GAINED = "readiness.gained"
    WORKER_STARTED = "worker.started"
    WORKER_STOPPED = "worker.stopped"
    DOOR_OPENED = "door.opened"
    DOOR_CLOSED = "door.closed"
    COLLECTOR_LOST = "collector.lost"
    COLLECTOR_FOUND = "collector.found"
    SESSION_OPENED = "session.opened"
    SESSION_REFUSED = "session.refused"
    FAULT_RAISED = "fault.raised"


REGISTRY = CollectorRegistry()
DELIVERIES = Counter(
    "onhook_deliveries", "Webhooks by source and by what became of them", ["source", "result"], registry=REGISTRY
)
RUNAWAYS = Counter(
    "onhook_runaways", "Sources paused because one requester asked for too much", ["source"], registry=REGISTRY
)
OUTCOMES = Counter("onhook_outcomes", "Settled actions by org and outcome", ["org", "outcome"], registry=REGISTRY)
SENDS = Counter("onhook_sends", "Removals handed to Genesys by org and answer", ["org", "answer"], registry=REGISTRY)
LOOKS = Counter("onhook_looks", "Looks at a conversation by org and sight", ["org", "sight"], registry=REGISTRY)
REPORTS = Counter(
    "onhook_reports", "Tries to tell a ticket by source and result", ["source", "result"], registry=REGISTRY
)
LEASES_LOST = Counter("onhook_leases_lost", "Writes refused because the lease was gone", ["org"], registry=REGISTRY)
BYSTANDERS_LOST = Counter(
    "onhook_bystanders_lost", "People who left at the same time as the one removed", ["org"], registry=REGISTRY
)
FAILURES = Counter(
    "onhook_failures",
    "Actions that ended as failed, by org and by the key of the words for it",
    ["org", "cause"],
    registry=REGISTRY,
)
SETTLE_SECONDS = Histogram(
    "onhook_settle_seconds",
    "From the receipt of a click to its outcome, by org and outcome",
    ["org", "outcome"],
    # one SLO at 10 s; below it what a person notices, above it what a not-after allows
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 900),
    registry=REGISTRY,
)
GENESYS_SECONDS = Histogram(
    "onhook_genesys_seconds",
    "Calls to Genesys with their login, by org, what for, and class of status",
    ["org", "call", "status"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5),  # a call is cut off after 5 s
    registry=REGISTRY,
)
SPANS = Counter(
    "onhook_spans",
    "Spans of traces, where there is a collector, by what became of them: sent or dropped",
    ["result"],
    registry=REGISTRY,
)
LAST_CLAIM_SECONDS = Gauge(
    "onhook_last_claim_timestamp_seconds", "When this process last asked for work, epoch", ["org"], registry=REGISTRY
)
FAULTS = Gauge(
    "onhook_faults",
    "Whether Redis falls short, as this process sees it, by topic: 1 or 0",
    ["topic"],
    registry=REGISTRY,
)
# of all workers together, as the store says it: each process shows the same
OPEN_ACTIONS = Gauge("onhook_open_actions", "Actions that have not ended, by org", ["org"], registry=REGISTRY)
OPEN_REPORTS = Gauge(
    "onhook_open_reports", "Reports still to be told, by org and source", ["org", "source"], registry=REGISTRY
)
OVERDUE_SECONDS = Gauge(
    "onhook_overdue_seconds",
    "How long the oldest that is due has waited for a worker, by org and kind",
    ["org", "kind"],
    registry=REGISTRY,
)
PAUSED = Gauge(
    "onhook_paused", 'Whether a source, or the whole org (""), is paused: 1 or 0', ["org", "source"], registry=REGISTRY
)
BUDGET_CALLS = Gauge("onhook_budget_calls", "First looks that an org's budget carries now", ["org"], registry=REGISTRY)
DEAD_REPORTS = Gauge(
    "onhook_dead_reports",
    "Dead letters: reports that only a person moves on; no more than the newest 1,000 of an org are counted",
    ["org", "source"],
    registry=REGISTRY,
)
NEWER_RECORDS = Gauge(
    "onhook_newer_records",
    "Open actions and reports still to be told that a newer version wrote, which this process leaves to it, by org; of"
    " the first thousand of each",
    ["org"],
    registry=REGISTRY,
)
OF_THE_STORE = (OPEN_ACTIONS, OPEN_REPORTS, DEAD_REPORTS, OVERDUE_SECONDS, PAUSED, BUDGET_CALLS, NEWER_RECORDS)


def begin(orgs: Iterable[str], sources: Iterable[str]) -> None:
    """Show as zero what may be counted of these orgs and sources and must not be missed.

    A count that appears as one has not risen, as Prometheus sees it: without its zero, the first bystander lost after
    each start would wake nobody.
    """
    for org in orgs:
        BYSTANDERS_LOST.labels(org)
        LEASES_LOST.labels(org)
        for kind in OutcomeKind:
            OUTCOMES.labels(org, kind.value)
            SETTLE_SECONDS.labels(org, kind.value)
    for source in sources:
        RUNAWAYS.labels(source)
        for result in ("told", "delayed", "dead"):
            REPORTS.labels(source, result)


def class_of(status: int | None) -> str:
    """Return the class of a status as metrics name it: `2xx`, `429` apart, `none` for no answer, `odd` for others."""
    if status is None or status == _TOO_MANY:
        return "none" if status is None else str(status)
    return f"{status // 100}xx" if status in _STATUSES else "odd"


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)


def masked(text: str) -> str:
    """Return `text` fit for a log: control characters replaced, numbers down to their last four, cut if long."""
    return without_numbers(without_controls(text))[:_LONGEST_FIELD]


def without_controls(text: str) -> str:
    """Return `text` without what ends a line, or turns or hides the text around it: fit to stand beside other text."""
    # printable ASCII has none of them, and is told apart in a tenth of the time
    return text if text.isascii() and text.isprintable() else _CONTROL.sub("�", text)


def without_numbers(text: str) -> str:
    """Return `text` with phone numbers cut to their last four digits: fit to be kept."""
    return _NUMBER.sub(_last_four, text) if _NUMBERED.search(text) else text


def _last_four(number: re.Match[str]) -> str:
    return f"…{re.sub('[^0-9]', '', number[0])[-4:]}"


def _mask(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    return {key: _plain(value) for key, value in fields.items()}


def _plain(value: object) -> object:
    """Return `value` as JSON knows it, with every text in it masked."""
    match value:
        case str():
            return masked(str(value))
        case None | bool() | float():
            return value
        case int() if value in _WHOLE_NUMBERS:
            return int(value)
        case Mapping():
            return {masked(str(key)): _plain(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(inner) for inner in value]
        case _:
            return masked(str(value))


class _SameLines(logging.Formatter):
    """The standard library's log records (uvicorn, asyncio, redis) in the same form as ours."""

    def __init__(self, render: Processor) -> None:
        super().__init__()
        self._render = render

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        fields = {"event": record.name, "message": record.getMessage(), "level": record.levelname.lower()}
        if record.exc_info and record.exc_info[1]:
            fields |= {"fault": type(record.exc_info[1]).__name__, "at": _place(record.exc_info[1])}
        line = self._render(None, "", {key: masked(value) for key, value in fields.items()} | {"timestamp": at})
        return cast("bytes", line).decode()


def configure(level: str = "info", stream: BinaryIO | None = None) -> None:
    """Send every log line to `stream` (standard error's bytes when None) as one line of JSON.

    On a terminal it is the same line for a person: in colours, and without what is empty.
    """
    stream = stream or sys.stderr.buffer
    out, render = _Lines(stream), _in_colours() if stream.isatty() else _in_json()
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _mask,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", out)),
        cache_logger_on_first_use=False,
    )
    _SPEAKING.update(processors=structlog.get_config()["processors"], logger=structlog.get_logger().bind())
    lines = logging.StreamHandler(out)
    lines.setFormatter(_SameLines(render))
    logging.basicConfig(handlers=[lines], level=max(number, logging.WARNING), force=True)


def _in_json() -> Processor:
    return structlog.processors.JSONRenderer(serializer=orjson.dumps)


def _in_colours() -> Processor:
    """Return what makes a line for a person: when, how bad, what happened, and what is known of it."""
    console = structlog.dev.ConsoleRenderer(sort_keys=False)

    def render(logger: WrappedLogger, method: str, fields: EventDict) -> bytes:
        told = {key: value for key, value in fields.items() if value not in ("", None, [])}
        return console(logger, method, told).encode(errors="replace")

    return render


class _Lines:
    """A byte stream for both kinds of lines; one that takes no more (a full disk, a closed pipe) stops nobody."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, line: bytes | str) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
            self._out.write(line.encode(errors="replace") if isinstance(line, str) else line)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._out.flush()


def emit(event: Event, level: str = "info", /, **fields: object) -> None:
    """Write one log line: `event` and what is known of it. Strings are masked; never pass a body or a secret."""
    # made anew only where somebody else listens, or nobody said how: as tests do
    is_ours = _SPEAKING.get("processors") is structlog.get_config()["processors"]
    logger = _SPEAKING["logger"] if is_ours else structlog.get_logger()
    getattr(logger, level)(event.value, **fields)


def emit_fault(fault: BaseException, where: str) -> None:
    """Write one line for an exception that nobody expected, or one for each in a group: its type, message and place."""
    if isinstance(fault, BaseExceptionGroup):
        for inner in fault.exceptions:
            emit_fault(inner, where)
        return
    name, at = type(fault).__name__, _place(fault)
    emit(Event.FAULT_RAISED, "error", fault=name, message=str(fault), where=where, at=at)


def _place(fault: BaseException) -> str:
    """Return where it was raised: `flow/worker.py:61`."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{'/'.join(Path(trace.tb_frame.f_code.co_filename).parts[-2:])}:{trace.tb_lineno}" if trace else ""


def metric_names() -> Mapping[str, str]:
    """Return every metric's name and what it says; scraped, a counter's name has `_total` at its end."""
    return {metric.name: metric.documentation for metric in REGISTRY.collect()}
