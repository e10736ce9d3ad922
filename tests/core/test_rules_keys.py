"""The rules beside the table: when two deliveries or wishes are the same, and when a report is tried again."""

from dataclasses import replace
from typing import Any

import pytest

from service.core import model as m
from service.core.rules import OUTCOME_EXIT_CODES, Minted, action_for, report_wait_seconds
from tests.core.limits import with_limits
from tests.core.scenes import AGENT, BY_ID, BY_PHONE, CALLER, CONVERSATION, NOW, ORG, PHONE

WISH = m.Removal(CONVERSATION, BY_PHONE)


def offer(
    wish: m.Removal = WISH,
    *,
    body: bytes = b"{}",
    signed_id: str = "",
    source: str = "desk",
    org: str = ORG,
    under: m.Terms | None = None,
) -> m.Offer:
    """The action that a delivery asks for."""
    terms = m.SourceTerms(source, org, 120.0, ("ticket", "webhook"))
    verified = m.Verified(signed_id, None, "01234567")
    entries = (m.Entry("verify", NOW),)
    delivery, minted = m.Delivery(source, (), body, NOW), Minted("main.id", "key")
    return action_for(wish, delivery, verified, terms, under or m.Terms(), minted, entries)


def test_an_offer_carries_what_was_asked() -> None:
    """Nothing of the removal, the source's terms, the minted names and the timeline is lost or changed."""
    made = offer()
    assert (made.action_id, made.key, made.org, made.source) == ("main.id", "key", ORG, "desk")
    assert (made.removal, made.max_age_seconds, made.channels) == (WISH, 120.0, ("ticket", "webhook"))
    assert made.entries == (m.Entry("verify", NOW),)


def test_the_same_signed_id_is_the_same_delivery() -> None:
    """A signed id makes two deliveries one whatever their bodies, and the bodies' hash tells that they differ."""
    one, two = offer(signed_id="msg_1", body=b"{}"), offer(signed_id="msg_1", body=b"{ }")
    assert one.delivery_key == two.delivery_key
    assert one.body_hash != two.body_hash
    assert not one.is_hash_only


def test_an_event_id_names_a_delivery_whose_signature_names_none() -> None:
    """The event id of the body counts where the signed bytes carry no id, and gives way to one that they carry."""
    event = replace(WISH, event_id="evt_1")
    assert offer(event, body=b"1").delivery_key == offer(event, body=b"2").delivery_key
    assert offer(event, signed_id="msg_1").delivery_key == offer(signed_id="msg_1").delivery_key
    assert not offer(event).is_hash_only


def test_a_delivery_without_any_id_is_its_body() -> None:
    """Without an id the body's bytes decide, and the offer says that it rests on them alone."""
    assert offer(body=b"1").delivery_key == offer(body=b"1").delivery_key != offer(body=b"2").delivery_key
    assert offer().is_hash_only


def test_no_id_can_pretend_to_be_another_kind_of_key() -> None:
    """An id that reads like a body's hash, or that runs into the source's name, makes another key."""
    plain = offer(body=b"1")
    keys = [
        plain.delivery_key,
        offer(signed_id=plain.body_hash).delivery_key,
        offer(signed_id="a", source="desk").delivery_key,
        offer(signed_id="ka", source="des").delivery_key,
        offer(signed_id="2:id1:a", source="desk").delivery_key,
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    "other",
    [
        offer(replace(WISH, conversation_id=AGENT)),
        offer(replace(WISH, selector=BY_ID)),
        offer(replace(WISH, selector=m.Selector(m.SelectorKind.USER_ID, PHONE))),
        offer(replace(WISH, selector=m.Selector(m.SelectorKind.PHONE, "+14155550124"))),
        offer(replace(WISH, medium=m.Medium.VOICE)),
        offer(replace(WISH, identity=m.Selector(m.SelectorKind.PARTICIPANT_ID, CALLER))),
        offer(org="second"),
    ],
)
def test_another_wish(other: m.Offer) -> None:
    """Another org, conversation, person, way or second way to name the person, or medium is another wish."""
    assert other.intent_key != offer().intent_key


@pytest.mark.parametrize(
    "same",
    [
        replace(WISH, ticket=m.Ticket("incident/2", "INC2")),
        replace(WISH, requester="somebody else", reason="again"),
        replace(WISH, event_at=NOW, event_id="evt_2"),
    ],
)
def test_the_same_wish(same: m.Removal) -> None:
    """Who asks, on which ticket, when and why does not make another wish; neither does the source."""
    assert offer(same, source="second").intent_key == offer().intent_key


@pytest.mark.parametrize(
    "said",
    [
        {"purposes": frozenset({"external"})},
        {"queues": frozenset({AGENT})},
        {"divisions": frozenset({"Sales"})},
        {"last_pair": "refuse"},
        {"supervisors": "refuse"},
    ],
)
def test_what_a_source_refuses_ends_no_wish_of_another(said: dict[str, Any]) -> None:
    """Sources that refuse the same share a wish; what one refuses on top of its org is decided for it alone."""
    under = with_limits("narrowed_by", **said)
    assert offer(under=under).intent_key == offer(under=under, source="second").intent_key
    assert offer(under=under).intent_key != offer().intent_key
    assert offer(under=with_limits("policy", **said)).intent_key == offer().intent_key


def test_a_preview_shares_no_wish() -> None:
    """A preview never joins, and is never joined by, a removal that is meant."""
    assert offer(replace(WISH, preview=True)).intent_key is None


@pytest.mark.parametrize("section", ["policy", "narrowed_by"])
def test_who_may_not_ask_shares_no_wish(section: str) -> None:
    """The wish of a requester who is not on the list joins nothing that is meant; one on the list shares it as ever."""
    under = with_limits(section, requesters=frozenset({"Beth.Anglin"}))
    assert offer(replace(WISH, requester="mallory"), under=under).intent_key is None
    assert offer(WISH, under=under).intent_key is None
    assert offer(replace(WISH, requester="beth.anglin"), under=under).intent_key == offer().intent_key


@pytest.mark.parametrize("under", [m.Terms(is_live=False), m.Terms(narrowed_by=m.Limits(is_live=False))])
def test_a_click_that_counts_shares_nothing_with_one_in_shadow(under: m.Terms) -> None:
    """What was asked in shadow says so and is shared by others in shadow; no live click ends with it as a preview."""
    shadow, live = offer(under=under), offer()
    assert (shadow.is_shadow, live.is_shadow) == (True, False)
    assert shadow.intent_key == offer(under=m.Terms(is_live=False)).intent_key not in {None, live.intent_key}


@pytest.mark.parametrize("section", ["policy", "narrowed_by"])
def test_whose_actions_are_counted(section: str) -> None:
    """With a rate, actions are counted by source and requester, however the name is written; not without one."""
    under = with_limits(section, requester_rate=3)
    by_beth = offer(replace(WISH, requester="Beth"), under=under)
    assert by_beth.requester_rate == 3
    assert by_beth.requester_key == offer(replace(WISH, requester="beth"), under=under).requester_key != ""
    assert by_beth.requester_key != offer(replace(WISH, requester="beth"), source="second", under=under).requester_key
    assert by_beth.requester_key != offer(WISH, under=under).requester_key
    assert offer(replace(WISH, requester="Beth")).requester_key == ""


def test_what_is_not_counted() -> None:
    """Neither a preview nor what its requester may not ask anyhow takes from a requester's rate."""
    under = with_limits("policy", requester_rate=3, requesters=frozenset({"beth"}))
    assert offer(replace(WISH, requester="beth", preview=True), under=under).requester_key == ""
    assert offer(replace(WISH, requester="mallory"), under=under).requester_key == ""


@pytest.mark.parametrize(
    "tries, age, floor, wait",
    [
        (0, 0, 0, 1.0),
        (1, 0, 0, 1.0),
        (2, 1, 0, 2.0),
        (10, 1000, 0, 512.0),
        (11, 1000, 0, 900.0),
        (10**9, 1000, 0, 900.0),
        (1, 0, 30, 30.0),
        (11, 0, 1000, 1000.0),
        (1, -5, 0, 1.0),
        (1, 86_399.999, 0, 1.0),
        (1, 86_400, 0, None),
        (9, 10**9, 60, None),
    ],
)
def test_when_a_report_is_tried_again(tries: int, age: float, floor: float, wait: float | None) -> None:
    """After 1 s doubling to 15 min, never before the desk's Retry-After, and for 24 h."""
    assert report_wait_seconds(tries, age, floor) == wait


def test_exit_codes() -> None:
    """0 means that the person is out, or would be; each other kind has its own code, from 10, and keeps it."""
    assert [(kind.value, OUTCOME_EXIT_CODES[kind]) for kind in m.OutcomeKind] == [
        ("disconnected", 0),
        ("already_gone", 0),
        ("not_found", 10),
        ("refused", 11),
        ("expired", 12),
        ("failed", 13),
        ("unknown", 14),
        ("previewed", 0),
    ]
