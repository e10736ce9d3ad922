"""The words an action is found by: what counts as one, and which action a text names."""

from __future__ import annotations

import dataclasses

import pytest

from service.core import model as m
from service.store import records, terms
from service.store.script import FOLDER
from service.wiring.machine import SystemClock, SystemDice
from tests.fixtures.redis import CountingDice
from tests.store.stories import ORG, offered, uuid

TICKET = m.Ticket("incident/9D38", "INC0010112")
ASKED = {
    "selector": m.Selector(m.SelectorKind.PARTICIPANT_ID, uuid(2)),
    "identity": m.Selector(m.SelectorKind.PHONE, "+14155550123"),
    "ticket": TICKET,
    "requester": "Beth.Anglin",
    "event_id": "evt-1",
    "reason": "abusive",
}
FOUND_BY = [uuid(1), uuid(2), "0123", "incident/9d38", "9d38", "inc0010112", "beth.anglin", " BETH.ANGLIN ", "EVT-1"]
NOT_FOUND_BY = ["", "abusive", "incident", "beth", "+14155550123", "123", "00123", "customer", "9d3", uuid(3), "…0123"]


def _action(offer: m.Offer, *, is_cut: bool, pin: m.Target | None = None) -> m.Action:
    removal = records.masked(offer.removal) if is_cut else offer.removal
    return m.Action(offer.action_id, ORG, "desk", removal, 1, 1, 1, progress=m.Progress(pin=pin))


@pytest.mark.parametrize("is_cut", [False, True], ids=["open", "ended"])
def test_what_an_action_is_found_by(is_cut: bool) -> None:
    """The ids, the last four digits, ticket and label, who asked and the delivery name it, whatever the case."""
    offer = offered(CountingDice(), **ASKED, delivery_id="evt-1")
    action, (digests, also) = _action(offer, is_cut=is_cut), terms.of_offer(offer)
    assert also == ""
    assert {terms.whole(word) for word in FOUND_BY} == set(digests.split())
    assert all(terms.names(action, also, word) for word in FOUND_BY)
    assert not any(terms.names(action, also, word) for word in NOT_FOUND_BY if word)
    assert not {terms.whole(word) for word in NOT_FOUND_BY} & set(digests.split())


@pytest.mark.parametrize(
    "kind, value, found_by",
    [
        (m.SelectorKind.PHONE, "+14155550123", ["0123"]),
        (m.SelectorKind.ATTRIBUTE, "caller=+14155550199", ["0199"]),
        (m.SelectorKind.ATTRIBUTE, "caller=0199", []),
        (m.SelectorKind.ATTRIBUTE, "vip=yes indeed", []),
        (m.SelectorKind.PURPOSE, "customer", []),
        (m.SelectorKind.COMMUNICATION_ID, uuid(7), [uuid(7)]),
        (m.SelectorKind.USER_ID, uuid(8), [uuid(8)]),
        (m.SelectorKind.EXTERNAL_CONTACT_ID, uuid(9), [uuid(9)]),
    ],
)
def test_how_the_person_is_found(kind: m.SelectorKind, value: str, found_by: list[str]) -> None:
    """An id finds the person, of a number its last four digits, cut or whole; what fits half of all people does not."""
    asked = {"selector": m.Selector(kind, value), "ticket": None}
    offer = offered(CountingDice(), **asked)
    expected = {terms.whole(word) for word in [uuid(1), *found_by]}
    assert set(terms.of_offer(offer)[0].split()) == expected
    kept = dataclasses.replace(offer, removal=records.masked(offer.removal))
    assert set(terms.of_offer(kept)[0].split()) == expected


def test_a_delivery_that_stands_in_a_header() -> None:
    """An id that no word of the record has is kept as a digest; of a batch's part also the one that all share."""
    offer = offered(CountingDice(), delivery_id="msg_2:1")
    digests, also = terms.of_offer(offer)
    whole = [terms.whole("msg_2:1"), terms.whole("msg_2")]
    assert also.split() == [one[: terms.ALSO_HEX] for one in whole]
    assert digests.endswith(" ".join(whole))
    assert f"ALSO_CHARS = 32, {terms.ALSO_HEX}" in (FOLDER / "accept.lua").read_text()
    assert f"TERM_CHARS = 26, 6, {terms.TERM_HEX}" in (FOLDER / "prologue.lua").read_text()
    action = _action(offer, is_cut=True)
    assert terms.names(action, also, "MSG_2")
    assert terms.names(action, " ".join(whole), "msg_2")  # as the first version kept it
    assert not terms.names(action, "", "msg_2")
    assert not terms.names(action, also, "msg_")


def test_who_was_pinned() -> None:
    """Once a look said who is meant, the action is found by that participant, and by the leg where one leg is meant."""
    offer, pin = offered(CountingDice()), m.Target(uuid(5), (uuid(6),), communication_id=uuid(6))
    assert terms.of_pin(None) == ""
    assert terms.of_pin(pin).split() == [terms.whole(uuid(5)), terms.whole(uuid(6))]
    assert terms.of_pin(dataclasses.replace(pin, communication_id="")) == terms.whole(uuid(5))
    assert terms.names(_action(offer, is_cut=True, pin=pin), "", uuid(6))
    assert not terms.names(_action(offer, is_cut=True), "", uuid(6))


def test_a_moment_sorts_as_ids_do() -> None:
    """An id that is made at a moment sorts behind that moment's word, and before the word of a later one."""
    clock = SystemClock()
    before = clock.now()
    part = SystemDice(clock).action_id(ORG).rpartition(".")[2]
    assert terms.moment(before) <= part < terms.moment(clock.now() + 1)
    assert [terms.moment(at) for at in (-1, 0, 31, 32, 10**30)] == [
        "0000000000",
        "0000000000",
        "000000000z",
        "0000000010",
        "7zzzzzzzzz",
    ]
