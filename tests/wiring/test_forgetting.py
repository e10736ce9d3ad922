"""`onhook forget`, from the settings to what is left in Redis and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from service import settings
from service.core.errors import Misconfigured
from service.store.forgetting import Attested, Kind, Wanted
from service.store.keys import DAY, Lives
from service.wiring import forgetting as rooms
from service.wiring.house import lives_of, opened_store, refusal_book, tags_of
from service.wiring.machine import SystemClock
from tests.fixtures.redis import CountingDice
from tests.store.servers import DURABLE, server
from tests.store.stories import GONE, ORG, PHONE, offered, uuid
from tests.wiring.running import own, stand
from tests.wiring.test_processes import OFFLINE

DAYS = {"ACTIONS_DAYS": "9", "DELIVERIES_DAYS": "4", "REFUSALS_DAYS": "2"}
BY_PHONE = Wanted(Kind.PHONE, PHONE.value)


@pytest.fixture
def url(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the address of a Redis of one's own, and stand where the settings name it and how long things stay."""
    with server(*DURABLE) as made:
        days = {f"ONHOOK_RETENTION__{name}": value for name, value in DAYS.items()}
        stand(monkeypatch, own(folder) | OFFLINE | days | {"ONHOOK_REDIS__URL": made})
        yield made


async def _clicked(dice: CountingDice, number: int, *, is_ended: bool) -> str:
    """Accept a click as the service would, and settle it; return the action's id."""
    once = {"event_at": 1, "max_age_seconds": 0, "channels": ()}
    async with opened_store(settings.read(), may_start=False) as (store, _, _):
        receipt = await store.accept(offered(dice, number, conversation_id=uuid(number), **once))
        for claim in await store.claim(ORG, "w1", dice.token(), 5) if is_ended else ():
            await store.settle(claim.lease, GONE, 0.0, ())
    return receipt.action_id


async def test_from_the_settings(url: str, dice: CountingDice) -> None:
    """A number is found by the secret in the settings; what is said of it names no number; an open action stays."""
    ended, pending = await _clicked(dice, 1, is_ended=True), await _clicked(dice, 2, is_ended=False)
    heard: list[rooms.Answers] = []

    def refuse(answers: rooms.Answers) -> bool:
        heard.append(answers)
        return False

    found = rooms.Kept(1, 0, 0, {pending: rooms.STAYS["action"]})
    assert await rooms.forget(BY_PHONE, "", "anna", refuse) == ({ORG: found}, False)
    assert heard == [{ORG: found}]
    assert rooms.found_words(heard[0]) == "org acme: 1 action to forget, named in 0 refused deliveries."
    assert rooms.done_words(heard[0], is_agreed=False).splitlines() == [
        "Nothing was changed.",
        f"{pending} stays: it is not settled yet.",
        "What is open is not forgotten: wait until it has ended, or `onhook pause`; then run this again.",
    ]
    assert await rooms.attested("") == {ORG: []}
    answers, is_agreed = await rooms.forget(BY_PHONE, ORG, "anna", lambda _: True)
    assert (answers[ORG].found, answers[ORG].changed, is_agreed) == (1, 1, True)
    assert rooms.done_words(answers, is_agreed=True).startswith("Forgotten: 1 action, and the reasons of 0 refused del")
    assert PHONE.value not in f"{answers} {rooms.document(answers, BY_PHONE)}"
    with redis.Redis.from_url(url, decode_responses=True, protocol=2) as client:
        assert "0123" not in str(client.hgetall(f"onhook:{{acme}}:action:{ended}"))
    ((line,),) = (await rooms.attested(ORG)).values()
    assert (line.by, line.kind, line.actions) == ("anna", "phone", 1)
    again, _ = await rooms.forget(BY_PHONE, ORG, "anna", lambda _: True)
    assert (again[ORG].found, again[ORG].changed) == (0, 0)


async def test_what_was_found_alike(url: str, dice: CountingDice, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the client secret was changed, the last four digits are what tells; that is said."""
    await _clicked(dice, 1, is_ended=True)
    monkeypatch.setenv("ONHOOK_ORGS__ACME__CLIENT_SECRET", "another-secret")
    answers, _ = await rooms.forget(BY_PHONE, "", "anna", lambda _: False)
    assert "1 action to forget (1 of them by the last four digits alone)" in rooms.found_words(answers)
    assert rooms.is_any(answers)


async def test_retention(url: str, dice: CountingDice) -> None:
    """How long things stay is what the settings say, and without them the default."""
    action_id = await _clicked(dice, 1, is_ended=True)
    said = settings.read()
    assert lives_of(said) == Lives(action=9 * DAY, delivery=4 * DAY, refusals=2 * DAY)
    assert lives_of(settings.Settings()) == Lives()
    with redis.Redis.from_url(url, decode_responses=True, protocol=2) as client:
        assert 0 <= 9 * DAY - client.pttl(f"onhook:{{acme}}:action:{action_id}") < DAY / 24
    async with opened_store(said, may_start=False) as (_, link, _):
        assert refusal_book(said, link, SystemClock())._lives == lives_of(said)
    assert tags_of(said).tells(ORG, tags_of(said).of(ORG, offered(dice).removal))


@pytest.mark.parametrize(
    "given, fault",
    [
        (("", "", ""), "say one of --phone, --requester and --ticket"),
        (("+14155550123", "", "INC1"), "say one of"),
        (("", " ", ""), "--requester is empty"),
        (("4155550123", "", ""), "no phone number with its country code"),
    ],
)
def test_what_cannot_be_asked(given: tuple[str, str, str], fault: str) -> None:
    """Exactly one is asked for at a time, and a number is a number; it is not repeated when it is none."""
    with pytest.raises(Misconfigured, match=fault) as raised:
        rooms.wanted(*given)
    assert "555" not in str(raised.value).replace("+14155550123", "")


def test_what_can_be_asked() -> None:
    """A number may be written as people write it."""
    assert rooms.wanted("+1 (415) 555-0123", "", "") == BY_PHONE
    assert rooms.wanted("", " Beth ", "") == Wanted(Kind.REQUESTER, "Beth")


async def test_no_such_org(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An org that is not in the settings is said with those that are; without any there is nothing to do."""
    with pytest.raises(Misconfigured, match=r"there is no \[orgs.dusk\]; there is acme"):
        await rooms.forget(BY_PHONE, "dusk", "anna", lambda _: True)
    for name in OFFLINE:
        monkeypatch.delenv(name)
    with pytest.raises(Misconfigured, match="orgs: there is none"):
        await rooms.attested("")


def test_the_log_in_words() -> None:
    """Each time is a line, as words or as JSON; what was forgotten is not in it."""
    past = {ORG: [Attested(1_000, "anna", "phone", 1, 2)]}
    words = "1970-01-01T00:00:01Z  acme  anna: a phone, 1 action, 2 refused deliveries"
    assert rooms.log_lines(past, as_json=False) == [words]
    (line,) = rooms.log_lines(past, as_json=True)
    assert '"org": "acme", "by": "anna", "kind": "phone", "actions": 1, "refusals": 2' in line
    assert rooms.done_words({ORG: rooms.Kept(1, 0, 1, {}, 1)}, is_agreed=True) == (
        "Forgotten: 1 action, and the reasons of 1 refused delivery."
    )
