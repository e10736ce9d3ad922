"""The command that says how the last hour and the last day went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

Org = Annotated[str, typer.Option(help="Only this org; all configured ones without it.")]
Json = Annotated[bool, typer.Option("--json", help="Say it as one JSON document, for programs.")]
_SPANS = ("hour", "day")


def stats(org: Org = "", as_json: Json = False) -> None:
    """Count the last hour and the last day: accepted and refused by source, outcomes, and how long it took.

    It is counted by the minute, whatever happened in it. Of a hundred removed, p95 says within how many seconds
    ninety-five were seen gone, counted from their clicks.

    Example: onhook stats --org acme
    """
    import asyncio

    from service.cli import printing
    from service.wiring.counting import stats as look

    told: Mapping[str, Any] = asyncio.run(look(org))
    if as_json:
        printing.line(told)
        return
    for name, spans in told["orgs"].items():
        printing.table(["org", "what", *_SPANS], ([name, *row] for row in _rows(spans)), f"{name}, until {told['at']}")


def _rows(spans: Mapping[str, Any]) -> Iterator[tuple[str, object, object]]:
    hour, day = (spans[name] for name in _SPANS)
    for what, words in (("accepted", "accepted of"), ("refused", "refused of"), ("outcomes", "ended as")):
        yield from ((f"{words} {one}", hour[what].get(one, 0), count) for one, count in sorted(day[what].items()))
    yield "removed", hour["gone"]["count"], day["gone"]["count"]
    last = day["gone"]["within"][-2]["seconds"]
    for share in ("p50", "p95", "p99"):
        yield f"gone, {share}", _within(hour["gone"], share, last), _within(day["gone"], share, last)


def _within(gone: Mapping[str, Any], share: str, last: float) -> str:
    if not gone["count"]:
        return "–"
    return f"over {last:g} s" if gone[share] is None else f"within {gone[share]:g} s"
