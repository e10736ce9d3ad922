"""By which call somebody is removed: the four shapes there are, which may be tried for whom, and what was learned.

Published is only that *some* calls want a user (400 `not.a.user`), not which of them an org's client credentials may
make. So a way that was refused like that is remembered, and the next removal of this org begins with another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from service.core import model as m
from service.core.errors import EgressRefused
from service.genesys.options import GenesysOptions
from service.outbound import Rule

CONVERSATIONS = "/api/v2/conversations"
# nothing but `state`: every other property that is set is a command of its own
DISCONNECT = b'{"state":"disconnected"}'
NOT_A_USER = "not.a.user"
NO_ROUTE = "no_route"  # our code for a removal that has no call: nothing was sent
_BLANK = re.compile(r"\{(\w+)\}")
# the media that have a PATCH of their own, for a participant and for one leg of it; the others lost theirs, or had none
OWN_CALLS = (m.Medium.VOICE, m.Medium.CALLBACK, m.Medium.EMAIL, m.Medium.MESSAGE, m.Medium.COBROWSE)


class Shape(StrEnum):
    """The removals there are, by their paths; in braces what is filled in: UUIDs, and the word for a medium."""

    GENERIC = "/{conversation}/participants/{participant}"
    MEDIUM = "/{medium}/{conversation}/participants/{participant}"
    ON_BEHALF = "/calls/{conversation}/participants/{participant}/user/{user}"
    LEG = "/{medium}/{conversation}/participants/{participant}/communications/{communication}"


@dataclass(frozen=True, slots=True)
class Way:
    """One call by which a target can be removed.

    Attributes:
        name: as the timeline calls it: `generic`, `medium calls`, `on_behalf`, `leg emails`.
        path: where it goes.
    """

    name: str
    path: str


def conversation_rules(options: GenesysOptions) -> tuple[Rule, ...]:
    """Return the requests that may go to the org's API: the look, and the removals that its settings may lead to."""
    shapes = ("/{conversation}", *_shapes(options), Shape.LEG)
    look, *removals = (re.compile(f"{CONVERSATIONS}{_BLANK.sub(_pattern, shape)}".encode()) for shape in shapes)
    return Rule("GET", options.api, look), *(Rule("PATCH", options.api, path, DISCONNECT) for path in removals)


class Routes:
    """The ways out of one org, and which of them its client credentials were refused."""

    def __init__(self, options: GenesysOptions) -> None:
        self._options = options
        self._refused: set[str] = set()

    def ways(self, conversation_id: str, target: m.Target) -> tuple[Way, ...]:
        """Return the calls that are configured and possible for `target`, the one to take first; empty: there is none.

        For one leg there is only its own: every other would take more than the leg.

        Raises:
            EgressRefused: an id is no lower-case UUID.
        """
        fill = {"conversation": held(conversation_id), "participant": held(target.participant_id)}
        if user := target.user_id or self._options.on_behalf_of:
            fill["user"] = held(user)
        if target.communication_id:
            fill["communication"] = held(target.communication_id)
        if target.medium in OWN_CALLS:
            fill["medium"] = f"{target.medium}"
        if target.medium != m.Medium.VOICE:
            fill.pop("user", None)  # there is such a call for voice alone
        shapes = (Shape.LEG,) if target.communication_id else _shapes(self._options)
        possible = [_way(shape, fill) for shape in shapes if set(_BLANK.findall(shape)) <= fill.keys()]
        # where all were refused, the first again: Genesys may have changed its mind, and its answer says it better
        return tuple(sorted(possible, key=lambda way: way.name in self._refused))

    def refusal(self, target: m.Target) -> m.Reply:
        """Return, in words for the operator, why there is no way for `target`."""
        medium = target.medium or "a medium that is not known"
        if target.communication_id:
            why = f"Genesys Cloud has no call that removes one leg of {medium}: name the whole participant"
        elif self._options.route == "medium":
            why = f"Genesys Cloud has no call of its own for {medium}: the setting route must be auto or generic"
        elif target.medium == m.Medium.VOICE:
            why = "the route on_behalf wants a user, and this participant is none: set on_behalf_of to a user's id"
        else:
            why = f"the route on_behalf is for calls, not for {medium}: the setting route must be auto or generic"
        return m.Reply(code=NO_ROUTE, message=why)

    def learned(self, ways: tuple[Way, ...], answer: m.Answer) -> m.Answer:
        """Return `answer` as what it means with these ways, the first of which was taken, and remember what it taught.

        `not.a.user` means "not done", and says nothing against another way: so it may be repeated while one is left.
        """
        name = ways[0].name
        if answer.kind is m.AnswerKind.ACCEPTED:
            self._refused.discard(name)
        if answer.reply.code != NOT_A_USER:
            return replace(answer, route=name)
        self._refused.add(name)
        is_left = any(way.name not in self._refused for way in ways)
        return replace(answer, route=name, kind=m.AnswerKind.REFUSED_FOR_NOW if is_left else answer.kind)


def held(id_: str) -> str:
    """Return `id_` if it is a UUID. As a participant id, `..` would make this the call that drops everyone."""
    if not m.UUID.fullmatch(id_):
        raise EgressRefused("an id that is no UUID")
    return id_


def _shapes(options: GenesysOptions) -> tuple[Shape, ...]:
    """Return the shapes by which an org's settings let a participant be removed, the one to try first."""
    of_auto = (Shape.GENERIC, Shape.MEDIUM, *([Shape.ON_BEHALF] if options.on_behalf_of else []))
    return of_auto if options.route == "auto" else (Shape[options.route.upper()],)


def _pattern(blank: re.Match[str]) -> str:
    return f"(?:{'|'.join(OWN_CALLS)})" if blank[1] == "medium" else m.UUID.pattern


def _way(shape: Shape, fill: Mapping[str, str]) -> Way:
    words = [shape.name.lower(), *([fill["medium"]] if "{medium}" in shape else [])]
    return Way(" ".join(words), CONVERSATIONS + shape.format(**fill))
