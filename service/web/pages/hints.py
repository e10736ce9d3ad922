"""What to look at when nobody was removed though somebody should have been: the usual mistakes in what a ticket sends.

An outcome's words say what was found. Here stands what the action itself gives away of why: the ticket's own fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from service.core import model as m

_IDS = frozenset(
    {
        m.SelectorKind.PARTICIPANT_ID,
        m.SelectorKind.COMMUNICATION_ID,
        m.SelectorKind.USER_ID,
        m.SelectorKind.EXTERNAL_CONTACT_ID,
    }
)
# those that the platform makes anew when a call is transferred, or begins again
_PASSING = frozenset({m.SelectorKind.PARTICIPANT_ID, m.SelectorKind.COMMUNICATION_ID})


class Hint(NamedTuple):
    """When it fits, and what it says."""

    fits: Callable[[m.Action, m.Outcome], bool]
    words: str


def _nobody(outcome: m.Outcome) -> bool:
    return outcome.kind is m.OutcomeKind.NOT_FOUND and outcome.reason != "conversation"


HINTS = (
    Hint(
        lambda action, outcome: _nobody(outcome) and action.removal.medium is not None,
        "The ticket asks for somebody who is there by {medium}; whoever is there by another medium is not meant. If "
        "that is the wrong one, correct the field `medium` in the sender, or leave it out.",
    ),
    Hint(
        lambda action, outcome: (
            _nobody(outcome) and action.removal.selector.kind in _PASSING and action.removal.identity is None
        ),
        "The ticket names the person by {way} alone, and nobody in this conversation has it. Such an id is of one leg "
        "of one call: it is another after a transfer, or in the next call. Let the sender read it when somebody "
        "clicks, not when the ticket is opened, or send the number beside it: `caller_phone`.",
    ),
    Hint(
        lambda action, outcome: (
            _nobody(outcome) and action.removal.selector.kind is m.SelectorKind.PHONE and action.removal.medium is None
        ),
        "The ticket names the person by number. The call may show another one, or none: see in Genesys Cloud which the "
        "caller has there, and whether the ticket's field holds it with its country code.",
    ),
    Hint(
        lambda action, outcome: (
            outcome.kind is m.OutcomeKind.ALREADY_GONE
            and action.removal.selector.kind in _IDS
            and bool(outcome.remaining.get(outcome.purpose))
        ),
        "Whoever had this {way} has left, and somebody else with the role “{purpose}” is there. If that is the same "
        "person, as after a transfer, the id on the ticket is old: click again once the ticket has the new one, or let "
        "the sender send the number beside it: `caller_phone`.",
    ),
    Hint(
        lambda _, outcome: outcome.kind is m.OutcomeKind.NOT_FOUND and outcome.reason == "conversation",
        "The conversation's id is of no conversation of org {org}. In ServiceNow it is OpenFrame's clientSessionId; an "
        "interaction's sys_id, or the id of a record, is another one. A source asks of its own org alone: see whether "
        "this call is another org's.",
    ),
)


def hints(action: m.Action) -> tuple[str, ...]:
    """Return what the action itself gives away of why nobody was removed; nothing where it gives nothing away."""
    outcome, removal = action.outcome, action.removal
    if outcome is None:
        return ()
    holes: Mapping[str, str] = {
        "medium": removal.medium.name.lower().replace("_", " ") if removal.medium else "",
        "way": removal.selector.kind.value.replace("_", " "),
        "purpose": outcome.purpose,
        "org": action.org,
    }
    return tuple(_filled(one.words, holes) for one in HINTS if one.fits(action, outcome))


def _filled(words: str, holes: Mapping[str, str]) -> str:
    for name, text in holes.items():
        words = words.replace(f"{{{name}}}", text)
    return words
