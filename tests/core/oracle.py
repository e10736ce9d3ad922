"""Who is meant, worked out a second time: over the raw JSON, by how each person stands to each of the two names.

It knows nothing of the product but the nouns a wish is made of, so that the two can only agree by both being right.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from service.core import model as m
from tests.core.documents import ADDRESSES, ARRAYS, MOMENTS, OVER, SYSTEM, THEIRS, Json

Kind = m.SelectorKind
# a likeness fits whoever is like that
LIKE = {Kind.PURPOSE, Kind.ATTRIBUTE}


class Stand(Enum):
    """How somebody stands to a name: it is his, nobody can tell, or his is another one."""

    HIS = "his"
    UNTOLD = "untold"
    ANOTHER = "another"


@dataclass
class Someone:
    """One participant as the raw document tells of it, as far as the wish goes.

    Attributes:
        told: what the document tells of it, by the kind of selector.
        mine: the kinds of which the same value counts as its own.
        open, over: ids and arrays of legs; `has_any` tells whether there was any leg at all.
    """

    id: str
    user: str
    purpose: str
    told: dict[Kind, str | None]
    mine: set[Kind]
    joined: int
    left: int
    is_marked_gone: bool
    has_any: bool
    open: list[tuple[str, str]] = field(default_factory=list)
    over: list[tuple[str, str]] = field(default_factory=list)

    @property
    def whereabouts(self) -> str:
        """Here, gone, or coming."""
        if self.is_marked_gone:
            return "gone"
        return "here" if self.open else "gone" if self.over else "coming"

    def stands_to(self, name: m.Selector) -> Stand:
        """How it stands to a name."""
        if name.kind is Kind.COMMUNICATION_ID:
            return Stand.HIS if name.value in {id_ for id_, _ in self.open + self.over} else Stand.UNTOLD
        told = self.told[name.kind]
        if told == name.value:
            return Stand.HIS if name.kind in self.mine else Stand.UNTOLD
        return Stand.ANOTHER if told else Stand.UNTOLD


@dataclass(frozen=True)
class Verdict:
    """What should come out: a view's word, and the ids it names."""

    word: str
    ids: frozenset[str] = frozenset()


def roll(document: Json, wish: m.Removal, policy: m.Policy) -> list[Someone]:
    """Everybody whom the wish could concern: people without any leg yet, and those with a leg of the wish's kind."""
    one_leg = {name.value for name in (wish.selector, wish.identity) if name and name.kind is Kind.COMMUNICATION_ID}
    people = [_someone(one, wish, policy, one_leg) for one in document["participants"]]
    return [one for one in people if one.open or one.over or not one.has_any]


def _someone(raw: Json, wish: m.Removal, policy: m.Policy, one_leg: set[str]) -> Someone:
    legs = [(leg, array) for array in ARRAYS for leg in raw.get(array) or []]
    purpose = raw["purpose"].lower()
    is_outside, is_allowed = purpose not in {*SYSTEM, *THEIRS}, purpose in policy.purposes
    number = ADDRESSES[raw.get("address")] or ADDRESSES[raw.get("ani")]
    attributes = raw.get("attributes")
    asked = next((n.value for n in (wish.selector, wish.identity) if n and n.kind is Kind.ATTRIBUTE), "")
    key = asked.split("=")[0]
    value = attributes.get(key) if isinstance(attributes, dict) else None
    user = raw.get("userId") or ""
    someone = Someone(
        id=raw["id"].lower(),
        user=user.lower() if "-" in user else "",
        purpose=purpose,
        told={
            Kind.PARTICIPANT_ID: raw["id"].lower(),
            Kind.PHONE: number if is_outside else None,
            Kind.USER_ID: user.lower() if "-" in user else "",
            Kind.EXTERNAL_CONTACT_ID: raw.get("externalContactId"),
            Kind.PURPOSE: purpose,
            Kind.ATTRIBUTE: f"{key}={value}" if is_outside and isinstance(value, str) and value else None,
        },
        mine={Kind.PARTICIPANT_ID, Kind.USER_ID, Kind.EXTERNAL_CONTACT_ID}
        | ({Kind.PURPOSE, Kind.PHONE, Kind.ATTRIBUTE} if is_allowed else set()),
        joined=max(MOMENTS[raw.get("startTime")], MOMENTS[raw.get("connectedTime")]),
        left=MOMENTS[raw.get("endTime") or None],
        is_marked_gone=bool(raw.get("endTime")),
        has_any=bool(legs),
    )
    for leg, array in legs:
        if wish.medium in {None, array} and (not one_leg or leg["id"] in one_leg):
            (someone.over if leg["state"] in OVER else someone.open).append((leg["id"], array))
    return someone


def meant(people: list[Someone], wish: m.Removal) -> tuple[list[Someone], bool]:
    """Whom the names mean together, and whether they quarrel."""
    names = sorted(filter(None, (wish.selector, wish.identity)), key=lambda name: name.kind != Kind.COMMUNICATION_ID)
    if len(names) == 1:
        return [one for one in people if one.stands_to(names[0]) is Stand.HIS], False
    seats: dict[tuple[Stand, Stand], list[Someone]] = {(a, b): [] for a in Stand for b in Stand}
    for one in people:
        seats[one.stands_to(names[0]), one.stands_to(names[1])].append(one)
    if agreed := seats[Stand.HIS, Stand.HIS]:
        return agreed, False
    by_first = seats[Stand.HIS, Stand.UNTOLD] + seats[Stand.HIS, Stand.ANOTHER]
    by_second = seats[Stand.UNTOLD, Stand.HIS] + seats[Stand.ANOTHER, Stand.HIS]
    if by_first:
        alone = [] if by_second else seats[Stand.HIS, Stand.UNTOLD]
        return alone or by_first + by_second, not alone
    if names[0].kind in LIKE | {Kind.COMMUNICATION_ID} or names[1].kind in LIKE:
        return [], False
    stand_in = by_second if names[0].kind is Kind.PARTICIPANT_ID else seats[Stand.UNTOLD, Stand.HIS]
    return stand_in or by_second, bool(by_second) and not stand_in


def verdict(document: Json, wish: m.Removal, policy: m.Policy, clicked_at: int | None) -> Verdict:
    """What a look means while nobody is pinned."""
    if not document["participants"]:
        return Verdict("no_legs")
    named, quarrel = meant(roll(document, wish, policy), wish)
    if quarrel:
        return Verdict("contradictory", _ids(named))
    if not named:
        return Verdict("nobody")
    here, gone, coming = ([one for one in named if one.whereabouts == where] for where in ("here", "gone", "coming"))
    if gone and clicked_at is not None:
        here = [one for one in here if one.joined <= clicked_at]
    if not here:
        return Verdict("no_legs", _newest(coming)) if coming else Verdict("only_gone", _newest(gone))
    rivals = here
    if wish.selector.kind in LIKE:
        # whoever left after the click was there at the click as well
        rivals = here + [one for one in gone if clicked_at is not None and (one.left == 0 or one.left > clicked_at)]
    elif spoken := [one for one in here if any(array == "calls" for _, array in one.open)]:
        here = rivals = spoken
    is_one = len(rivals) == 1 or (rivals[0].user != "" and all(one.user == rivals[0].user for one in rivals))
    return Verdict("present", _newest(here)) if is_one else Verdict("ambiguous", _ids(rivals))


def pinned(document: Json, wish: m.Removal, policy: m.Policy, pin: m.Target) -> Verdict:
    """What a look means once somebody is pinned."""
    if not document["participants"]:
        return Verdict("no_legs")
    found = [one for one in roll(document, wish, policy) if one.id == pin.participant_id]
    if not found:
        return Verdict("unlisted")
    (one,) = found
    its, legs = frozenset({one.id}), set(pin.leg_ids)
    if one.whereabouts != "here":
        return Verdict("gone" if one.whereabouts == "gone" else "no_legs", its)
    if legs & {id_ for id_, _ in one.open}:
        return Verdict("present", its)
    is_back = bool(legs) and legs <= {id_ for id_, _ in one.open + one.over}
    return Verdict("back" if is_back else "unlisted", its)


def _ids(people: Iterable[Someone]) -> frozenset[str]:
    return frozenset(one.id for one in people)


def _newest(people: list[Someone]) -> frozenset[str]:
    latest = max(one.joined for one in people)
    return frozenset({max(one.id for one in people if one.joined == latest)})
