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

# The ani of these is the caller's number too, so none of them is known by a number, allowed by a policy or not.
_BORROWED_NUMBER = SYSTEM_PURPOSES | {"agent", "user", "group", "station"}


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
    """

    view: View
    person: m.Participant | None = None
    candidates: tuple[m.Participant, ...] = ()
    is_contradictory: bool = False

    @property
    def target(self) -> m.Target | None:
        """The participant and its present legs, for PRESENT only."""
        person = self.person
        if self.view is not View.PRESENT or person is None:
            return None
        legs = [leg for leg in person.legs if not leg.is_ended]
        voice = [leg.medium for leg in legs if leg.medium is m.Medium.VOICE]
        medium = (*voice, *(leg.medium for leg in legs))[0]
        return m.Target(person.id, tuple(leg.id for leg in legs), person.purpose, medium, person.user_id)


_BLIND: Mapping[type[m.Sight], View] = {
    m.NotFound: View.NO_CONVERSATION,
    m.Forbidden: View.FORBIDDEN,
    m.CannotSee: View.CANNOT_SEE,
    m.NoSight: View.REJECTED,
}

# A phone is matched within allowed purposes only, and never on a leg that carries the caller's number.
_FITS: Mapping[m.SelectorKind, Callable[[m.Participant, str, m.Policy], bool]] = {
    m.SelectorKind.PARTICIPANT_ID: lambda p, value, _: p.id == value,
    m.SelectorKind.PHONE: lambda p, value, policy: (
        p.phone == value and p.purpose in policy.purposes and p.purpose not in _BORROWED_NUMBER
    ),
    m.SelectorKind.USER_ID: lambda p, value, _: p.user_id == value,
    m.SelectorKind.EXTERNAL_CONTACT_ID: lambda p, value, _: p.external_contact_id == value,
    m.SelectorKind.COMMUNICATION_ID: lambda p, value, _: any(leg.id == value for leg in p.legs),
    m.SelectorKind.PURPOSE: lambda p, value, policy: p.purpose == value and value in policy.purposes,
    m.SelectorKind.ATTRIBUTE: lambda p, value, _: value in {f"{key}={said}" for key, said in p.attributes},
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
    people = _within(removal.medium, sight.participants)
    return _pinned(people, pin) if pin else _named(removal, people, policy, clicked_at)


def _within(medium: m.Medium | None, people: Iterable[m.Participant]) -> list[m.Participant]:
    """Return `people` as far as `medium` goes, so that a leg of another one neither keeps nor makes them present."""
    if medium is None:
        return list(people)
    cut = [(p, tuple(leg for leg in p.legs if leg.medium is medium)) for p in people]
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
    found = _fitting(removal.selector, people, policy)
    if removal.identity:
        same = _fitting(removal.identity, people, policy)
        both = [p for p in found if p in same]
        if found and not both:
            found = [p for p in found if not _denies(p, removal.identity)]
            if same or not found:
                meant = _fitting(removal.selector, people, policy)
                return Selection(View.SEVERAL, candidates=_by_id([*meant, *same]), is_contradictory=True)
        found = both or found or same
    if not found:
        return Selection(View.NOBODY)
    gone = [p for p in found if p.is_gone]
    present = [p for p in found if p.is_present]
    if gone and clicked_at is not None:
        # an old click is not for who came back: the person it meant has left, this one joined after it
        present = [p for p in present if p.joined_at <= clicked_at]
    if not present:
        starting = [p for p in found if not p.is_gone and not p.is_present]
        return Selection(View.NO_LEGS, _newest(starting)) if starting else Selection(View.ONLY_GONE, _newest(gone))
    return _one_of(present, removal.medium or m.Medium.VOICE)


def _one_of(present: list[m.Participant], medium: m.Medium) -> Selection:
    in_medium = [p for p in present if any(leg.medium is medium and not leg.is_ended for leg in p.legs)]
    rest = in_medium or present
    users = {p.user_id for p in rest}
    # One user can stand several times in a conversation (unanswered alert, re-entry): the newest is the real one.
    if len(rest) == 1 or (len(users) == 1 and "" not in users):
        return Selection(View.PRESENT, _newest(rest))
    return Selection(View.SEVERAL, candidates=_by_id(rest))


def _fitting(selector: m.Selector, people: list[m.Participant], policy: m.Policy) -> list[m.Participant]:
    fits = _FITS[selector.kind]
    # an empty value would name everybody who has no user or contact
    return [p for p in people if selector.value and fits(p, selector.value, policy)]


def _denies(person: m.Participant, identity: m.Selector) -> bool:
    """Whether what is known of `person` is another than `identity` says; what is not known denies nothing."""
    known = {
        m.SelectorKind.PHONE: None if person.purpose in _BORROWED_NUMBER else person.phone,
        m.SelectorKind.USER_ID: person.user_id,
        m.SelectorKind.EXTERNAL_CONTACT_ID: person.external_contact_id,
        m.SelectorKind.PARTICIPANT_ID: person.id,
    }.get(identity.kind)
    return bool(known) and known != identity.value


def _newest(people: Iterable[m.Participant]) -> m.Participant:
    return max(people, key=lambda p: (p.joined_at, p.id))


def _by_id(people: Iterable[m.Participant]) -> tuple[m.Participant, ...]:
    return tuple(sorted({p.id: p for p in people}.values(), key=lambda p: p.id))


def bystanders(sight: m.Sight | None, target_id: str) -> dict[str, str]:
    """Return participant id → purpose of everybody present but the target; system legs are nobody."""
    if not isinstance(sight, m.Conversation):
        return {}
    return {
        p.id: p.purpose
        for p in sight.participants
        if p.is_present and p.id != target_id and p.purpose not in SYSTEM_PURPOSES
    }


def company(sight: m.Sight | None, target_id: str) -> int:
    """Return how many people besides the target are present; one user's several entries are one."""
    if not isinstance(sight, m.Conversation):
        return 0
    others = bystanders(sight, target_id)
    return len({p.user_id or p.id for p in sight.participants if p.id in others})


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
        p.is_present
        and p.id != person.id
        and p.id not in before
        and (
            (p.user_id != "" and p.user_id == person.user_id)
            or (p.external_contact_id != "" and p.external_contact_id == person.external_contact_id)
            or _is_same_number(p, person)
        )
        for p in sight.participants
    )


def _is_same_number(one: m.Participant, other: m.Participant) -> bool:
    is_own = one.purpose not in _BORROWED_NUMBER
    return is_own and one.phone is not None and (one.phone, one.purpose) == (other.phone, other.purpose)
