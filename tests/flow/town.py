"""Two orgs that share a service and nothing else: each has a Genesys, a desk and a source with a secret of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from service.core import model as m
from service.core.ports import Source
from service.flow.removal import Attempt
from service.flow.reporting import tell
from service.flow.workplace import Workplace
from service.sources.signing import secret_in, signed
from tests.flow.stage import ORG, PHONE, SECRET, SOURCE, Scene, Stage

NEIGHBOUR, COUNTER = "bravo", "counter"  # the other org, and its source
SECRETS = {SOURCE: f"whsec_{SECRET}", COUNTER: "whsec_bmVpZ2hib3VyLXNlY3JldC0wMTIzNDU2Nzg5YWI="}


@dataclass
class Town:
    """The two orgs before one store.

    Attributes:
        here: the stage of the org acme; its source is desk.
        there: that of the org bravo; its source is counter.
        sources: as the settings of now have them.
    """

    here: Stage
    there: Stage
    sources: dict[str, Source]
    sent: int = field(default=0)

    @property
    def place(self) -> Workplace:
        """The workplace of a process that was started now."""
        place = self.here.place()
        return replace(
            place,
            genesys={ORG: self.here.cloud(), NEIGHBOUR: self.there.cloud()},
            sources=self.sources,
            terms={ORG: m.Terms(), NEIGHBOUR: m.Terms()},
        )

    async def take(
        self,
        scene: Scene,
        source: str,
        /,
        *,
        secret: str = "",
        msg: str = "",
        extra: dict[str, str] | None = None,
        **data: object,
    ) -> m.Receipt:
        """Take in a click of a source; `extra` are headers that it has no business with."""
        self.sent += 1
        said = {"conversation_id": scene.cid, "caller_phone": PHONE, **data}
        body = json.dumps({"type": "caller.remove", "data": said}).encode()
        now = self.here.clock.now()
        headers = signed(secret_in(secret or SECRETS[source]), msg or f"msg-{self.sent}", now, body) | (extra or {})
        raw = tuple((name.encode(), value.encode()) for name, value in headers.items())
        intake = replace(self.here.intake, sources=self.sources, terms_of=self.place.terms_of)
        receipt = await intake.take(m.Delivery(source, raw, body, now))
        assert isinstance(receipt, m.Receipt)
        return receipt

    async def finish(self, action_id: str) -> m.Outcome:
        """Work for both orgs until this action is settled."""
        place = self.place
        for _ in range(500):
            if outcome := (await self.here.account(action_id)).action.outcome:
                return outcome
            await self._attempt(place)
            await self.here.clock.sleep(0.2)
        raise AssertionError("it never ends")

    async def tell(self) -> None:
        """Make one try at every report that is due in either org."""
        place = self.place
        for org in (ORG, NEIGHBOUR):
            for claim in await place.store.claim_reports(org, place.worker, place.dice.token(), 8):
                await tell(claim, place)

    async def _attempt(self, place: Workplace) -> None:
        asked = place.clock.monotonic()
        for org in (ORG, NEIGHBOUR):
            claims = await place.store.claim(org, place.worker, place.dice.token(), 8)
            await asyncio.gather(*(Attempt(claim, asked, place).run() for claim in claims))


@asynccontextmanager
async def town(here: Stage) -> AsyncIterator[Town]:
    """Build the other org beside the stage's."""
    async with Stage(here.client, here.runner, here.dice, clock=here.clock) as there:
        counter = there.source(COUNTER, org=NEIGHBOUR, secrets=[SECRETS[COUNTER]])
        yield Town(here, there, {SOURCE: here.sources[SOURCE], COUNTER: counter})
