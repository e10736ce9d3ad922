"""One action's timeline as a page draws it: verb by verb, how long each took, and where the time went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.core import model as m
from service.web.pages.telling import When, safe, span, when

WIDTH = 1000  # units of the drawing across
_THINNEST = 4  # what is still seen
_TELLING_MS = 0.5  # below that a step took nothing that a person would ask about
_SUCCESS = range(200, 300)
# what stands in the words of the flow, said for who does not read its code
_VERBS = {
    "verify": "the signature was checked",
    "parse": "the body was read",
    "accept": "it was stored",
    "claim": "a worker took it",
    "look": "Genesys was asked who is there",
    "decide": "the rules were asked what to do",
    "disconnect": "the removal was sent",
    "confirm": "a look whether it took effect",
    "settle": "the outcome was written",
    "report": "the ticket was told",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline.

    Attributes:
        after: from the click until it began; negative for what came before, as when clocks differ.
        took: how long it took; "" where that is nothing worth telling.
        x, width: where its bar stands in the drawing, in units of WIDTH.
        is_fault: the call was not answered by a success.
    """

    verb: str
    means: str
    at: When | None
    after: str
    took: str
    status: str
    correlation_id: str
    worker: str
    note: str
    x: int
    width: int
    is_fault: bool


@dataclass(frozen=True, slots=True)
class Share:
    """How much of the time between click and end one kind of step took."""

    verb: str
    took: str
    percent: int


def steps(action: m.Action, timeline: Sequence[m.Entry], now: int) -> Sequence[Step]:
    """Return the timeline in the order in which it happened."""
    begin = min([action.clicked_at, *(entry.at for entry in timeline)])
    end = max([action.settled_at, *(entry.at + round(entry.duration_ms) for entry in timeline), begin + 1])
    scale = WIDTH / (end - begin)
    return [_step(entry, action.clicked_at, begin, scale, now) for entry in sorted(timeline, key=lambda one: one.at)]


def shares(action: m.Action, timeline: Sequence[m.Entry]) -> Sequence[Share]:
    """Return where the time until the end went, the most first: each verb's own, and what was waited between them.

    Empty while it is open, and where it took no time worth dividing.
    """
    whole = action.settled_at - action.clicked_at
    if whole <= 0:
        return ()
    spent: dict[str, float] = {}
    for entry in timeline:
        if entry.verb != "report" and entry.at <= action.settled_at:
            spent[entry.verb] = spent.get(entry.verb, 0.0) + entry.duration_ms
    waited = whole - sum(spent.values())
    if waited > 0:
        spent["waiting"] = waited
    parts = sorted(spent.items(), key=lambda one: one[1], reverse=True)
    return [Share(safe(verb, 20), span(ms / 1000), min(round(100 * ms / whole), 100)) for verb, ms in parts if ms >= 1]


def _step(entry: m.Entry, clicked_at: int, begin: int, scale: float, now: int) -> Step:
    offset = (entry.at - clicked_at) / 1000
    x = min(int((entry.at - begin) * scale), WIDTH - _THINNEST)
    width = max(int(entry.duration_ms * scale), _THINNEST)
    return Step(
        verb=safe(entry.verb, 20),
        means=_VERBS.get(entry.verb, ""),
        at=when(entry.at, now),
        after=f"{'-' if offset < 0 else '+'}{span(abs(offset))}",
        took=span(entry.duration_ms / 1000) if entry.duration_ms >= _TELLING_MS else "",
        status="" if entry.status is None else str(entry.status),
        correlation_id=safe(entry.correlation_id, 100),
        worker=safe(entry.worker, 100),
        note=safe(entry.note),
        x=x,
        width=min(width, WIDTH - x),
        is_fault=entry.status is not None and entry.status not in _SUCCESS,
    )
