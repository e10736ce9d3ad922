"""Workers are killed with kill -9 again and again while people go on clicking; then it is counted what came of it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from service.core import model as m
from service.core.ports import Dice
from service.demo.doomed import POINTS, UNDER_WAY_SECONDS, Moment
from service.demo.figures import Evidence
from service.demo.nursery import STRUCK, Newborn, Nursery
from service.demo.reckoning import Reckoning, Strike
from service.demo.screen import Screen
from service.demo.stage import Stage, staged
from service.demo.story import ACCEPTED, LOOK_SECONDS, Unmet, expect
from service.demo.telling import make, played_out, screen_of
from service.demo.world import Conference, Json, World
from service.wiring.machine import SystemDice

ORGS = ("north", "east", "south", "west")  # an org's budget is 300 calls a minute; four carry a click each 0.4 seconds
CLICK_SECONDS = 0.4
KILL_SECONDS = 0.3  # at least so long from one kill to the next; and at most so much more again, by dice
BURST = 2  # clicks for each worker, right before the silence
SLOW_ANSWERS = 3  # to the PATCHes of one conversation, so that a kill can come while one is under way
SETTLE_SECONDS = 90.0  # a removal whose mark came to nothing takes sixteen, and may be hit again; for a slow machine
NURSERY = "the nursery of workers"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for.

    Attributes:
        seconds: how long people click and workers are killed.
        kills: go on after that until so many were killed.
        workers: how many there are at a time.
        clicking_seconds: the longest that people click before there is silence.
        silent_seconds: how long there is silence after the last kill: the eight of the promise, and one.
    """

    seconds: int
    kills: int
    workers: int
    clicking_seconds: float = 20.0
    silent_seconds: float = 9.0


def wreak(wish: Wish, *, as_json: bool, evidence: Path | None) -> int:
    """Do it on this machine, and return the exit code: 0 only when nothing was lost, done twice or taken up too late.

    Args:
        wish: how long, how often, how many.
        as_json: end standard output with one line of figures; what happens is told on standard error.
        evidence: a folder for the figures, the kills and what the sandbox logged, or None.

    Raises:
        Misconfigured: there is no Redis to start, or the folder cannot be used.
    """
    make(evidence)
    screen = screen_of(as_json=as_json)
    return asyncio.run(played_out(_wreak(wish, screen, evidence, as_json=as_json), screen, "It is not as it must be."))


async def _wreak(wish: Wish, screen: Screen, evidence: Path | None, *, as_json: bool) -> int:
    screen.say("Workers are killed with kill -9, again and again, in the middle of what they do.", "bold")
    screen.say(
        "All of this is live, on this machine only: the sandbox, a Redis of its own, one receiver, "
        f"{wish.workers} workers. Nobody tells the others of a kill: the dead worker's leases run out."
    )
    screen.saw(f"Starting a Redis and {wish.workers + 3} processes, on free ports.")
    async with staged(set_up) as stage, AsyncExitStack() as stack:
        worlds = [await stack.enter_async_context(stage.world(org)) for org in ORGS]
        chaos = Chaos(stage, Nursery(stage.parts[NURSERY]), worlds, screen, SystemDice(stage.clock), wish)
        reckoning = await stage.during(chaos.run())
    conclude(reckoning, screen, evidence, as_json=as_json)
    return 0


async def set_up(stage: Stage, redis_url: str) -> None:
    """Start the sandbox, the receiver, and the nursery; the workers come with the chaos.

    Raises:
        PartDied: one of them did not come up.
    """
    await stage.play_sandbox(redis_url, ORGS)
    receiver = await stage.start("the receiver", "service", "serve")
    await stage.start(NURSERY, "service.demo.nursery", is_tied=False)
    stage.door = await receiver.said("The public door is at ")


def conclude(reckoning: Reckoning, screen: Screen, evidence: Path | None, *, as_json: bool) -> None:
    """Show the figures, write them down, and hold them against the promise.

    Raises:
        Unmet: it does not hold.
    """
    if evidence is not None:
        reckoning.evidence.write(evidence)
        (evidence / "figures.json").write_text(json.dumps(reckoning.more, indent=1) + "\n", encoding="utf-8")
        lines = [json.dumps(one.strike._asdict() | {"seconds": one.seconds}) + "\n" for one in reckoning.recoveries]
        (evidence / "recoveries.jsonl").write_text("".join(lines), encoding="utf-8")
    screen.rows(reckoning.rows)
    if as_json:
        sys.stdout.write(reckoning.line + "\n")
        sys.stdout.flush()
    if reckoning.faults:
        raise Unmet(f"{'; '.join(reckoning.faults)}.")


@dataclass(slots=True)
class Chaos:
    """One run: who clicks, who is killed, and what is known of it.

    Attributes:
        accepted: by the id of the action, every conference whose click the door took.
        is_silent: nobody clicks now.
    """

    stage: Stage
    nursery: Nursery
    worlds: Sequence[World]
    screen: Screen
    dice: Dice
    wish: Wish
    kills: list[Strike] = field(default_factory=list)
    accepted: dict[str, Conference] = field(default_factory=dict)
    is_silent: bool = False
    _standing: list[Newborn] = field(default_factory=list)
    _deck: list[Moment] = field(default_factory=list)
    _changing: list[Json] = field(default_factory=list)
    _seen: int = 0
    _clicks: int = 0
    _is_arming: bool = True
    _killed_at: float = 0.0

    async def run(self) -> Reckoning:
        """Click and kill as long as was asked; return what came of it when all is settled and told, or took too long.

        Raises:
            PartDied: a worker did not come up.
            Unmet: a click was not accepted, or nobody could be killed.
        """
        going_on: list[asyncio.Task[None]]
        going_on = [asyncio.create_task(self._keep_killing()) for _ in range(self.wish.workers)]
        going_on += [asyncio.create_task(self._keep_arming()), asyncio.create_task(self.nursery.listen())]
        conducting = asyncio.create_task(self._conduct())
        try:
            await asyncio.wait({conducting, *going_on}, return_when=asyncio.FIRST_COMPLETED)
            for task in going_on:
                if task.done():  # they go on until they are ended, or something is wrong
                    task.result()
            return conducting.result()
        finally:
            conducting.cancel()
            for task in going_on:
                task.cancel()
            await asyncio.gather(conducting, *going_on, return_exceptions=True)

    async def _conduct(self) -> Reckoning:
        clock = self.stage.clock
        await self._all_standing()
        until = clock.monotonic() + self.wish.seconds
        while (left := until - clock.monotonic()) > 0 or len(self.kills) < self.wish.kills:
            before = len(self.kills)
            await self._keep_clicking(left - self.wish.silent_seconds)
            await self._be_silent()
            await self._keep_calls()
            expect(len(self.kills) > before, "in a whole round no worker came to the moment at which it is killed")
        self.screen.saw("Nobody clicks any more. What is still open is waited for.")
        await self._settled()
        return await self._reckoned()

    # --- killing ---------------------------------------------------------------------------------------------------

    async def _keep_killing(self) -> None:
        """Start a worker, kill it at its moment, start another one in its place."""
        stage = self.stage
        while True:
            worker = await self.nursery.bear(self._drawn())
            self._standing.append(worker)
            await worker.said(STRUCK)
            self._standing.remove(worker)
            self.kills.append(Strike(worker.name, worker.moment, await stage.now_at(), self.is_silent))
            number, where = len(self.kills), POINTS[worker.moment].words
            await self.nursery.kill(worker)
            self._killed_at = stage.clock.monotonic()
            self.screen.saw(f"{number}. kill -9 {worker.process} {where}", "red")

    async def _keep_arming(self) -> None:
        """Now and then let one more worker be killed; never the last one that is to go on."""
        while True:
            await self.stage.clock.sleep(KILL_SECONDS * (1 + self.dice.jitter()))
            free = self._free()
            if len(free) > 1 and self._is_arming:
                free[int(self.dice.jitter() * len(free))].arm()

    def _free(self) -> list[Newborn]:
        return [victim for victim in self._standing if not victim.is_armed]

    def _drawn(self) -> Moment:
        """Return a moment by dice: all of them in some order, then again."""
        if not self._deck:
            self._deck = sorted(Moment, key=lambda _: self.dice.jitter())
        return self._deck.pop()

    # --- clicking --------------------------------------------------------------------------------------------------

    async def _keep_clicking(self, seconds: float) -> None:
        """Click for `seconds` and until enough are killed, but not longer than `clicking_seconds`."""
        clock, wish = self.stage.clock, self.wish
        # a wish without a number of kills, and with few seconds, gets a few nevertheless
        began, least = clock.monotonic(), seconds if wish.kills else max(seconds, wish.clicking_seconds / 4)
        while (lasted := clock.monotonic() - began) < wish.clicking_seconds and (
            lasted < least or len(self.kills) < wish.kills
        ):
            await asyncio.gather(self._click(), clock.sleep(CLICK_SECONDS))

    async def _be_silent(self) -> None:
        """Let several be killed over the last clicks, and nobody click until that must have been taken over."""
        clock = self.stage.clock
        self._is_arming = False
        await self._all_standing()
        await asyncio.gather(*(self._click() for _ in range(BURST * self.wish.workers)))
        self.is_silent, self._killed_at = True, clock.monotonic()
        self.screen.saw(f"Now nobody clicks, until {self.wish.silent_seconds:.0f} s after the last kill.", "dim")
        for victim in self._free()[1:]:
            victim.arm()
        while clock.monotonic() - self._killed_at < self.wish.silent_seconds:
            await clock.sleep(LOOK_SECONDS)
        self.is_silent, self._is_arming = False, True

    async def _all_standing(self) -> None:
        while len(self._standing) < self.wish.workers:
            await self.stage.clock.sleep(LOOK_SECONDS)

    async def _click(self) -> None:
        world = self.worlds[self._clicks % len(self.worlds)]
        self._clicks += 1
        conference = await world.confer()
        slow = {"on": "disconnect", "delay_seconds": 2 * UNDER_WAY_SECONDS, "times": SLOW_ANSWERS}
        await world.spoil(conference, answers=[slow])
        answer = await world.send(world.click(conference, participant_id=conference.caller_id))
        expect(answer.status == ACCEPTED, f"a click was answered {answer.status}: {answer.said}")
        self.accepted[answer.action] = conference

    # --- counting --------------------------------------------------------------------------------------------------

    async def _keep_calls(self) -> None:
        """Keep what reached Genesys and was to change something; the sandbox forgets its oldest calls."""
        calls = await self.worlds[0].calls_since(self._seen)
        self._seen = max([self._seen, *(call["seq"] for call in calls)])
        self._changing += [call for call in calls if call["service"] == "genesys" and call["method"] != "GET"]

    async def _settled(self) -> None:
        """Return when all that was accepted has its outcome and is told, or after SETTLE_SECONDS."""
        clock = self.stage.clock
        until, open_ones = clock.monotonic() + SETTLE_SECONDS, list(self.accepted)
        while open_ones and clock.monotonic() < until:
            await clock.sleep(LOOK_SECONDS)
            open_ones = [one for one in open_ones if not is_over(await self.stage.store.read(one))]

    async def _reckoned(self) -> Reckoning:
        await self._keep_calls()
        store, world = self.stage.store, self.worlds[0]
        accounts = [await store.read(action_id) for org in ORGS for action_id in await store.action_ids(org)]
        evidence = Evidence(
            accounts=[account for account in accounts if account is not None],
            calls=self._changing,
            conversations=await world.conversations(),
            tickets=await world.tickets(),
        )
        return Reckoning(evidence, self.kills, self.accepted)


def is_over(account: m.Account | None) -> bool:
    """Whether an action has its outcome, and nothing is left to be told."""
    ended = (m.ReportState.TOLD, m.ReportState.DEAD)
    return (
        account is not None
        and account.action.outcome is not None
        and all(report.state in ended for report in account.reports)
    )
