"""`onhook stats`: how the last hour and the last day went, in words and for programs."""

from __future__ import annotations

import asyncio
import json

from tests.cli.conftest import Commands
from tests.wiring.kept import Kept


def test_stats(onhook: Commands, kept: Kept) -> None:
    """What came, by source, how it ended and how long it took stand in a row each, of the hour and of the day."""
    asyncio.run(kept.settled())
    assert (onhook("stats", "--org", "acme"), onhook.err) == (0, "")
    rows = [line.split("\t") for line in onhook.out.splitlines()]
    assert rows == [
        ["acme", "accepted of desk", "1", "1"],
        ["acme", "ended as disconnected", "1", "1"],
        ["acme", "removed", "1", "1"],
        ["acme", "gone, p50", "within 0.5 s", "within 0.5 s"],
        ["acme", "gone, p95", "within 0.5 s", "within 0.5 s"],
        ["acme", "gone, p99", "within 0.5 s", "within 0.5 s"],
    ]
    assert onhook("stats", "--org", "beta") == 0
    assert onhook.out.splitlines()[-1] == "beta\tgone, p99\t–\t–"
    assert onhook("stats", "--json") == 0
    told = json.loads(onhook.out)
    assert set(told) == {"at", "orgs"}
    assert set(told["orgs"]["acme"]["hour"]) == {"since", "accepted", "refused", "outcomes", "gone"}
    assert told["orgs"]["acme"]["day"]["accepted"] == {"desk": 1}


def test_whoever_took_long(onhook: Commands, kept: Kept) -> None:
    """Who was gone later than the last bound is not said to have been gone within it."""
    asyncio.run(kept.settled(event_at=kept.clock.now() - 60_000))
    assert onhook("stats", "--org", "acme") == 0
    assert "gone, p50\tover 30 s\tover 30 s" in onhook.out


def test_no_such_org(onhook: Commands, kept: Kept) -> None:
    """An org that is not there is said, with those that are."""
    assert onhook("stats", "--org", "dusk") == 2
    assert onhook.err == "onhook: there is no [orgs.dusk]; there is acme, beta\n"
