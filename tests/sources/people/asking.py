"""A source whose sender shows people our answer, on a stage: its system, our public door, and its desk."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import httpx
from starlette.types import ASGIApp

from service.core import model as m
from service.core.ports import Store
from service.outbound import Caller, Outgoing, Rule
from service.sources import KINDS, Outside
from service.web.front import public_door
from tests.flow.stage import ORG, SOURCE, Stage
from tests.web.doors import Refused, client_on

PUBLIC = "https://onhook.test"


@dataclass
class Counter:
    """Where somebody asks: our door before the stage's store, and one source that tells a desk.

    Attributes:
        store: what the door stands on: the stage's own, unless a test has a slower one.
    """

    stage: Stage
    refused: Refused
    store: Store

    @classmethod
    def opened(cls, stage: Stage, desk: ASGIApp, options: dict[str, object]) -> Self:
        """Open it for a source with these options."""

        def open_caller(rules: Sequence[Rule]) -> Caller:
            return Caller(rules, stage.clock, Outgoing(), transport=lambda: httpx.ASGITransport(app=desk))

        kind = KINDS[str(options["kind"])]
        read = kind.options.model_validate({"rate": 0, "runaway": 0, **options})
        stage.sources[SOURCE] = kind.build(SOURCE, read, Outside(open_caller, stage.clock))
        return cls(stage, Refused(), stage.store)

    async def ask(self, delivery: m.Delivery) -> httpx.Response:
        """Send a delivery to the door."""
        stage = self.stage
        intake = replace(stage.intake, store=self.store)
        door = public_door(
            intake, self.store, stage.bells, stage.clock, self.refused, public_url=PUBLIC, is_draining=lambda: False
        )
        async with client_on(door) as client:
            sent = [(name, value) for name, value in delivery.headers if name != b"host"]
            return await client.post(f"/webhooks/{SOURCE}", content=delivery.body, headers=sent)

    async def only_action(self) -> str:
        """Return the id of the one open action."""
        (found,) = cast("list[str]", self.stage.client.zrange(self.stage.keys.due_removals(ORG), 0, -1))
        return found

    async def told(self, action_id: str) -> dict[str, m.Report]:
        """Try until every report is told or dead; return them by channel."""
        while True:
            reports: dict[str, m.Report] = {one.channel: one for one in (await self.stage.account(action_id)).reports}
            due = [one for one in reports.values() if one.state is m.ReportState.DUE]
            if not due:
                return reports
            await self.stage.clock.sleep(max(min(self.stage.due_in(one.id) for one in due), 0.0))
            await self.stage.tell()


def kept(stage: Stage) -> dict[str, str]:
    """Return everything that stands in Redis in hashes and lists, by key."""
    client = cast("Any", stage.client)
    found = {}
    for name in client.scan_iter(count=1000):
        kind = client.type(name)
        found[name] = str(
            client.hgetall(name) if kind == "hash" else client.lrange(name, 0, -1) if kind == "list" else ""
        )
    return found
