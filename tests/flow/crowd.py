"""Many clicks at once on one org: who works for them, and what Genesys saw of it, counted as Genesys counts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from service.core import model as m
from service.flow.worker import Worker
from service.genesys import GenesysCloud
from service.store.budget import Rate
from service.store.redis import RedisStore
from tests.flow.stage import ORG, Scene, Stage

UNDER_WAY_SECONDS = 0.1  # a call that left before the 429 of another one came back
WATCHED = 20  # are asked about at once: whoever clicked first is told first, by and large
CALL_SECONDS = 0.05  # what the vendor's cloud takes to answer


@dataclass
class Crowd:
    """One org, the processes that work for it, and its clicks.

    Attributes:
        rate: what the processes take for its budget until Genesys says it.
        clicks: by action id, the conversation it is about.
    """

    stage: Stage
    org: str = ORG
    source: str = "desk"
    max_age: float = 120.0
    rate: Rate = field(default_factory=Rate)
    clicks: dict[str, Scene] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Let the source be there."""
        self.stage.sources[self.source] = self.stage.source(self.source, org=self.org, max_age=self.max_age)

    @asynccontextmanager
    async def working(self, *names: str) -> AsyncIterator[list[GenesysCloud]]:
        """Let processes of these names work, each with a client, a token and a store of its own; yield the clients."""
        stage, clouds, places = self.stage, list[GenesysCloud](), []
        for name in names:
            cloud = stage.cloud()
            store = RedisStore(stage.runner, stage.dice, rate=self.rate, now_ms=stage.clock.now)
            store.listen(self.org, cloud.told)
            place = stage.place(f"{self.org}-{name}", store=store, budget=store)
            places.append(replace(place, genesys={self.org: cloud}, terms={self.org: stage.terms}))
            clouds.append(cloud)
        tasks = [asyncio.create_task(Worker(place).run()) for place in places]
        try:
            yield clouds
        finally:
            for place in places:
                place.stopping.set()
            await asyncio.gather(*tasks)

    async def click(self, scene: Scene, **more: Any) -> str:  # noqa: ANN401 - as `Stage.delivery` takes them
        """Click for `scene`; a second click of the same wish may lead to the same action."""
        intake = replace(self.stage.intake, terms_of=lambda _, __: self.stage.terms)
        receipt = await intake.take(self.stage.delivery(scene, source=self.source, **more))
        assert isinstance(receipt, m.Receipt)
        self.clicks.setdefault(receipt.action_id, scene)
        return receipt.action_id

    async def storm(self, clicks: int, seconds: float, *, twice: bool = True) -> None:
        """Click `clicks` times, evenly over `seconds`; with `twice` each second click repeats the one before.

        Every other repeat is the same delivery again, the others are a second click for the same person.
        """
        pause, number = seconds / clicks, 0
        while number < clicks:
            scene = await self.stage.scene(lag=0.0)
            ticket = await self.stage.ticket()
            message = f"{self.org}-{len(self.tickets)}"
            action_id = await self.click(scene, msg=message, sys_id=ticket)
            self.tickets[action_id] = ticket
            number += 1
            await self.stage.clock.sleep(pause)
            if twice:
                await self.click(scene, sys_id=ticket, msg=message if number % 4 == 1 else "")
                number += 1
                await self.stage.clock.sleep(pause)

    async def ended(self, most_seconds: float) -> list[m.Account]:
        """Return the accounts of all clicks, once all are settled and told."""
        left, ended = list(self.clicks), dict[str, m.Account]()
        async with asyncio.timeout(most_seconds):
            while left:
                for account in [await self.stage.account(action_id) for action_id in left[:WATCHED]]:
                    if account.action.outcome and all(one.state is m.ReportState.TOLD for one in account.reports):
                        ended[account.action.id] = account
                if left == (left := [action_id for action_id in left if action_id not in ended]):
                    await self.stage.clock.sleep(1.0)
        return [ended[action_id] for action_id in self.clicks]

    async def calls(self) -> list[dict[str, Any]]:
        """Return the calls that Genesys received about this org's conversations."""
        ours = {scene.cid for scene in self.clicks.values()}
        return [call for call in await self.stage.calls("genesys") if call["path"].split("/")[4] in ours]


def kinds(accounts: Sequence[m.Account]) -> Counter[str]:
    """Count the outcomes."""
    return Counter(account.action.outcome.kind.value for account in accounts if account.action.outcome)


def too_early(calls: Sequence[dict[str, Any]], retry_after: float) -> int:
    """Count the calls that left before the Retry-After of a 429 was over; those under way then are forgiven."""
    told = [call["at"] for call in calls if call["status"] == 429]
    return sum(any(at + UNDER_WAY_SECONDS < call["at"] < at + retry_after - 0.001 for at in told) for call in calls)


def most_in(calls: Sequence[dict[str, Any]], seconds: float) -> int:
    """Return the most calls that any stretch of this length saw."""
    at = sorted(call["at"] for call in calls)
    return max((sum(begin <= one < begin + seconds for one in at) for begin in at), default=0)
