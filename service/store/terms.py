"""By which words an action is found: each a short digest, so that an index of them takes little room.

A digest says where to look and never what is there: whether an action is meant is told by its record (`names`). So it
may be short, and of two words that share one, neither is shown for the other.

The kind of a word is no part of it: who searches has one box, and does not say what it is that was pasted there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

from service.core import model as m

# whoever has it knows no word by it that could not be guessed; 128 bits: no two words meet
WHOLE_HEX = 32
# of those so many stand in the index (TERM_CHARS in the scripts' prologue): with a million actions a search meets three
# of other words on its way, and each is told by its record
TERM_HEX = 7
# and so many in the record that it leads to, of what that has no word for (ALSO_CHARS in accept.lua)
ALSO_HEX = 16
_FOUR = re.compile(r"[0-9]{4}\Z", re.ASCII)
# what a batch puts behind the id that all its parts share
_PART = re.compile(r":[0-9]+\Z", re.ASCII)
# of an id: ten characters of time, as the one who makes them writes it (wiring's dice): a ULID in lower case
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_CHARS = 10
_LAST_MS = 2**48 - 1


def whole(word: str) -> str:
    """Return the digest of a word: of a path like `incident/9d38…` its last part, without regard to case or blanks."""
    return _digest(_tail(_plain(word)))


def of_offer(offer: m.Offer) -> tuple[str, str]:
    """Return the digests that an offer's action is found by, and of those the ones that its record has no word for."""
    known = _digests(_words(offer.removal))
    more = dict.fromkeys(one for one in _digests(_delivery(offer.delivery_id)) if one not in known)
    return " ".join([*known, *more]), " ".join(one[:ALSO_HEX] for one in more)


def of_pin(pin: m.Target | None) -> str:
    """Return the digests that an action is found by once a look said who is meant."""
    return " ".join(_digests(_pinned(pin)))


def names(action: m.Action, also: str, text: str) -> bool:
    """Whether `text` names the action: by a word of its record, or by one of those digests that stand in it."""
    sought = _plain(text)
    words = [_plain(word) for word in (*_words(action.removal), *_pinned(action.progress.pin))]
    return any(sought in (word, _tail(word)) for word in words) or any(map(whole(text).startswith, also.split()))


def moment(at: int) -> str:
    """Return what the part after the org of each id made then or later sorts behind."""
    number = min(max(at, 0), _LAST_MS)
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(5 * _TIME_CHARS - 5, -1, -5))


def moment_of(action_id: str) -> int:
    """Return the moment in an action's id; what is no digit of it counts as none (`moment_of` in the scripts too)."""
    at = 0
    for char in action_id.rpartition(".")[2][:_TIME_CHARS]:
        at = at * 32 + max(_CROCKFORD.find(char), 0)
    return at


def _plain(word: str) -> str:
    return word.strip().casefold()


def _tail(word: str) -> str:
    return word.rpartition("/")[2] or word


def _digests(words: Iterable[str]) -> dict[str, None]:
    """Return the digest of each word once, in their order."""
    # each word once before it is made a digest: most deliveries name the same thing in two or three ways
    tails = dict.fromkeys([_tail(plain) for word in words if word and (plain := _plain(word))])
    return dict.fromkeys(map(_digest, tails))


def _digest(tail: str) -> str:
    return hashlib.sha256(tail.encode()).hexdigest()[:WHOLE_HEX]


def _words(removal: m.Removal) -> Iterator[str]:
    """Return the words of a removal; the same ones whether its numbers were cut already or not."""
    yield removal.conversation_id
    for one in (removal.selector, removal.identity):
        if one is not None:
            yield from _meant(one)
    if removal.ticket is not None:
        yield removal.ticket.reference
        yield removal.ticket.label
    yield removal.requester
    yield from _delivery(removal.event_id)


def _meant(one: m.Selector) -> Iterator[str]:
    match one.kind:
        case m.SelectorKind.PURPOSE:
            return  # half of all people are customers
        case m.SelectorKind.PHONE | m.SelectorKind.ATTRIBUTE:
            if four := _FOUR.search(one.masked.value):
                yield four[0]
        case _:
            yield one.value


def _pinned(pin: m.Target | None) -> Iterator[str]:
    if pin is not None:
        yield pin.participant_id
        yield pin.communication_id


def _delivery(delivery_id: str) -> Iterator[str]:
    yield delivery_id
    if ":" in delivery_id:
        yield _PART.sub("", delivery_id)
