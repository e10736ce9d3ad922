"""Whose calls say their trace, and whose do not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from service import settings
from service.core import model as m
from service.store.embedded import EmbeddedRedis
from service.traces import ON_THE_WAY
from service.wiring.carrying import Carrier
from service.wiring.house import opened
from tests.genesys.peers import Noting, peer, read_request
from tests.wiring.running import own
from tests.wiring.test_processes import OFFLINE

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ACTION = "acme.01jd0000000000000000000000"
CID = "3a4b5c6d-1234-4678-9012-34567890abcd"


@asynccontextmanager
async def listening(heads: list[str]) -> AsyncIterator[str]:
    """Somebody who gives a token to whoever asks for anything, and notes how he asked."""
    body = json.dumps({"access_token": "obviously-fake", "expires_in": 3600}).encode()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append((await read_request(reader)).partition(b"\r\n\r\n")[0].decode())
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()

    async with peer(play) as url:
        yield url


@pytest.mark.parametrize(
    "propagate, told",
    [
        ("", set()),
        ("orgs.acme", {"genesys"}),
        ("sources.desk", {"desk"}),
        ("orgs.acme,sources.desk", {"genesys", "desk"}),
    ],
)
async def test_who_is_told(folder: Path, propagate: str, told: set[str]) -> None:
    """Nobody is told of which trace a call is part, but the orgs and the sources that the settings name."""
    heads: dict[str, list[str]] = {"genesys": [], "desk": []}
    removal = m.Removal(CID, m.Selector(m.SelectorKind.PHONE, "+14155550123"))
    outcome = m.Outcome(m.OutcomeKind.DISCONNECTED, "confirmed")
    action = m.Action(ACTION, "acme", "desk", removal, 1, 1, 1, m.ActionState.SETTLED, outcome=outcome, settled_at=2)
    report = m.Report(f"{ACTION}.00000000", ACTION, "desk", "webhook", None, m.ReportState.DUE)
    with EmbeddedRedis(folder):
        async with listening(heads["genesys"]) as genesys, listening(heads["desk"]) as desk:
            where = {"ONHOOK_ORGS__ACME__API_URL": genesys, "ONHOOK_ORGS__ACME__LOGIN_URL": genesys}
            where |= {"ONHOOK_SOURCES__DESK__OUTCOME_URL": f"{desk}/outcomes"}
            said = own(folder) | OFFLINE | where | ({"ONHOOK_TRACES__PROPAGATE": propagate} if propagate else {})
            async with opened(settings.read(said), print, may_start=False) as house:
                ON_THE_WAY.set(TRACE)
                await house.place.genesys["acme"].look(CID)
                await house.place.sources["desk"].tell(report, action, "gone")
    said_so = {who for who, asked in heads.items() if any(f"traceparent: {TRACE}" in head.lower() for head in asked)}
    assert said_so == told
    assert all(heads.values())
    assert not any("tracestate" in head.lower() for asked in heads.values() for head in asked)


async def test_a_call_of_nobody() -> None:
    """A call that is made for no click says no trace; what is behind a carrier is closed with it."""
    noting = Noting()
    carrier = Carrier(noting)
    ON_THE_WAY.set("")
    await carrier.handle_async_request(httpx.Request("GET", "http://127.0.0.1/"))
    assert m.TRACEPARENT not in noting.seen[0].headers
    await carrier.aclose()
    assert noting.closed == 1
