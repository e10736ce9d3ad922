"""Every weather as a story of its own, and what comes of it for each sender: the tables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.story.senders.letters import Click
from tests.story.senders.manners import DAY, HOUR, MANNERS
from tests.story.senders.play import Play

SPELL_SECONDS = 45.0
Story = Callable[[Play, int], Awaitable[list[Click]]]


def _last(play: Play, number: int) -> list[Click]:
    return [click for letter in play.letters for click in letter.clicks][-number:]


async def all_well(play: Play, number: int) -> list[Click]:
    """Nothing goes wrong."""
    await play.clicks(number)
    return _last(play, number)


async def slow_to_confirm(play: Play, number: int) -> list[Click]:
    """Genesys shows seven seconds late that somebody is gone."""
    play.lag = 7
    return await all_well(play, number)


async def answer_lost(play: Play, number: int) -> list[Click]:
    """What we say to the first is lost on its way: we have stored it, and its sender does not know."""
    play.house.weather.losses = 1
    return await all_well(play, number)


async def store_down(play: Play, number: int) -> list[Click]:
    """Redis is away for ten minutes."""
    play.house.weather.is_store_down = True
    play.after(600, lambda: setattr(play.house.weather, "is_store_down", False))
    return await all_well(play, number)


async def down_for_days(play: Play, number: int) -> list[Click]:
    """Redis is away for eighty hours, longer than anybody repeats anything."""
    play.house.weather.is_store_down = True
    play.after(80 * HOUR, lambda: setattr(play.house.weather, "is_store_down", False))
    return await all_well(play, number)


async def draining(play: Play, number: int) -> list[Click]:
    """This process is about to stop; eight seconds later another one answers."""
    play.house.weather.is_draining = True
    play.after(8, lambda: setattr(play.house.weather, "is_draining", False))
    return await all_well(play, number)


async def too_fast(play: Play, number: int) -> list[Click]:
    """Four clicks at once of a source that has room for two."""
    if play.name == "hubspot":  # its rate is a hundred at least: the others are events that came before
        play.write(*[play.letters[0].clicks[0]] * 98)
    return await all_well(play, 4)


async def a_bug(play: Play, number: int) -> list[Click]:
    """A fault of ours meets the first."""
    play.house.weather.bugs = 1
    return await all_well(play, number)


async def unreadable(play: Play, number: int) -> list[Click]:
    """Five clicks that name no conversation, one after the other, and a good one; all together where they can be."""
    if play.name == "hubspot":
        play.write(*[await play.click("nothing readable") for _ in range(5)], await play.click())
        good = _last(play, 1)
        await play.clicks(1, "nothing readable")
        return good
    for _ in range(5):
        await play.clicks(1, "nothing readable")
        await play.run()
    return await all_well(play, 1)


async def another_event(play: Play, number: int) -> list[Click]:
    """Events that are not for us, as many as there are clicks, and a good one."""
    await play.clicks(number, "something else")
    return await all_well(play, 1)


async def days_later(play: Play, number: int, seconds: float = 3 * DAY) -> list[Click]:
    """Everything is sent once more after three days; ServiceNow's signature is too old then, the others sign anew."""
    clicks = await all_well(play, number)
    await play.run()
    await play.wait(seconds)
    for letter in play.letters[-1 if play.name == "hubspot" else -number :]:
        play.write(*letter.clicks).signed = letter.signed
    return clicks


async def weeks_later(play: Play, number: int) -> list[Click]:
    """Everything is sent once more after nine days: its delivery is forgotten, what it asked is not."""
    return await days_later(play, number, 9 * DAY)


async def burst(play: Play, number: int) -> list[Click]:
    """A crowd clicks while Redis is away for three quarters of a minute."""
    play.house.weather.is_store_down = True
    play.after(SPELL_SECONDS, lambda: setattr(play.house.weather, "is_store_down", False))
    return await all_well(play, number * number // 2)


STORIES: Mapping[str, Story] = {
    "all well": all_well,
    "slow to confirm": slow_to_confirm,
    "answer lost": answer_lost,
    "store down": store_down,
    "down for days": down_for_days,
    "draining": draining,
    "too fast": too_fast,
    "a bug": a_bug,
    "unreadable": unreadable,
    "another event": another_event,
    "days later": days_later,
    "weeks later": weeks_later,
    "burst": burst,
}


def _many(names: str, end: str) -> dict[str, str]:
    return dict.fromkeys(names.split(", "), end)


_SERVICENOW = "servicenow fixed, servicenow doubling, servicenow retry-after"
# What becomes of the clicks, first of most senders, then of the others; one after the other where they end in several
# ways. Lost: the sender never heard a yes and gave up, and nobody said that something would be done. Expired: it came
# again when it was too late, and the ticket is told so.
ENDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "all well": ("removed", {}),
    "slow to confirm": ("removed", {}),
    "answer lost": ("removed", {}),
    "store down": ("expired", _many(f"zendesk, slack button, slack command, teams, {_SERVICENOW}", "lost")),
    "down for days": ("lost", {}),
    "draining": ("removed", _many("jira, slack command, freshdesk, standard", "expired") | {"teams": "lost"}),
    "too fast": (
        "removed",
        _many("jira, slack command, freshdesk, standard", "removed, expired") | {"teams": "removed, lost"},
    ),
    "a bug": (
        "removed",
        _many("jira, slack command, freshdesk", "expired, removed") | _many("zendesk, teams", "lost, removed"),
    ),
    "unreadable": ("removed", {}),
    "another event": ("removed", {}),
    "days later": ("removed", {}),
    # a command says no time of its own, so signed anew after the days that a delivery is remembered it is a new click
    "weeks later": ("removed", {"slack command": "removed and already gone"}),
    "burst": (
        "removed",
        _many("jira, slack command, freshdesk, standard", "expired")
        | _many("zendesk, teams, servicenow retry-after", "lost"),
    ),
}
# All that any sender does to us for it. An outage of ours makes Zendesk pause, also a restart in which several click:
# it is one, and what is held comes five seconds later. Freshdesk's administrators are to hear that we were away for
# more than its hour and a half, or that what their webhook sends cannot be read. Nothing is switched off.
PUNISHED: Mapping[tuple[str, str], str] = {
    ("store down", "zendesk"): "paused for 5 s",
    ("burst", "zendesk"): "paused for 5 s",
    ("draining", "zendesk"): "paused for 5 s",
    ("down for days", "zendesk"): "paused for 5 s",
    ("down for days", "freshdesk"): "mailed the administrators",
    ("unreadable", "freshdesk"): "mailed the administrators",
}
# What a click hears that cannot be read, and how often it is sent: once and 200, but for these. Those that would repeat
# it for days, or punish us, hear 200 by their preset; a button of Slack hears a no, which is all that its user is
# shown; `standard` hears what its settings say.
UNREADABLE: Mapping[str, tuple[int, int]] = {
    "jira": (422, 1),
    "slack button": (422, 4),
    "freshdesk": (422, 4),
    "standard": (422, 10),
    **dict.fromkeys(_SERVICENOW.split(", "), (422, 1)),
}


# For how many hours each repeats a click that is never taken, from its first try to its last; Teams never does.
HOURS: Mapping[str, float] = {
    "zendesk": 0.0,
    "jira": 1.0,
    "pagerduty": 46.1,
    "slack button": 0.1,
    "slack command": 0.1,
    "hubspot": 17.1,
    "freshdesk": 1.6,
    "standard": 75.6,
    **dict.fromkeys(_SERVICENOW.split(", "), 0.0),
}


_LATE = frozenset({"teams", "slack button", "slack command"})  # whose patience is short, or whom we let wait
_ALIKE = frozenset({"servicenow doubling", "servicenow retry-after"})  # they differ only in when they come again
_FAILING = frozenset({"store down", "draining", "a bug", "burst"})
# what is played at each change; the full run plays each story with each sender
DAILY = [
    (story, name)
    for story in STORIES
    for name in MANNERS
    if (name in _LATE or story not in {"slow to confirm", "weeks later"}) and (name not in _ALIKE or story in _FAILING)
]


def settings_in(story: str, name: str) -> dict[str, Any]:
    """Return what the source's settings say in one story besides the usual."""
    return {"rate": 100 if name == "hubspot" else 2} if story == "too fast" else {}
