"""An offer in the words of the script, which says in its head what stands where; and each of the script's answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.core import model as m
from service.core.errors import BacklogFull, Conflicting, OnhookError, TooMany, UnknownVersion
from service.store.keys import Keys, Lives
from service.store.offering import Offering, receipt_in
from service.store.script import Reply
from service.store.tags import Tags
from tests.fixtures.redis import CountingDice
from tests.store.stories import ORG, offered

KEYS = Keys()
OFFERING = Offering(KEYS, Lives(), Tags({ORG: "a client secret"}))


def words(offer: m.Offer) -> list[str]:
    """Return ARGV as the script counts it, from 1."""
    return ["", "now", "base", *OFFERING.words_of(offer)[1]]


def test_every_key_of_a_new_action_is_named(dice: CountingDice) -> None:
    """The keys are those of the action that is offered, of its delivery, and of its wish where that is shared."""
    offer = offered(dice)
    due, delivery, action, timeline, deliveries, intent = OFFERING.words_of(offer)[0]
    assert (due, delivery) == (KEYS.due_removals(ORG), KEYS.delivery(ORG, offer.delivery_key))
    assert (action, timeline) == (KEYS.action(offer.action_id), KEYS.timeline(offer.action_id))
    assert deliveries == KEYS.deliveries(offer.action_id)
    assert intent == KEYS.intent(ORG, words(offer)[23]), "of the digest that the script hears"
    assert intent != KEYS.intent(ORG, offer.intent_key or ""), "which nobody can make who has not the secret"
    assert OFFERING.words_of(replace(offer, intent_key=None))[0] == [due, delivery, action, timeline, deliveries]


def test_what_is_kept_after_the_end(dice: CountingDice) -> None:
    """A number is said as it is and as it is kept after the end; what has none is said once."""
    offer = offered(dice)
    phone = m.Selector(m.SelectorKind.PHONE, "+14155550123")
    told = words(replace(offer, removal=replace(offer.removal, selector=phone, event_at=5)))
    assert ["+14155550123" in told[16], "…0123" in told[17], told[18]] == [True, True, "5"]
    somebody = m.Selector(m.SelectorKind.PARTICIPANT_ID, offer.removal.conversation_id)
    told = words(replace(offer, removal=replace(offer.removal, selector=somebody, identity=None, event_at=None)))
    assert told[17:19] == ["", ""]


def test_an_offer_says_what_the_script_counts(dice: CountingDice) -> None:
    """Who asked, how much may be asked, and of which trace it is, stand at the places that the script says."""
    bounds = m.Bounds(rate=7, backlog=8, runaway=9, clicker="c" * 64)
    trace = m.Trace("a" * 32, "b" * 16)
    offer = replace(offered(dice), bounds=bounds, requester_key="d" * 64, requester_rate=3, asked_in=trace)
    told = words(replace(offer, is_shadow=True, replay_of="the old one", is_hash_only=True))
    assert told[12:15] == [offer.action_id, offer.key, offer.source]
    assert told[20:23] == [offer.delivery_key, offer.body_hash, "1"]
    assert [*told[24:28], *told[29:33]] == ["the old one", "1", "d" * 64, "3", "7", "8", "9", "c" * 64]
    assert told[35] == trace.traceparent


@pytest.mark.parametrize(
    "reply, fault",
    [(["conflict"], Conflicting), (["full"], BacklogFull), (["unknown"], UnknownVersion)],
)
def test_each_no(reply: Reply, fault: type[OnhookError]) -> None:
    """Each no of the script is an error of its own."""
    with pytest.raises(fault):
        receipt_in(reply)


def test_too_many() -> None:
    """Who sent too much hears after how many whole seconds he will be taken: never too few."""
    with pytest.raises(TooMany, match="again in 2 s") as raised:
        receipt_in(["too many", "1000001"])
    assert raised.value.retry_after_seconds == 2


def test_a_yes() -> None:
    """A yes is the receipt, with the outcome where the action has ended."""
    assert receipt_in(["ok", "", "acme.x", "key", "", "1"]) == m.Receipt("acme.x", "key", "", None, is_runaway=True)
