"""What the settings forbid: one table. Org and source are asked both, so that a source can never widen its org's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from service.core import model as m
from service.core.selection import company

BYSTANDERS_ALONE = 1  # one left is a call that ends by itself
# how somebody takes part who watches over others; the platform may list what he was before as well
SUPERVISING = frozenset({"monitor", "coach", "barge"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a removal a policy may look at; None for what is not known yet, of which nothing is forbidden."""

    requester: str
    conversation: m.Conversation | None = None
    person: m.Participant | None = None


class Ground(NamedTuple):
    """One ground of refusal: the outcome's reason, the setting that asks for it, and when it does."""

    reason: str
    setting: str
    forbids: Callable[[m.Limits, Asked], bool]


def _requester(limits: m.Limits, asked: Asked) -> bool:
    return bool(limits.requesters) and asked.requester.casefold() not in {it.casefold() for it in limits.requesters}


def _queue(limits: m.Limits, asked: Asked) -> bool:
    people = asked.conversation.participants if asked.conversation else ()
    return bool(limits.queues and people) and limits.queues.isdisjoint(person.queue_id for person in people)


def _division(limits: m.Limits, asked: Asked) -> bool:
    if asked.conversation is None or not limits.divisions:
        return False
    shown = {word.casefold() for it in asked.conversation.divisions for word in (it.id, it.name) if word}
    return shown.isdisjoint(word.casefold() for word in limits.divisions)


def _purpose(limits: m.Limits, asked: Asked) -> bool:
    # an unknown purpose is none of those allowed, and a system leg's only where somebody wrote it down
    return asked.person is not None and limits.purposes is not None and asked.person.purpose not in limits.purposes


def _supervisor(limits: m.Limits, asked: Asked) -> bool:
    return (
        limits.supervisors == "refuse"
        and asked.person is not None
        and not SUPERVISING.isdisjoint(asked.person.media_roles)
    )


def _last_pair(limits: m.Limits, asked: Asked) -> bool:
    return (
        limits.last_pair == "refuse"
        and asked.person is not None
        and company(asked.conversation, asked.person.id) <= BYSTANDERS_ALONE
    )


# The first that forbids names the reason: who asks, then where, then whom.
GROUNDS: tuple[Ground, ...] = (
    Ground("requester", "requesters", _requester),
    Ground("queue", "queues", _queue),
    Ground("division", "divisions", _division),
    Ground("purpose", "purposes", _purpose),
    Ground("supervisor", "supervisors", _supervisor),
    Ground("last_pair", "last_pair", _last_pair),
)


class Refusal(NamedTuple):
    """Why something is refused, and the setting that would allow it (`a + b` where it takes both)."""

    reason: str
    allowed_by: str


def refusal(terms: m.Terms, org: str, source: str, asked: Asked) -> Refusal | None:
    """Return what forbids `asked`, or None where neither the org nor the source does."""
    # of who asks alone nothing else can be forbidden, and that is asked for each webhook
    if not (asked.person or asked.conversation or terms.policy.requesters or terms.narrowed_by.requesters):
        return None
    sections = ((f"orgs.{org}", terms.policy), (f"sources.{source}", terms.narrowed_by))
    for ground in GROUNDS:
        named = [f"{name}.{ground.setting}" for name, limits in sections if ground.forbids(limits, asked)]
        if named:
            return Refusal(ground.reason, " + ".join(named))
    return None


def over_rate(terms: m.Terms, org: str, source: str, _: Asked) -> Refusal:
    """Return the refusal of who asked for more than his rate: the smaller rate is the one in the way."""
    is_own = 0 < terms.narrowed_by.requester_rate == terms.requester_rate
    return Refusal("requester_rate", f"{f'sources.{source}' if is_own else f'orgs.{org}'}.requester_rate")


def bounds_of(offer: m.Offer, terms: m.SourceTerms, backlog: int) -> m.Bounds:
    """Return the bounds of what a source offers.

    By requester only that is counted which may remove somebody: no preview, and nothing of who may not ask at all, so
    that he cannot stop those who may. Who is not named is one requester: a script that names nobody runs away too.

    Args:
        offer: what is asked.
        terms: of its source.
        backlog: how many actions of its org may be open; 0 for any number.
    """
    is_counted = terms.runaway > 0 and offer.intent_key is not None
    return m.Bounds(
        rate=terms.rate,
        backlog=backlog,
        runaway=terms.runaway if is_counted else 0,
        clicker=_clicker(terms.name, offer.removal.requester) if is_counted else "",
    )


def _clicker(source: str, requester: str) -> str:
    # the source's name has no blank in it, so no two pairs read the same
    return hashlib.sha256(f"{source} {requester.casefold()}".encode()).hexdigest()
