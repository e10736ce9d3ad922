"""The table of deploy/capacity.md, made of what the full run left behind, so that the page says what was measured."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.findings import FOLDER

PAGE = Path(__file__).parents[3] / "deploy" / "capacity.md"
BEGIN, END = "<!-- measured: python -m tests.story.capacity -->", "<!-- to here -->"
Told = Mapping[str, Any]
_FEW, _MANY = 10, 100  # from there on a digit less


def _number(value: float) -> str:
    """Write a figure with as many digits as mean something."""
    if abs(value) >= _MANY:
        return f"{value:,.0f}"
    return f"{value:.{1 if abs(value) >= _FEW else 2}f}".rstrip("0").rstrip(".")


def _answer(name: str) -> Callable[[Told], str]:
    def said(told: Told) -> str:
        one = told["answers"][name]
        size = one["kilobytes"]
        return (
            f"{_number(one['median'])} s, {_number(size / 1000)} MB" if size >= _MANY else f"{_number(one['median'])} s"
        )

    return said


def _pair(*paths: Sequence[str], scale: float = 1) -> Callable[[Told], str]:
    def said(told: Told) -> str:
        return " · ".join(_number(told[one][name] * scale) for one, name in paths)

    return said


ROWS: Sequence[tuple[str, Callable[[Told], str]]] = (
    (
        "start until the doors are open, seconds: `serve` · `work`",
        _pair(("start_seconds", "serve"), ("start_seconds", "work")),
    ),
    ("memory at rest, MB: `serve` · `work`", _pair(("standing", "serve_megabytes"), ("standing", "work_megabytes"))),
    (
        "memory after probes, metrics, console and clicks, MB: `serve` · `work`",
        _pair(("after", "serve_megabytes"), ("after", "work_megabytes")),
    ),
    (
        "while nothing happens, % of one processor: `serve` · `work` · Redis",
        _pair(("idle", "serve_cpu"), ("idle", "work_cpu"), ("idle", "redis_cpu"), scale=100),
    ),
    ("while nothing happens, scripts a second that Redis runs", _pair(("idle", "scripts"))),
    ("while nothing happens, kB a second to the append-only file", _pair(("idle", "aof_bytes"), scale=0.001)),
    ("clients of Redis after all of it", _pair(("after", "redis_clients"))),
    ("`/readyz` of `serve`", _answer("serve/readyz")),
    ("`/metrics` of `work`", _answer("work/metrics")),
    ("the console's first page, which shows every org", _answer("console")),
    ("the console's list of actions", _answer("console/actions")),
    ("click → removal sent, seconds: half · 95 of 100", _pair(("clicks", "sent_p50"), ("clicks", "sent_p95"))),
    ("click → seen gone, seconds: half · 95 of 100", _pair(("clicks", "gone_p50"), ("clicks", "gone_p95"))),
    (
        "a click, ms of one processor: `serve` · `work` · Redis",
        _pair(("clicks", "serve_milliseconds"), ("clicks", "work_milliseconds"), ("clicks", "redis_milliseconds")),
    ),
    ("a click, scripts in Redis (each that writes is one fsync, alone)", _pair(("clicks", "scripts"))),
    ("a click, kB to the append-only file", _pair(("clicks", "aof_bytes"), scale=0.001)),
    (
        "Redis killed and back after 5 s: seconds from then to a click's end · lines in the log of `work`",
        _pair(("outage", "settled_after_seconds"), ("outage", "lines_of_the_worker")),
    ),
    ("told to end, seconds: `serve` · `work`", _pair(("end_seconds", "serve"), ("end_seconds", "work"))),
)


def table_of(orgs: Mapping[str, Told]) -> str:
    """Return the figures as a table, a column a number of orgs."""
    counts = [f"{int(count):,}" for count in orgs]
    lines = [f"| one `serve`, one `work`, one Redis; orgs: | {' | '.join(counts)} |", "|---" * (len(counts) + 1) + "|"]
    lines += [f"| {what} | {' | '.join(said(told) for told in orgs.values())} |" for what, said in ROWS]
    return "\n".join(lines)


def filled(page: str) -> str:
    """Return the page with the table of the last full run in it."""
    found = json.loads((FOLDER / "capacity.json").read_text(encoding="utf-8"))
    said = f"The load of the machine meanwhile was {_number(found['load'])}; two cores are busy with a load of 2."
    made = f"{BEGIN}\n\n{table_of(found['orgs'])}\n\n{said}\n\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: made, page, flags=re.DOTALL)
