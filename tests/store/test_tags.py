"""A number that was cut is found again by who has the org's secret, and by nobody else."""

from __future__ import annotations

import hashlib

import pytest

from service.core import model as m
from service.store.tags import Tags, is_alike
from tests.store.stories import ORG, PHONE, uuid

NUMBER = PHONE.value
TAGS = Tags({ORG: "a secret", "other": "a secret"})


def _of(selector: m.Selector, identity: m.Selector | None = None) -> m.Removal:
    return m.Removal(uuid(1), selector, identity)


def _attribute(value: str) -> m.Selector:
    return m.Selector(m.SelectorKind.ATTRIBUTE, value)


def _by_id() -> m.Selector:
    return m.Selector(m.SelectorKind.PARTICIPANT_ID, uuid(2))


@pytest.mark.parametrize(
    "removal",
    [
        _of(PHONE),
        _of(_by_id(), PHONE),
        _of(_attribute("callback=+1 (415) 555-0123")),
        _of(PHONE, _attribute("a=Beth")),
        m.Removal(uuid(1), _by_id(), reason="calls from +44 20 7946 0123 and +1 415 555-0123 all day"),
    ],
)
def test_a_number_is_found_again(removal: m.Removal) -> None:
    """Whichever way a number is named, it is told by its tag, and another one is not."""
    tags = TAGS.of(ORG, removal)
    assert TAGS.tells(ORG, tags)
    assert TAGS.has(ORG, tags, NUMBER)
    assert not TAGS.has(ORG, tags, "+14155550124")
    assert not TAGS.has(ORG, tags, tags.partition(" ")[0])


def test_nobody_else_can_tell() -> None:
    """A tag is no plain hash of the number; another secret, or another org with the same one, makes another."""
    tags = TAGS.of(ORG, _of(PHONE))
    assert NUMBER not in tags
    for plain in (hashlib.sha256, hashlib.sha1, hashlib.md5):
        for written in (NUMBER, NUMBER[1:]):
            assert plain(written.encode()).hexdigest()[:32] not in tags
    for org, other in ((ORG, Tags({ORG: "another"})), ("other", TAGS)):
        assert not other.tells(org, tags)
        assert not other.has(org, tags, NUMBER)


@pytest.mark.parametrize("value", ["a=415 555 0123", "a=x +14155550123 y"])
def test_what_cannot_be_told_is_not_tagged(value: str) -> None:
    """What may well be a number and is not written as one has no tag: its last four digits must do."""
    assert TAGS.of(ORG, _of(_attribute(value))) == ""
    assert not TAGS.tells(ORG, "")


def test_who_has_no_number() -> None:
    """Where no number is named, the tags say so: no last four digits are looked at."""
    tags = TAGS.of(ORG, _of(_by_id(), _attribute("name=Beth")))
    assert TAGS.tells(ORG, tags)
    assert not TAGS.has(ORG, tags, NUMBER)


def test_an_org_without_a_secret() -> None:
    """Without a secret there are no tags, and nothing is blinded."""
    assert Tags().of(ORG, _of(PHONE)) == ""
    assert Tags().blinded(ORG, "d" * 64) == "d" * 64
    assert TAGS.blinded(ORG, "") == ""


def test_what_is_blinded_is_the_same_each_time() -> None:
    """A wish has one key for all processes of the org, and who has not the secret cannot make it."""
    blind = TAGS.blinded(ORG, "d" * 64)
    assert blind == Tags({ORG: "a secret"}).blinded(ORG, "d" * 64)
    assert len({blind, "d" * 64, TAGS.blinded("other", "d" * 64), Tags({ORG: "b"}).blinded(ORG, "d" * 64)}) == 4


@pytest.mark.parametrize(
    "removal, is_so",
    [
        (_of(PHONE), True),
        (_of(PHONE.masked), True),
        (_of(_by_id(), PHONE.masked), True),
        (_of(_attribute("a=…0123")), True),
        (_of(_attribute("a=0123 Elm Street")), False),
        (_of(m.Selector(m.SelectorKind.PHONE, "…0124")), False),
        (_of(m.Selector(m.SelectorKind.PARTICIPANT_ID, uuid(123))), False),
        (_of(PHONE.forgotten), False),
        (m.Removal(uuid(1), _by_id(), reason="it was …0123 again"), True),
        (m.Removal(uuid(1), _by_id(), reason="it was +1 415 555-0123 again"), True),
        (m.Removal(uuid(1), _by_id(), reason="room 0123"), False),
    ],
)
def test_alike(removal: m.Removal, is_so: bool) -> None:
    """Cut or whole, a number is alike when its last four digits are; an id is no number."""
    assert is_alike(removal, NUMBER) == is_so
