"""The private door: probes, version, metrics and the console, for those who run the service."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from service import telemetry
from service.core.errors import StoreDown
from service.web.answers import answered, json_answer
from service.web.door import Door, Inside, Route
from service.web.problems import Problem

MAX_CLAIM_AGE_SECONDS = 10.0  # ten missed re-checks: the loop hangs, and only a restart helps
EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8"  # what Prometheus reads in every version
_NO_STORE = {"Cache-Control": "no-store"}
_ELSEWHERE = Problem(
    404,
    "not_found",
    "Not found",
    "This process only works. The console is on the private door of `onhook serve`, or of `onhook up`.",
)

Faults = Callable[[], Awaitable[Sequence[str]]]
Orgs = Callable[[], Awaitable[Mapping[str, Mapping[str, object]]]]


def private_door(
    *,
    version: Mapping[str, str],
    claim_age: Callable[[], float | None],
    has_started: Callable[[], bool],
    faults: Faults,
    orgs: Orgs,
    measure: Callable[[], Awaitable[None]],
    console: Inside | None = None,
) -> ASGIApp:
    """Return the private door as an ASGI app that needs no lifespan.

    Args:
        version: what `/version` shows.
        claim_age: seconds since this process last asked for work (or began to live); None where it does not work.
        has_started: whether everything was opened once.
        faults: why this process should get no deliveries now, in words; empty when it should.
        orgs: by org mode, pauses, sources in shadow: `{"acme": {"mode": "live", "paused": [], "shadow": ["desk"]}}`;
            nothing of it makes it unready.
        measure: lets the metrics say what they cannot count themselves, right before they are shown.
        console: answers everything at and below `/console`, faults included; None where that says where it is.
    """
    one_scrape = asyncio.Lock()

    async def livez(_: Request) -> Response:
        age = claim_age()
        is_alive = age is None or age <= MAX_CLAIM_AGE_SECONDS
        content = {"status": "alive" if is_alive else "stuck", "last_claim_seconds_ago": age}
        return json_answer(200 if is_alive else 503, content, _NO_STORE)

    async def readyz(_: Request) -> Response:
        found, shown = await _readiness(faults, orgs)
        content = {"status": "not ready" if found else "ready", "faults": found, "orgs": shown}
        return json_answer(503 if found else 200, content, _NO_STORE)

    async def startupz(_: Request) -> Response:
        return json_answer(200, {"status": "started"}) if has_started() else json_answer(503, {"status": "starting"})

    async def show_version(_: Request) -> Response:
        return json_answer(200, dict(version))

    async def metrics(_: Request) -> Response:
        async with one_scrape:  # what is measured for one must not be measured anew for another while it is written
            await measure()
            text = await asyncio.to_thread(telemetry.exposition)  # of 1,000 orgs 10 MB and seconds: webhooks go on
        return answered(200, text, EXPOSITION_TYPE)

    answers = {"livez": livez, "readyz": readyz, "startupz": startupz, "version": show_version, "metrics": metrics}
    routes = [Route("GET", re.compile(f"/{path}"), answer) for path, answer in answers.items()]
    return Door(routes, {"/console": console or _elsewhere})


async def _elsewhere(_: Request) -> Response:
    return _ELSEWHERE.response()


async def _readiness(faults: Faults, orgs: Orgs) -> tuple[list[str], Mapping[str, object] | None]:
    """Return the faults, and the orgs; a store that cannot be asked is a fault, and then the orgs are not known."""
    found: list[str] = []
    try:
        found.extend(await faults())
        shown = await orgs()
    except StoreDown as fault:
        return [*found, f"the store did not answer: {fault}"], None
    return found, {org: dict(known) for org, known in shown.items()}
