"""One sender before our door: it tries, counts and comes again by its own rules, while its clock and ours go on."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from service.core import model as m
from tests.flow.stage import ORG, Scene
from tests.story.senders.letters import Click, Letter, body_of, headers_of
from tests.story.senders.manners import LOST, MANNERS, Heard, Manner
from tests.story.senders.weather import House, action_in, json_in

LONG_SECONDS = 600.0
LIVES_SECONDS = 3.0  # how much of a long time with nothing to do is lived through; the rest passes at once
SAID = {  # there are no others in these stories
    m.OutcomeKind.DISCONNECTED: "removed",
    m.OutcomeKind.EXPIRED: "expired",
    m.OutcomeKind.ALREADY_GONE: "already gone",
}
MAX_AGE = {"zendesk": 180}  # seconds after which a click is too late; 120 where nothing is said


@dataclass
class Play:
    """What a sender does and hears, in order.

    Attributes:
        letters: all deliveries.
        heard: how often each status was heard; 0 is none in time.
        slowest: the seconds that our slowest answer took.
        lag: the seconds that Genesys needs to show what was done, in conversations that begin now.
    """

    name: str
    house: House
    manner: Manner = field(init=False)
    letters: list[Letter] = field(default_factory=list)
    scenes: dict[str, Scene] = field(default_factory=dict)
    heard: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    lag: float = 0.25
    _agenda: list[tuple[float, int, Letter | Callable[[], None]]] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(100))

    def __post_init__(self) -> None:
        """Make the sender."""
        self.manner = MANNERS[self.name]()

    # --- what is to happen ------------------------------------------------------------------------------------------

    async def click(self, asks: str = "removal") -> Click:
        """Let an agent click, in a conversation of its own."""
        scene = await self.house.stage.scene(lag=self.lag)
        self.scenes[scene.cid] = scene
        return Click(next(self._numbers), scene.cid, self.house.stage.clock.now(), asks)

    async def clicks(self, number: int, asks: str = "removal") -> None:
        """Let agents click so often at once; what comes of it is sent now."""
        clicks = [await self.click(asks) for _ in range(number)]
        for some in [clicks] if self.name == "hubspot" else [[click] for click in clicks]:
            self.write(*some)

    def write(self, *clicks: Click) -> Letter:
        """Send a delivery now."""
        letter = Letter(clicks)
        self.letters.append(letter)
        self._plan(0, letter)
        return letter

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen later."""
        self._plan(seconds, act)

    def _plan(self, seconds: float, what: Letter | Callable[[], None]) -> None:
        at = self.house.stage.clock.monotonic() + seconds
        heapq.heappush(self._agenda, (at, next(self._numbers), what))

    # --- the play ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Go on until nothing comes any more, and everything that was taken is done."""
        while self._agenda:
            at = self._agenda[0][0]
            await self._pass(at)
            now: list[Letter] = []
            while self._agenda and self._agenda[0][0] <= at:
                what = heapq.heappop(self._agenda)[2]
                if isinstance(what, Letter):
                    now.append(what)
                else:
                    what()
            async with asyncio.TaskGroup() as together:
                for letter in now:
                    together.create_task(self._send(letter))
        for _ in range(600):
            if not self.house.is_busy():
                return
            await self.house.stage.clock.sleep(1)
        raise AssertionError("something is left undone")

    async def wait(self, seconds: float) -> None:
        """Let time pass in which nobody clicks."""
        await self._pass(self.house.stage.clock.monotonic() + seconds)

    async def _pass(self, at: float) -> None:
        clock, lived = self.house.stage.clock, 0.0
        began = clock.monotonic()
        while (left := at - clock.monotonic()) > 0:
            if self.house.is_busy() or lived < LIVES_SECONDS:
                await clock.sleep(min(0.5, left))
                lived += 0.5
            else:
                clock.freeze(left)
                await asyncio.sleep(0)
        if at - began > LONG_SECONDS:
            self.house.forget()

    async def _send(self, letter: Letter) -> None:
        clock, manner = self.house.stage.clock, self.manner
        if clock.monotonic() < manner.off_until:
            if manner.holds:
                # that very moment, and no sum of others: one that is less by a bit would never come
                heapq.heappush(self._agenda, (manner.off_until, next(self._numbers), letter))
            else:
                letter.end = "dropped"
            return
        body = body_of(self.name, letter.clicks, letter.tries, self.house.ticket)
        headers = {**headers_of(self.name, letter, body, clock.now()), **manner.headers(letter.tries)}
        letter.tries += 1
        letter.ended = began = clock.monotonic()
        letter.began = letter.began or began
        answer = await self.house.post(body, headers, manner.patience)
        self.slowest = max(self.slowest, clock.monotonic() - began)
        heard = Heard(LOST)
        if answer is not None:
            letter.answers.append((answer.status_code, json_in(answer)))
            heard = Heard(answer.status_code, _seconds_in(answer))
        if self.house.weather.losses:
            self.house.weather.losses -= 1
            await clock.sleep(manner.patience - (clock.monotonic() - began))
            heard = Heard(LOST)
        self.heard[heard.status] += 1
        wait = manner.again(heard, letter.tries)
        manner.count(heard, clock.monotonic(), is_over=wait is None)
        if wait is None:
            letter.end = "taken" if manner.is_good(heard.status) else "given up"
        else:
            self._plan(wait, letter)

    # --- what came of it --------------------------------------------------------------------------------------------

    async def ends(self) -> dict[Click, str]:
        """Return what became of each click: the outcome of its action, of both where it has two, `lost` without one.

        All that must hold in any weather is asserted here.
        """
        stage, told = self.house.stage, await self.house.told()
        accounts = [await stage.account(action_id) for action_id in await stage.store.action_ids(ORG)]
        ended: dict[Click, str] = {}
        for click in dict.fromkeys(one for letter in self.letters for one in letter.clicks):
            ours = [one for one in accounts if one.action.removal.conversation_id == click.cid]
            for account in ours:
                assert {report.state for report in account.reports} == {m.ReportState.TOLD}, "nobody told the ticket"
                assert account.action.id in told, "it is said to be told, and stands nowhere"
            kinds = [one.action.outcome.kind for one in ours if one.action.outcome]
            assert len(kinds) == len(ours), "an action without an outcome"
            await self._is_removed_rightly(click, kinds)
            self._is_answered_alike(click, len(ours))
            ended[click] = " and ".join(SAID[kind] for kind in kinds) or "lost"
        return ended

    async def _is_removed_rightly(self, click: Click, kinds: Sequence[m.OutcomeKind]) -> None:
        """Nobody is removed twice, late, or without it being said."""
        scene = self.scenes[click.cid]
        assert await scene.effects() == kinds.count(m.OutcomeKind.DISCONNECTED) <= 1, click
        latest = click.at / 1000 + MAX_AGE.get(self.name, 120)
        assert all(call["at"] <= latest for call in await scene.calls("PATCH")), click

    def _is_answered_alike(self, click: Click, actions: int) -> None:
        """A yes means that it is stored, its sender takes it for one, and whoever asks again hears the same."""
        said = [
            (status, action_in(body, letter.clicks.index(click)))
            for letter in self.letters
            if click in letter.clicks
            for status, body in letter.answers
            if status in range(200, 300)
        ]
        assert actions or not said or click.asks != "removal", f"a yes to {click}, and nothing is stored"
        assert all(self.manner.is_good(status) for status, _ in said), "a yes that its sender does not take for one"
        assert len({status for status, _ in said}) <= 1, said
        assert len({action for _, action in said}) <= max(1, actions), said


def _seconds_in(answer: httpx.Response) -> float | None:
    """Return what Retry-After says; whoever is to come again must be told when, and soon enough for every sender."""
    said = answer.headers.get("retry-after")
    assert bool(said) == (answer.status_code in {429, 503}), answer.status_code
    assert said is None or 1 <= int(said) < 60, said
    return float(said) if said else None
