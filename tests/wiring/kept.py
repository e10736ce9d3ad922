"""What a running service has kept, as the commands find it: made by the real store, without a worker."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from service import settings
from service.core import model as m
from service.store.client import Link
from service.store.redis import RedisStore
from service.wiring.house import opened_store
from service.wiring.machine import SystemClock, SystemDice
from tests.fixtures.redis import CountingDice
from tests.store.stories import GONE, ORG, offered
from tests.wiring.running import own, stand
from tests.wiring.test_processes import OFFLINE

OTHER = "beta"
SOURCES = {ORG: "desk", OTHER: "jsm"}
TWO_ORGS = OFFLINE | {
    f"ONHOOK_{section}": value
    for section, value in {
        "ORGS__BETA__API_URL": "http://127.0.0.1:9",
        "ORGS__BETA__LOGIN_URL": "http://127.0.0.1:9",
        "ORGS__BETA__CLIENT_ID": "an-id",
        "ORGS__BETA__CLIENT_SECRET": "a-secret",
        "SOURCES__JSM__KIND": "standard",
        "SOURCES__JSM__ORG": OTHER,
        "SOURCES__JSM__SECRETS": "whsec_NfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU",
    }.items()
}


class Kept:
    """A Redis that the settings of this test name, with two orgs: `acme` with `desk`, and `beta` with `jsm`."""

    def __init__(self, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the settings of this process name the Redis at `url`."""
        stand(monkeypatch, own(folder) | TWO_ORGS | {"ONHOOK_REDIS__URL": url})
        self.clock = SystemClock()
        self.dice = SystemDice(self.clock)
        self.made = 0

    def opened(self) -> AbstractAsyncContextManager[tuple[RedisStore, Link, str]]:
        """Open the store as a command does."""
        return opened_store(settings.read(), may_start=False)

    async def accepted(self, org: str = ORG, **changes: object) -> str:
        """Accept a click, which is like no other, and return the id of its action."""
        (action_id,) = await self.many(1, org, **changes)
        return action_id

    async def many(self, count: int, org: str = ORG, **changes: object) -> list[str]:
        """Accept so many clicks, and return the ids of their actions."""
        given = {"org": org, "source": SOURCES[org]} | changes
        offers = [
            offered(CountingDice(), self.dice.token(), action_id=self._action_id(org), **given) for _ in range(count)
        ]
        async with self.opened() as (store, _, _):
            receipts = await asyncio.gather(*map(store.accept, offers))
        return [receipt.action_id for receipt in receipts]

    def _action_id(self, org: str) -> str:
        """Return an id of now that sorts after the one before, also where that is of the same millisecond."""
        self.made += 1
        return f"{self.dice.action_id(org)[:-16]}{self.made:016}"

    async def settled(self, org: str = ORG, outcome: m.Outcome = GONE, **changes: object) -> str:
        """Accept a click and settle all that is open in its org; return the id of its action."""
        action_id = await self.accepted(org, **changes)
        await self.settle(org, outcome)
        return action_id

    async def settle(self, org: str = ORG, outcome: m.Outcome = GONE) -> None:
        """Settle all that is open in an org."""
        async with self.opened() as (store, _, _):
            for claim in await store.claim(org, "w1", self.dice.token(), 100):
                await store.settle(claim.lease, outcome, 0.0, (m.Entry("settle", self.clock.now(), 1.5),))

    async def dead(self, org: str = ORG, error: str = "404: no such ticket", **changes: object) -> str:
        """Settle a click whose ticket cannot be told, and return the id of its report."""
        action_id = await self.accepted(org, **changes)
        await self.settle(org)
        async with self.opened() as (store, _, _):
            for claim in await store.claim_reports(org, "w1", self.dice.token(), 100):
                await store.bury(claim.lease, error)
            account = await store.read(action_id)
        assert account is not None
        (report,) = account.reports
        return report.id

    async def account(self, action_id: str) -> m.Account:
        """Return all that is known of an action."""
        async with self.opened() as (store, _, _):
            account = await store.read(action_id)
        assert account is not None
        return account
