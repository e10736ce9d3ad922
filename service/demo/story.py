"""The story: one function a scene. It asks as a ticketing system asks, looks from outside, and says what it saw."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.core import model as m
from service.core.errors import OnhookError
from service.demo.figures import Kill, is_accepted
from service.demo.screen import Screen
from service.demo.stage import STUMBLER, Stage
from service.demo.stumbling import HELD, LET_GO, STUMBLED
from service.demo.world import CALLER_PHONE, PATIENCE_SECONDS, Answer, Conference, Json, World, timeline_of

LOOK_SECONDS = 0.1  # how often the story looks while it waits for something to be seen; a person sees no difference
SETTLE_SECONDS = 30.0  # a killed worker's action takes nine; three times that on a slow machine
NOTES_SECONDS = 10.0  # a note is tried at once, and a second time after one
LAG_SECONDS = 1.0  # field reports: state lags some hundred ms to seconds
SAME = 5  # deliveries at once
FORGED = bytes(32)  # what a forger signs with

ACCEPTED, UNAUTHORIZED, CONFLICT = 202, 401, 409


class Unmet(OnhookError):
    """A scene did not end as it must; the message names it and what was seen."""


@dataclass(slots=True)
class Story:
    """What the scenes share.

    Attributes:
        kill: the worker that was killed, once it was.
        untold: tickets on which nothing may be written.
    """

    world: World
    stage: Stage
    screen: Screen
    kill: Kill | None = None
    untold: set[str] = field(default_factory=set)

    async def tell(self, scenes: Sequence[Scene] | None = None) -> None:
        """Play all scenes in order.

        Raises:
            Unmet: one did not end as it must, or could not be played at all.
        """
        for number, scene in enumerate(SCENES if scenes is None else scenes, 1):
            self.screen.scene(number, scene.name, scene.why)
            try:
                await scene.play(self)
            except Exception as fault:
                raise Unmet(f"Scene {number}, “{scene.name}”: {str(fault) or type(fault).__name__}") from fault

    async def confer(self) -> Conference:
        """Begin a conference, and show who is on the call."""
        conference = await self.world.confer()
        self.screen.conference(conference, await self.world.people(conference))
        return conference

    async def settled(self, link: str) -> Answer:
        """Return an action's account once it has an outcome, and show how it went."""
        account = await self.world.account(link, wait=PATIENCE_SECONDS)
        expect(account.outcome != "", f"no outcome within {PATIENCE_SECONDS} s")
        self.screen.timeline(timeline_of(account))
        return account

    async def ended(self, conference: Conference, account: Answer, outcome: m.OutcomeKind, removals: int) -> None:
        """Show how an action ended, and hold it against what must be: the outcome, the PATCHes, who is left."""
        self.screen.saw(f"{account.outcome}: {account.said['explanation']}")
        expect(account.outcome == outcome, f"the outcome is {account.outcome}, not {outcome}")
        accepted = [call for call in await self.world.removals(conference) if is_accepted(call)]
        expect(len(accepted) == removals, f"{len(accepted)} removals reached Genesys, not {removals}")
        await self.only_the_caller_left(conference)

    async def only_the_caller_left(self, conference: Conference) -> None:
        """Show who is left: everybody but the caller."""
        people = await self.world.people(conference)
        self.screen.people(people)
        gone = [person["id"] for person in people if not person["present"]]
        expect(gone == [conference.caller_id], f"gone are {gone}, and it should be the caller alone")


def expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence: expect this, otherwise say that
    """Go on if it holds.

    Raises:
        Unmet: it does not.
    """
    if not holds:
        raise Unmet(otherwise)


async def click(story: Story) -> None:
    """One click, one removal."""
    conference = await story.confer()
    story.screen.saw("Beth clicks Remove Caller on the ticket; ServiceNow sends one signed webhook.")
    webhook = story.world.click(conference, participant_id=conference.caller_id)
    answer = await story.world.send(webhook, wait=PATIENCE_SECONDS)
    await story.ended(conference, await story.settled(answer.link), m.OutcomeKind.DISCONNECTED, 1)


async def resent(story: Story) -> None:
    """The same delivery, several at once."""
    conference = await story.confer()
    webhook = story.world.click(conference, participant_id=conference.caller_id)
    answers = await asyncio.gather(*(story.world.send(webhook) for _ in range(SAME)))
    statuses, actions = [answer.status for answer in answers], {answer.action for answer in answers}
    said = [str(answer.said["status"]) for answer in answers]
    story.screen.saw(
        f"{SAME} deliveries answered {', '.join(map(str, statuses))}: "
        f"{said.count('accepted')} accepted, {said.count('duplicate')} duplicates, {len(actions)} action."
    )
    expect(set(statuses) == {ACCEPTED} and len(actions) == 1, f"answered {statuses} with the actions {actions}")
    await story.ended(conference, await story.settled(answers[0].link), m.OutcomeKind.DISCONNECTED, 1)


async def double_click(story: Story) -> None:
    """Two webhooks, one wish."""
    conference = await story.confer()
    clicks = [story.world.click(conference, participant_id=conference.caller_id) for _ in range(2)]
    first, second = [await story.world.send(webhook) for webhook in clicks]
    story.screen.saw(
        f"Two webhooks, each with its own id: {first.said['status']}, {second.said['status']}; one action."
    )
    expect(first.action == second.action, f"two actions: {first.action}, {second.action}")
    await story.ended(conference, await story.settled(first.link), m.OutcomeKind.DISCONNECTED, 1)


async def already_gone(story: Story) -> None:
    """The caller hangs up before the click."""
    conference = await story.confer()
    await story.world.hang_up(conference)
    story.screen.saw("The caller hangs up. Then Beth clicks.")
    webhook = story.world.click(conference, participant_id=conference.caller_id)
    answer = await story.world.send(webhook, wait=PATIENCE_SECONDS)
    await story.ended(conference, await story.settled(answer.link), m.OutcomeKind.ALREADY_GONE, 0)


async def by_number(story: Story) -> None:
    """Only the caller's number is known."""
    conference = await story.confer()
    written = f"{CALLER_PHONE[:2]} ({CALLER_PHONE[2:5]}) {CALLER_PHONE[5:8]}-{CALLER_PHONE[8:]}"
    story.screen.saw(f"The ticket names the caller by number only: {written}.")
    webhook = story.world.click(conference, caller_phone=written)
    answer = await story.world.send(webhook, wait=PATIENCE_SECONDS)
    await story.ended(conference, await story.settled(answer.link), m.OutcomeKind.DISCONNECTED, 1)


async def forged(story: Story) -> None:
    """Somebody else's signature."""
    conference = await story.confer()
    story.untold.add(conference.ticket["sys_id"])
    forgery = story.world.click(conference, secret=FORGED, participant_id=conference.caller_id)
    answer = await story.world.send(forgery)
    story.screen.saw(f"Answered {answer.status}: {answer.said.get('detail', answer.said.get('title', ''))}")
    expect(answer.status == UNAUTHORIZED, f"answered {answer.status}, not {UNAUTHORIZED}")
    people = await story.world.people(conference)
    story.screen.people(people)
    expect(all(person["present"] for person in people), "somebody left for a forged webhook")
    expect(not await story.world.removals(conference), "a forged webhook reached Genesys")


async def conflict(story: Story) -> None:
    """Genesys says 409 once, and shows people who have left for another second."""
    conference = await story.confer()
    await story.world.spoil(
        conference, lag_seconds=LAG_SECONDS, answers=[{"on": "disconnect", "status": CONFLICT, "times": 1}]
    )
    webhook = story.world.click(conference, participant_id=conference.caller_id)
    answer = await story.world.send(webhook, wait=PATIENCE_SECONDS)
    account = await story.settled(answer.link)
    statuses = [call["status"] for call in await story.world.removals(conference)]
    story.screen.saw(f"The PATCHes were answered {', '.join(map(str, statuses))}; in between it looked, and waited.")
    expect(statuses == [CONFLICT, ACCEPTED], f"the PATCHes were answered {statuses}")
    await story.ended(conference, account, m.OutcomeKind.DISCONNECTED, 1)


async def killed(story: Story) -> None:
    """A worker dies between its mark and the PATCH; another one finishes."""
    stage, screen = story.stage, story.screen
    conference = await story.confer()
    stumbler = stage.parts[STUMBLER]
    process = int(await stumbler.said(HELD))
    with stage.frozen_workers():
        os.kill(process, LET_GO)
        await stumbler.said("The private door is at ")
        screen.saw(
            f"Both workers are frozen for a moment: process {process} works alone, and will not get to the PATCH."
        )
        answer = await story.world.send(story.world.click(conference, participant_id=conference.caller_id))
        expect(answer.status == ACCEPTED, f"answered {answer.status}")
        await stumbler.said(STUMBLED)
        shown = _steps(story, await story.world.account(answer.link), 0)
        screen.saw("It has marked the removal in Redis, and holds the PATCH in its hand. The two others go on.")
    stumbler.is_ending = True
    story.kill = Kill(answer.action, await stage.now_at())
    os.kill(process, signal.SIGKILL)
    screen.saw(f"kill -9 {process}. Nobody is told; its lease runs out by itself.", "bold red", at=story.kill.at)
    account = await watched(story, answer.link, shown)
    await story.ended(conference, account, m.OutcomeKind.DISCONNECTED, 1)


async def watched(story: Story, link: str, shown: int) -> Answer:
    """Show the lines of a timeline as they come, until there is an outcome."""
    clock = story.stage.clock
    until = clock.monotonic() + SETTLE_SECONDS
    while True:
        account = await story.world.account(link)
        shown = _steps(story, account, shown)
        if account.outcome:
            return account
        expect(clock.monotonic() < until, f"no outcome within {SETTLE_SECONDS:.0f} s")
        await clock.sleep(LOOK_SECONDS)


def _steps(story: Story, account: Answer, shown: int) -> int:
    """Show the lines of a timeline after the first `shown`; return how many there are now."""
    timeline = timeline_of(account)
    for entry in timeline[shown:]:
        if entry["verb"] not in {"verify", "parse"}:
            story.screen.step(entry)
    return len(timeline)


async def notes(story: Story) -> None:
    """Every ticket but the forged one has exactly one note."""
    clock = story.stage.clock
    until = clock.monotonic() + NOTES_SECONDS
    while True:
        tickets = await story.world.tickets()
        missing = [one["number"] for one in tickets if not one["work_notes"] and one["sys_id"] not in story.untold]
        if not missing:
            break
        expect(clock.monotonic() < until, f"after {NOTES_SECONDS:.0f} s nothing is written on {', '.join(missing)}")
        await clock.sleep(LOOK_SECONDS)
    story.screen.notes(tickets)
    wrong = [one["number"] for one in tickets if len(one["work_notes"]) != (one["sys_id"] not in story.untold)]
    expect(not wrong, f"there is a note too many on {', '.join(wrong)}")


async def calls(story: Story) -> None:
    """What reached Genesys."""
    listed: list[Json] = await story.world.calls()
    story.screen.calls(listed, story.world.conferences)
    changing = [call for call in listed if call["service"] == "genesys" and call["method"] != "GET"]
    other = [call["path"] for call in changing if call["method"] != "PATCH" or "/participants/" not in call["path"]]
    expect(not other, f"something else than one participant was addressed: {other}")


class Scene(NamedTuple):
    """One scene: what it is called, why it is dangerous by hand, and how it is played."""

    name: str
    why: str
    play: Callable[[Story], Awaitable[None]]


SCENES: Sequence[Scene] = (
    Scene(
        "A conference of four, and one click",
        "An abusive caller, two agents and an engineer are on one call, and only the caller may go. By hand, the call "
        "that is found first (POST …/disconnect) ends it for all four.",
        click,
    ),
    Scene(
        f"The same webhook {SAME} times at once",
        "Senders repeat what they got no answer to. Done twice, a removal hits a call that has moved on.",
        resent,
    ),
    Scene(
        "A double click",
        "People click again when nothing seems to happen. Two webhooks, differently signed, and the same wish.",
        double_click,
    ),
    Scene(
        "The caller is already gone",
        "By hand this is a 404 or a 409, and somebody starts to look for what is broken. Nothing is: it is a success.",
        already_gone,
    ),
    Scene(
        "The caller named by phone number",
        "The agents' legs carry the caller's number too. Whoever matches by number alone removes an agent.",
        by_number,
    ),
    Scene(
        "A wrong signature",
        "Who can forge a webhook can throw anybody out of any call.",
        forged,
    ),
    Scene(
        "A 409, and state that lags a second behind",
        "“The requested action cannot be completed because of the current state of the resource”: given up, the caller "
        "stays; repeated blindly, the second PATCH hits whoever comes next.",
        conflict,
    ),
    Scene(
        "kill -9 between the mark and the PATCH",
        "A worker dies with the PATCH in its hand. Was it sent? Nobody knows: so look, never guess, and let another "
        "worker finish.",
        killed,
    ),
    Scene("What the tickets say", "An agent who hears nothing clicks again, or calls.", notes),
    Scene("What reached Genesys", "The sandbox counts every call itself, in a process of its own.", calls),
)
