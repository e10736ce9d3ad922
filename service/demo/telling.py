"""From the command to the exit code: set the stage, tell the story, count, and stay up or end."""

from __future__ import annotations

import asyncio
import io
import os
import shlex
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from rich.console import Console

from service.core.errors import Misconfigured
from service.demo.figures import Evidence, Kill, gathered
from service.demo.screen import Screen, Unwatched
from service.demo.stage import PartDied, Stage, staged
from service.demo.story import Story, Unmet
from service.demo.world import CALLER_PHONE, PATIENCE_SECONDS, World
from service.wiring.lifetime import Stop
from service.wiring.machine import SystemClock
from service.wiring.secret import secret_file

FAILED, INTERRUPTED = 1, 130  # as a shell says it of a program that a Ctrl-C ended


def tell(*, is_once: bool, as_json: bool, evidence: Path | None) -> int:
    """Tell the whole story on this machine, and return the exit code: 0 only when every scene ended as it must.

    Args:
        is_once: end after the story; else everything stays up until a signal.
        as_json: end standard output with one line of figures; the story goes to standard error.
        evidence: a folder for the sandbox's raw call log, or None.

    Raises:
        Misconfigured: there is no Redis to start, or the folder cannot be used.
    """
    telling = Telling(screen_of(as_json=as_json), is_once=is_once, as_json=as_json, evidence=evidence)
    return asyncio.run(telling.run())


def screen_of(*, as_json: bool) -> Screen:
    """Return where a person reads along: standard output, unless that is for programs."""
    stream = sys.stderr if as_json else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # a terminal that knows no dash must not end the story
    return Screen(Console(file=stream, highlight=False), SystemClock().now)


async def played_out(play: Coroutine[Any, Any, int], screen: Screen, otherwise: str) -> int:
    """Return the exit code of `play`, or what a signal or a fault makes of it; what it began has ended by then.

    Args:
        play: everything, from setting the stage to taking it down.
        screen: where a fault is said.
        otherwise: how that sentence begins.
    """
    stop = Stop()
    with stop.listening():
        playing, stopped = asyncio.create_task(play), asyncio.create_task(stop.said.wait())
        await asyncio.wait({playing, stopped}, return_when=asyncio.FIRST_COMPLETED)
        is_stopped = stopped.done()
        stopped.cancel()
        playing.cancel()  # from here on a signal changes nothing: everything is being ended already
        try:
            if is_stopped:
                screen.say("\nEverything is being ended.")
            return await playing
        except asyncio.CancelledError:
            screen.say("Everything has ended.")
            return INTERRUPTED
        except (PartDied, Unmet, Unwatched) as fault:
            await asyncio.wait({playing})  # whoever stopped reading must not keep the parts from ending
            screen.fault(f"{otherwise} {fault}")
            return FAILED


class Telling:
    """One telling, from setting the stage to taking it down."""

    def __init__(self, screen: Screen, *, is_once: bool, as_json: bool, evidence: Path | None) -> None:
        """Prepare; nothing is started before `run`."""
        self._screen = screen
        self._is_once = is_once
        self._as_json = as_json
        self._evidence = evidence
        self._is_told = False

    async def run(self) -> int:
        """Tell, and return the exit code. However it ends, no process of it is left."""
        make(self._evidence)
        code = await played_out(self._tell(), self._screen, "The story is not as it must be.")
        return 0 if code == INTERRUPTED and self._is_told else code

    async def _tell(self) -> int:
        screen = self._screen
        screen.say("Onhook takes exactly one person out of a call, once, when a ticket asks for it.", "bold")
        screen.say(
            "All of this is live, on this machine only: a play Genesys Cloud and a play ServiceNow desk (the sandbox), "
            "a Redis of its own, one receiver, two workers. Times count from the start."
        )
        screen.saw("Starting a Redis and five processes, on free ports.")
        async with staged() as stage, stage.world(stage.org) as world:
            screen.saw(f"The sandbox is at {stage.play}/sandbox/ , the public door at {stage.door}")
            await stage.during(self._play(stage, world))
            self._is_told = True
            if not self._is_once:
                await stage.during(self._stay_up(stage, world))
            return 0

    async def _play(self, stage: Stage, world: World) -> None:
        story = Story(world, stage, self._screen)
        await story.tell()
        self._conclude(await gathered(stage.store, stage.org, world), story.kill)

    def _conclude(self, evidence: Evidence, kill: Kill | None) -> None:
        """Show the figures, and hold them against each other.

        Raises:
            Unmet: they do not add up.
        """
        figures = evidence.figures(kill)
        if self._evidence is not None:
            evidence.write(self._evidence)
        self._screen.figures(figures)
        if figures.faults:
            raise Unmet(f"The figures do not add up: {'; '.join(figures.faults)}.")
        if self._as_json:
            sys.stdout.write(figures.line + "\n")
            sys.stdout.flush()

    async def _stay_up(self, stage: Stage, world: World) -> None:
        """Leave everything to the person who watches, with a call to try it on."""
        conference = await world.confer()
        webhook = world.click(conference, caller_phone=CALLER_PHONE)
        headers = {**webhook.headers, "prefer": f"wait={PATIENCE_SECONDS}"}
        named = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items())
        screen = self._screen
        screen.say("\nEverything stays up until Ctrl-C. Try it yourself:", "bold")
        screen.verbatim(f"  who is on which call   {stage.play}/sandbox/")
        screen.verbatim(f"  the public door        {webhook.url}")
        ticket = conference.ticket
        screen.say(f"Conference {conference.number} is on, ticket {ticket['number']}. Signed for the next two minutes:")
        screen.verbatim(f"curl -sS {named} --data-binary {shlex.quote(webhook.body.decode())} {webhook.url}")
        screen.say("The same at any time, and what was written on the ticket:")
        screen.verbatim(
            f"onhook send --url {stage.door} --source {stage.org} --secret-file {os.fspath(secret_file(stage.folder))} "
            f"--conversation {conference.conversation_id} --phone {CALLER_PHONE} "
            f"--ticket {ticket['table']}/{ticket['sys_id']} --wait 10"
        )
        screen.verbatim(f"curl -sS {stage.play}/sandbox/desk/tickets/{ticket['table']}/{ticket['sys_id']}")
        await asyncio.Event().wait()


def make(folder: Path | None) -> None:
    """Make the folder for the evidence, if there is to be one, before anything is started.

    Raises:
        Misconfigured: it cannot be made.
    """
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise Misconfigured([f"--evidence: {folder} cannot be used: {fault.strerror}"]) from fault
