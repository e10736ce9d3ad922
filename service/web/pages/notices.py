"""What a page says after an act led to it: that it was done, as far as the page can see it for itself.

The address alone is no proof that something was done: anybody can make one up. So what stands in it is checked against
what is there now, and of it nothing but numbers is repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.web.console.forms import Form
from service.web.pages.one import One
from service.web.pages.watch import Standing


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence, and whether it is `good`, `info` or `warn`."""

    tone: str
    words: str


def notice_of(query: Form, standings: Sequence[Standing] = (), one: One | None = None) -> Notice | None:
    """Return what the address says was done, where what is there now bears it out; else None."""
    done, org, source = query.get("done"), query.get("org"), query.get("source")
    if done in {"paused", "resumed"}:
        return _of_pause(done, org, source, standings)
    if one is not None and done == "replayed" and one.replay_of:
        return Notice("good", "This is the new action. Its outcome stands here as soon as it has one.")
    if one is not None and done == "dropped" and one.reason == "dropped":
        return Notice("good", "Dropped: nobody is removed for it, and its ticket is told so.")
    if done == "retold":
        return _of_retell(query.get("told"), query.get("left"))
    return None


def _of_pause(done: str, org: str, source: str, standings: Sequence[Standing]) -> Notice | None:
    standing = next((one for one in standings if one.org == org), None)
    if standing is None:
        return None
    is_paused = source in {one.source for one in standing.pauses}
    if is_paused is not (done == "paused"):
        return None
    what = f"source {source}" if source else f"org {org}"
    if is_paused:
        return Notice("warn", f"Paused: {what}. Clicks are kept until they are too old; Resume goes on.")
    return Notice("good", f"Going on: {what}. What is still in time is done now.")


def _of_retell(told: str, left: str) -> Notice | None:
    if not all(text.isascii() and text.isdigit() and len(text) < len("1000") for text in (told, left)):
        return None
    words = f"{told} to be told again: within seconds if their desks answer, else for another day."
    if left != "0":
        return Notice("warn", f"{words} {left} were no dead letters any more, or are a newer version's.")
    return Notice("good", words)
