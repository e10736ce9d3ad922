"""How the story is shown: one thought a line, with the seconds since the start; the same without a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from service.core.errors import OnhookError
from service.demo.figures import Figures
from service.demo.world import Conference, Json

_PLAIN_WIDTH = 120  # where there is no terminal to ask: what fits a browser's log view
_INDENT = 10  # the width of the column of times
_NAMES = 42  # the width of the column of the figures' names
_NARROWEST = 40  # of the column beside it, however narrow the terminal is


class Unwatched(OnhookError):
    """Whoever read the story has gone; nothing more can be written."""


class Screen:
    """Writes to a console.

    Args:
        console: where to.
        now: the wall clock in milliseconds; the times shown count from the first asking.
    """

    def __init__(self, console: Console, now: Callable[[], int]) -> None:
        self._console = console
        self._now = now
        self._began = now()
        if not console.is_terminal:
            console.width = _PLAIN_WIDTH

    def say(self, sentence: str, style: str = "") -> None:
        """Write a sentence without a time."""
        self._print(Text(sentence, style))

    def verbatim(self, text: str) -> None:
        """Write text to be copied: never wrapped, never styled."""
        self._print(Text(text), is_wrapped=False)

    def scene(self, number: int, name: str, why: str) -> None:
        """Begin a scene: its name, and why it is dangerous by hand."""
        self._print()
        self._print(Text(f"{number}. {name}", "bold"))
        self._line("", why, "dim")

    def saw(self, sentence: str, style: str = "", *, at: int | None = None) -> None:
        """Write what happened, now or at a moment in milliseconds since the epoch."""
        self._line(f"{((self._now() if at is None else at) - self._began) / 1000:+8.2f} s", sentence, style)

    def people(self, people: Sequence[Json]) -> None:
        """Show who is still there."""
        there = ", ".join(str(person["name"]) for person in people if person["present"])
        gone = ", ".join(str(person["name"]) for person in people if not person["present"])
        self.saw(f"On the call: {there or 'nobody'}." + (f" Gone: {gone}." if gone else ""), "green")

    def conference(self, conference: Conference, people: Sequence[Json]) -> None:
        """Show that a conference is on, and who is in it."""
        names = ", ".join(str(person["name"]) for person in people)
        ticket = conference.ticket["number"]
        self.saw(f"Conference {conference.number}, ticket {ticket}. On the call: {names}.", "green")

    def timeline(self, timeline: Sequence[Json]) -> None:
        """Show an action's timeline as one line of verbs, in milliseconds from its accept."""
        began = next((_ms(entry["at"]) for entry in timeline if entry["verb"] == "accept"), 0)
        steps = []
        for entry in timeline:
            after = _ms(entry["at"]) - began
            status = f" ({entry['status']})" if entry["status"] else ""
            steps.append(f"{entry['verb']}{status}" + (f" +{after}" if after > 0 else ""))
        self.saw(f"{', '.join(steps)} ms", "cyan")

    def step(self, entry: Json) -> None:
        """Show one line of a timeline, with who did it."""
        who = f" by {entry['worker']}" if entry["worker"] else ""
        status = f", answered {entry['status']}" if entry["status"] else ""
        note = f": {entry['note']}" if entry["note"] else ""
        self.saw(f"{entry['verb']}{who}{status}{note}", "cyan", at=_ms(entry["at"]))

    def notes(self, tickets: Sequence[Json]) -> None:
        """Show what stands on the tickets, in full."""
        for ticket in tickets:
            for note in ticket["work_notes"]:
                self._line(str(ticket["number"]), note["text"], "")
            if not ticket["work_notes"]:
                self._line(str(ticket["number"]), "(no note)", "dim")

    def calls(self, calls: Sequence[Json], conferences: Sequence[Conference]) -> None:
        """Show what reached Genesys: each call that could change something, and how many could not."""
        genesys = [call for call in calls if call["service"] == "genesys"]
        for call in genesys:
            if call["method"] != "GET":
                parts = str(call["path"]).split("/")
                short = "/".join(part[:8] + "…" if len(part) == 36 else part for part in parts)  # noqa: PLR2004 - a UUID
                where = next((f"conference {one.number}" for one in conferences if one.conversation_id in parts), "?")
                left = "somebody left" if call["effect"] is True else "nobody left"
                said = f"{where}: {call['method']} {short}, answered {call['status']}, {left}"
                self.saw(said, at=round(call["at"] * 1000))
        looks = sum(call["method"] == "GET" for call in genesys)
        self.saw(f"And {looks} looks (GET), which change nothing.")

    def figures(self, figures: Figures) -> None:
        """Show the figures."""
        ended = ", ".join(f"{count} {kind}" for kind, count in figures.outcomes.items())
        recovered = figures.recovered_after_kill_seconds
        rows = {
            "webhooks accepted": figures.deliveries,
            "actions they were taken for": f"{figures.actions} ({ended})",
            "removals that Genesys took / refused": f"{figures.disconnect_calls} / {figures.refused_calls}",
            "bystanders lost": figures.bystanders_lost,
            "tickets told / notes written": f"{figures.tickets_told} / {figures.notes_written}",
            "from the kill to another worker's claim": "never" if recovered is None else f"{recovered:.2f} s",
        }
        self.rows(rows)

    def rows(self, rows: Mapping[str, object]) -> None:
        """Show what was counted, by name."""
        self._print()
        self.say("What came of it, counted in Redis and in the sandbox:", "bold")
        for name, value in rows.items():
            self._print(Text.assemble(f"  {name:<{_NAMES}}", (str(value), "bold")))

    def fault(self, sentence: str) -> None:
        """Say that it went wrong."""
        self._print()
        self._print(Text(sentence, "bold red"))

    def _print(self, text: Text | str = "", *, is_wrapped: bool = True) -> None:
        try:
            self._console.print(text, soft_wrap=not is_wrapped)
        except SystemExit:  # rich's answer to a broken pipe; the parts have to be ended first
            raise Unwatched("nobody reads this any more") from None

    def _line(self, head: str, sentence: str, style: str) -> None:
        width = max(self._console.width - _INDENT - 2, _NARROWEST)
        for line in textwrap.wrap(sentence, width, break_long_words=False, break_on_hyphens=False):
            self._print(Text.assemble((f"{head:>{_INDENT}}  ", "dim"), (line, style)), is_wrapped=False)
            head = ""


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
