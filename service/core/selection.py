"""Who is meant: from a selector and a sight of the conversation to one participant, or to why there is none.

A wrong person is never chosen to be helpful: whatever fits several different people selects nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from service.core import model as m

# Legs the platform adds by itself; they end by themselves and are nobody's removal (genesys: "Behaviour").
SYSTEM_PURPOSES = frozenset(
    {"acd", "ivr", "botflow", "flow", "voicemail", "voicesurveyflow", "workflow", "dialer", "campaign", "api", "fax"}
)

# The ani of these is the caller's number too, and a flow copies the caller's attributes to them: so none of them is
# known by a number or an attribute, allowed by a policy or not.
_BORROWERS = SYSTEM_PURPOSES | {"agent", "user", "group", "station"}

# How a supervisor takes part without being heard by the caller.
_LISTENING = frozenset({"monitor", "coach"})

# Whoever is like that is meant, and two who are like that are two people: in another medium, or not listed, or not.
_LIKENESSES = frozenset({m.SelectorKind.PURPOSE, m.SelectorKind.ATTRIBUTE})
# What a ticket may know from before: where it fits nobody, the other way that the ticket gives stands in.
_STALE = frozenset(m.SelectorKind) - _LIKENESSES - {m.SelectorKind.COMMUNICATION_ID}


class View(StrEnum):
    """What one look, or none yet, means for one action: the sight column of the table in rules.py."""

    UNSEEN = "unseen"
    CANNOT_SEE = "cannot_see"
    NO_LEGS = "no_legs"
    FORBIDDEN = "forbidden"
    REJECTED = "rejected"
    NO_CONVERSATION = "no_conversation"
    NOBODY = "nobody"
    ONLY_GONE = "only_gone"
    SEVERAL = "several"
    UNLISTED = "unlisted"
    GONE = "gone"
    BACK = "back"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a view rests on.

    Attributes:
        person: the one participant, for PRESENT, GONE, BACK, ONLY_GONE and NO_LEGS where there is one.
        candidates: those who could be meant, for SEVERAL.
        is_contradictory: for SEVERAL: the two ways in which the person is named do not mean the same one.
        leg_id: the one leg that is meant, or "" for all of the person; `person` has the legs that are meant, no others.
    """

    view: View
    person: m.Participant | None = None
    candidates: tuple[m.Participant, ...] = ()
    is_contradictory: bool = False
    leg_id: str = ""

    @property
    def target(self) -> m.Target | None:
        """The participant and its present legs, for PRESENT only."""
        person = self.person
        if self.view is not View.PRESENT or person is None:
            return None
        legs = [leg for leg in person.legs if not leg.is_ended]
        voice = [leg.medium for leg in legs if leg.medium is m.Medium.VOICE]
        medium = (*voice, *(leg.medium for leg in legs))[0]
        ids = tuple(leg.id for leg in legs)
        return m.Target(person.id, ids, person.purpose, medium, person.user_id, self.leg_id)


_BLIND: Mapping[type[m.Sight], View] = {
    m.NotFound: View.NO_CONVERSATION,
    m.Forbidden: View.FORBIDDEN,
    m.CannotSee: View.CANNOT_SEE,
    m.NoSight: View.REJECTED,
}

# A phone or an attribute is matched within allowed purposes only, and never on who carries the caller's.
_FITS: Mapping[m.SelectorKind, Callable[[m.Participant, str, m.Policy], bool]] = {
    m.SelectorKind.PARTICIPANT_ID: lambda p, value, _: p.id == value,
    m.SelectorKind.PHONE: lambda p, value, policy: p.phone == value and _is_own(p, policy),
    m.SelectorKind.USER_ID: lambda p, value, _: p.user_id == value,
    m.SelectorKind.EXTERNAL_CONTACT_ID: lambda p, value, _: p.external_contact_id == value,
    m.SelectorKind.COMMUNICATION_ID: lambda p, value, _: any(leg.id == value for leg in p.legs),
    m.SelectorKind.PURPOSE: lambda p, value, policy: p.purpose == value and value in policy.purposes,
    m.SelectorKind.ATTRIBUTE: lambda p, value, policy: _has(p, value) and _is_own(p, policy),
}


def select(
    removal: m.Removal, sight: m.Sight | None, pin: m.Target | None, policy: m.Policy, clicked_at: int | None = None
) -> Selection:
    """Say what `sight` means for `removal`: total over all sights, pure, and blind to the participants' order.

    With `clicked_at`, who joined after the click is not whom it meant, where somebody who fits has left.
    """
    if sight is None:
        return Selection(View.UNSEEN)
    if not isinstance(sight, m.Conversation):
        return Selection(_BLIND[type(sight)])
    if not sight.participants:
        return Selection(View.NO_LEGS)
    people = _within(removal, sight.participants)
    found = _pinned(people, pin) if pin else _named(removal, people, policy, clicked_at)
    return replace(found, leg_id=leg_of(removal))


def leg_of(removal: m.Removal) -> str:
    """Return the id of the one leg that is to go, or "" where it is the person."""
    named = (removal.selector, removal.identity)
    return next((one.value for one in named if one and one.kind is m.SelectorKind.COMMUNICATION_ID), "")


def _within(removal: m.Removal, people: Iterable[m.Participant]) -> list[m.Participant]:
    """Return `people` as far as medium and leg go, so that another leg neither keeps nor makes them present."""
    medium, leg_id = removal.medium, leg_of(removal)
    if medium is None and not leg_id:
        return list(people)
    cut = [(p, tuple(leg for leg in p.legs if medium in {None, leg.medium} and leg_id in {"", leg.id})) for p in people]
    return [replace(p, legs=legs) for p, legs in cut if legs or not p.legs]


def _pinned(people: Iterable[m.Participant], pin: m.Target) -> Selection:
    person = next((p for p in people if p.id == pin.participant_id), None)
    if person is None:
        return Selection(View.UNLISTED)
    if person.has_ended:
        return Selection(View.GONE, person)
    if not person.legs:
        return Selection(View.NO_LEGS, person)
    pinned = set(pin.leg_ids)
    if any(leg.id in pinned and not leg.is_ended for leg in person.legs):
        return Selection(View.PRESENT, person)
    if person.is_gone:
        return Selection(View.GONE, person)
    # Another leg is there. All pinned ones listed as ended: the person came back. Not listed: a merge renamed them.
    is_back = bool(pinned) and pinned <= {leg.id for leg in person.legs}
    return Selection(View.BACK if is_back else View.UNLISTED, person)


def _named(removal: m.Removal, people: list[m.Participant], policy: m.Policy, clicked_at: int | None) -> Selection:
    found, is_contradictory = _meant(removal, people, policy)
    if is_contradictory:
        return Selection(View.SEVERAL, candidates=_by_id(found), is_contradictory=True)
    if not found:
        return Selection(View.NOBODY)
    gone = [p for p in found if p.is_gone]
    present = [p for p in found if p.is_present]
    if gone and clicked_at is not None:
        # an old click is not for who came back: the person it meant has left, this one joined after it
        present = [p for p in present if p.joined_at <= clicked_at]
    if present and clicked_at is not None and all(_returned(p, clicked_at) for p in present):
        return Selection(View.BACK, _newest(present))  # the same, under the id that he had
    if not present:
        starting = [p for p in found if not p.is_gone and not p.is_present]
        return Selection(View.NO_LEGS, _newest(starting)) if starting else Selection(View.ONLY_GONE, _newest(gone))
    if removal.selector.kind in _LIKENESSES:
        # who left since the click was like that too when it was made, and may be the one it meant
        return _one_of(present, [p for p in gone if clicked_at is not None and not 0 < p.left_at <= clicked_at])
    # several media of one person: voice, where no other is named
    in_voice = [p for p in present if any(leg.medium is m.Medium.VOICE and not leg.is_ended for leg in p.legs)]
    return _one_of(in_voice or present)


def _returned(person: m.Participant, clicked_at: int) -> bool:
    """Whether `person` has left, and every leg that is there began after the click."""
    return any(leg.is_ended for leg in person.legs) and all(
        leg.began_at > clicked_at for leg in person.legs if not leg.is_ended
    )


def _meant(removal: m.Removal, people: list[m.Participant], policy: m.Policy) -> tuple[list[m.Participant], bool]:
    """Return whom the one or two ways mean; or, with True, whom they mean apart, when that is not the same person."""
    first, second = removal.selector, removal.identity
    if second is not None and second.kind is m.SelectorKind.COMMUNICATION_ID:
        first, second = second, first
    found = _fitting(first, people, policy)
    if second is None:
        return found, False
    same = _fitting(second, people, policy)
    both = [p for p in found if p in same]
    if both:
        return both, False
    if found:
        rest = [p for p in found if not _denies(p, second)]
        return (rest, False) if rest and not same else ([*found, *same], True)
    if first.kind not in _STALE or second.kind in _LIKENESSES:
        return [], False
    # another participant id is what is expected here, for those are void after a merge; another contact is another
    rest = same if first.kind is m.SelectorKind.PARTICIPANT_ID else [p for p in same if not _denies(p, first)]
    return (rest, False) if rest or not same else (same, True)


def _one_of(rest: list[m.Participant], others: Iterable[m.Participant] = ()) -> Selection:
    """Return the one person that `rest` is, unless `others` could be meant as well."""
    rest_and_others = [*rest, *others]
    users = {p.user_id for p in rest_and_others}
    # One user can stand several times in a conversation (unanswered alert, re-entry): the newest is the real one.
    if len(rest_and_others) == 1 or (len(users) == 1 and "" not in users):
        return Selection(View.PRESENT, _newest(rest))
    return Selection(View.SEVERAL, candidates=_by_id(rest_and_others))


def _fitting(selector: m.Selector, people: list[m.Participant], policy: m.Policy) -> list[m.Participant]:
    fits = _FITS[selector.kind]
    # an empty value would name everybody who has no user or contact
    return [p for p in people if selector.value and fits(p, selector.value, policy)]


def _denies(person: m.Participant, identity: m.Selector) -> bool:
    """Whether what is known of `person` is another than `identity` says; what is not known denies nothing."""
    is_borrower, key = person.purpose in _BORROWERS, identity.value.partition("=")[0]
    said = dict(person.attributes).get(key)
    known = {
        m.SelectorKind.PHONE: None if is_borrower else person.phone,
        m.SelectorKind.USER_ID: person.user_id,
        m.SelectorKind.EXTERNAL_CONTACT_ID: person.external_contact_id,
        m.SelectorKind.PARTICIPANT_ID: person.id,
        m.SelectorKind.PURPOSE: person.purpose,
        m.SelectorKind.ATTRIBUTE: f"{key}={said}" if said and not is_borrower else None,
    }.get(identity.kind)
    return bool(known) and known != identity.value


def _is_own(person: m.Participant, policy: m.Policy) -> bool:
    """Whether the number and the attributes of `person` are its own, and the policy allows its purpose."""
    return person.purpose in policy.purposes and person.purpose not in _BORROWERS


def _has(person: m.Participant, attribute: str) -> bool:
    key, _, said = attribute.partition("=")
    # what a flow left empty is no mark of anybody
    return said != "" and (key, said) in person.attributes


def _newest(people: Iterable[m.Participant]) -> m.Participant:
    return max(people, key=lambda p: (p.joined_at, p.id))


def _by_id(people: Iterable[m.Participant]) -> tuple[m.Participant, ...]:
    return tuple(sorted({p.id: p for p in people}.values(), key=lambda p: p.id))


def bystanders(sight: m.Sight | None, target_id: str, leg_id: str = "") -> dict[str, str]:
    """Return participant id → purpose of everybody present but the target; system legs are nobody.

    Where only the leg `leg_id` is to go, the target is among them as far as it is there by another one.
    """
    if not isinstance(sight, m.Conversation):
        return {}
    people = [p for p in sight.participants if p.purpose not in SYSTEM_PURPOSES]
    return {p.id: p.purpose for p in people if (p.is_present if p.id != target_id else _stays(p, leg_id))}


def _stays(person: m.Participant, leg_id: str) -> bool:
    others = tuple(leg for leg in person.legs if leg.id != leg_id)
    return leg_id != "" and replace(person, legs=others).is_present


def company(sight: m.Sight | None, target_id: str) -> int:
    """Return how many people would still talk without the target: people, not entries, and not the target's others.

    Who only monitors or coaches is nobody here: they hang on the leg of the one they listen to, and end with it.
    """
    if not isinstance(sight, m.Conversation):
        return 0
    others = bystanders(sight, target_id)
    rest = [p for p in sight.participants if p.id in others and not _only_listens(p)]
    rest = [p for p in rest if not any(p.id != it.id == target_id and _is_same(p, it) for it in sight.participants)]
    groups: list[list[m.Participant]] = []
    for one in rest:
        own = [group for group in groups if any(_is_same(one, other) for other in group)]
        groups = [group for group in groups if group not in own] + [[one, *(it for group in own for it in group)]]
    return len(groups)


def _only_listens(person: m.Participant) -> bool:
    return bool(person.media_roles) and _LISTENING.issuperset(person.media_roles)


def by_purpose(people: Mapping[str, str]) -> dict[str, int]:
    """Count `people` (id → purpose) by purpose, in alphabetical order."""
    return dict(sorted(Counter(people.values()).items()))


def is_back(sight: m.Sight | None, person: m.Participant | None, before: Container[str] = ()) -> bool:
    """Whether somebody present under another id is the same person: same contact, user, or number and purpose.

    Who stood there at the same time as `person` (the ids `before`) did not come back.
    """
    if person is None or not isinstance(sight, m.Conversation):
        return False
    return any(
        p.is_present and p.id != person.id and p.id not in before and _is_same(p, person) for p in sight.participants
    )


def _is_same(one: m.Participant, other: m.Participant) -> bool:
    return (
        (one.user_id != "" and one.user_id == other.user_id)
        or (one.external_contact_id != "" and one.external_contact_id == other.external_contact_id)
        or _is_same_number(one, other)
    )


def _is_same_number(one: m.Participant, other: m.Participant) -> bool:
    is_own = one.purpose not in _BORROWERS
    return is_own and one.phone is not None and (one.phone, one.purpose) == (other.phone, other.purpose)
