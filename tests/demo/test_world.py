"""What the story sends is what a ticketing system would send, signed by the published scheme."""

from __future__ import annotations

import base64

import pytest

from service.core import model as m
from service.demo.world import REQUESTER, Answer, Conference, Webhook, World, timeline_of
from service.sources.asking import asked_in, removal_in
from service.sources.signing import Keyring, secret_in
from service.wiring.machine import SystemClock

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
CONVERSATION, CALLER = "0f9a1d4e-0000-4000-8000-000000000001", "0f9a1d4e-0000-4000-8000-000000000002"
TICKET = {"table": "incident", "sys_id": "9" * 32, "number": "INC0010112"}
CONFERENCE = Conference(1, CONVERSATION, CALLER, TICKET)


def delivered(webhook: Webhook) -> m.Delivery:
    """Return a webhook as the door has it."""
    headers = tuple((name.encode(), value.encode()) for name, value in webhook.headers.items())
    return m.Delivery("sandbox", headers, webhook.body, SystemClock().now())


async def test_click() -> None:
    """A click is signed with the source's secret and names the conversation, the person and the ticket."""
    async with World("http://play.invalid", "http://door.invalid", "sandbox", SECRET, SystemClock()) as world:
        webhook = world.click(CONFERENCE, caller_phone="+1 (415) 555-0123")
        assert world.click(CONFERENCE).headers["webhook-id"] != webhook.headers["webhook-id"]
    assert webhook.url == "http://door.invalid/webhooks/sandbox"
    verified = Keyring([secret_in(SECRET)]).verify(delivered(webhook))
    assert verified.signed_id == webhook.headers["webhook-id"]
    asked = asked_in(webhook.body)
    assert not isinstance(asked, m.Ignored)
    removal = removal_in(asked, m.Ticket("incident/" + "9" * 32), None)
    assert removal.selector == m.Selector(m.SelectorKind.PHONE, "+14155550123")
    assert (removal.conversation_id, removal.requester) == (CONVERSATION, REQUESTER)


async def test_forgery() -> None:
    """A click with another secret differs from a real one by its signature alone."""
    async with World("http://play.invalid", "http://door.invalid", "sandbox", SECRET, SystemClock()) as world:
        forgery = world.click(CONFERENCE, secret=bytes(32), participant_id=CALLER)
    assert Keyring([bytes(32)]).verify(delivered(forgery)).signed_id == forgery.headers["webhook-id"]


def test_answer() -> None:
    """An answer without an action, an outcome or a timeline has none of them."""
    assert (Answer(401, {}).action, Answer(202, {"outcome": None}).outcome) == ("", "")
    assert timeline_of(Answer(200, {})) == []


def test_an_answer_that_took_nothing() -> None:
    """Where the door took nothing there is no account, and why is said in the door's own words."""
    with pytest.raises(LookupError, match="the door answered 503: Redis is away"):
        Answer(503, {"detail": "Redis is away"}).link  # noqa: B018 - asked for, not used
    assert Answer(202, {"links": {"self": "http://door.invalid/actions/1"}}).link == "http://door.invalid/actions/1"
