"""What is told of an action is complete, and names nobody."""

import json
from dataclasses import replace

import orjson
import pytest

from service.core import model as m
from service.web.accounts import account_json
from tests.web.doors import CONVERSATION, PHONE, Desk
from tests.web.samples import ACTION, REPORTS, SETTLED, TIMELINE

FIRST = f"acme.{1:026}"  # the first id that the door's dice give


def test_a_pending_action() -> None:
    """An action without an outcome shows what was asked, until when, and nulls for what is not yet."""
    told = orjson.loads(orjson.dumps(account_json(m.Account(ACTION, "canary-key", (), ()))))
    assert told == {
        "action": "acme.1",
        "state": "pending",
        "org": "acme",
        "source": "desk",
        "conversation": CONVERSATION,
        "outcome": None,
        "explanation": None,
        "operator": None,
        "received_at": "2026-11-20T09:00:00.123Z",
        "clicked_at": "2026-11-20T08:59:59.123Z",
        "not_after": "2026-11-20T09:01:59.123Z",
        "settled_at": None,
        "ticket": {"reference": "incident/1", "label": "INC1"},
        "preview": False,
        "replay_of": None,
        "selector": {"kind": "phone", "value": "…0123"},
        "sends": [],
        "timeline": [],
        "reports": [],
    }


def test_a_settled_action() -> None:
    """An action that ended shows each send with its answer, each step, each report, and what to make of it all."""
    told = orjson.loads(orjson.dumps(account_json(m.Account(SETTLED, "canary-key", TIMELINE, REPORTS))))
    reply = {"status": 409, "code": "conflict", "message": "…0123 is busy", "correlation_id": "c0ffee"}
    assert told["settled_at"] == "2026-11-20T09:00:09.123Z"
    assert told["explanation"].startswith("The caller is still in the conversation")
    assert told["operator"].startswith("Sent 2 times; the last was refused")
    assert "Genesys answered 409 conflict" in told["operator"]
    assert "409" not in told["explanation"]
    assert told["outcome"] == {
        "kind": "failed",
        "reason": "genesys_refused",
        "state_seen": "connected",
        "purpose": "customer",
        "candidates": ["customer 3f2a"],
        "bystanders": {"agent": 1, "external": 2},
        "remaining": {"agent": 1},
        "vanished": {"external": 2},
        "is_back": True,
        "allowed_by": "policy.purposes",
        "reply": reply,
    }
    assert told["sends"] == [
        {
            "number": 1,
            "marked_at": "2026-11-20T09:00:00.123Z",
            "deadline_at": "2026-11-20T09:00:02.123Z",
            "answer": {"kind": "refused_for_now", "answered_at": "2026-11-20T09:00:00.173Z", **reply},
        },
        {
            "number": 2,
            "marked_at": "2026-11-20T09:00:01.123Z",
            "deadline_at": "2026-11-20T09:00:03.123Z",
            "answer": None,
        },
    ]
    assert told["timeline"][0] == {
        "verb": "look",
        "at": "2026-11-20T09:00:00.123Z",
        "duration_ms": 12.5,
        "worker": "w1",
        "status": 200,
        "correlation_id": "c0ffee",
        "note": "connected",
    }
    ticket = {"reference": "incident/1", "label": "INC1"}
    assert told["reports"] == [
        {"channel": "ticket", "ticket": ticket, "state": "told", "tries": 2, "error": ""},
        {"channel": "webhook", "ticket": None, "state": "dead", "tries": 9, "error": "said …0123"},
    ]


@pytest.mark.parametrize("action", [ACTION, SETTLED], ids=["pending", "settled"])
def test_nobody_is_named(action: m.Action) -> None:
    """No number, no requester, no free text of theirs and no key is told to whoever holds the link."""
    told = json.dumps(orjson.loads(orjson.dumps(account_json(m.Account(action, "canary-key", TIMELINE, REPORTS)))))
    for secret in (PHONE, PHONE[1:], "beth", "abusive", "canary-key"):
        assert secret not in told


def test_an_id_is_told_as_it_is() -> None:
    """A selector that is an id says nothing about a person, and is what one looks for in Genesys; no ticket is null."""
    selector = m.Selector(m.SelectorKind.PARTICIPANT_ID, CONVERSATION)
    told = account_json(m.Account(replace(ACTION, removal=m.Removal(CONVERSATION, selector)), "k", (), ()))
    assert told["selector"] == {"kind": "participant_id", "value": CONVERSATION}
    assert told["ticket"] is None


def test_an_attribute_is_told_by_its_key() -> None:
    """What an attribute says may be a number or a name: whoever holds the link is told its end at most."""
    selector = m.Selector(m.SelectorKind.ATTRIBUTE, "callback=+14155550123")
    told = account_json(m.Account(replace(ACTION, removal=m.Removal(CONVERSATION, selector)), "k", (), ()))
    assert told["selector"] == {"kind": "attribute", "value": "callback=…0123"}


async def test_an_outcome_is_told_in_the_language_of_its_source(desk: Desk) -> None:
    """Receipt and account of a German source's action are German; of a source that is no more, English."""
    desk.source.language = "de"
    await desk.post()
    desk.shelf.settle(FIRST)
    assert (await desk.post()).json()["explanation"].startswith("Der Anrufer wurde aus dem Gespräch entfernt")
    account = (await desk.http.get(f"/actions/{FIRST}?key={1:032x}")).json()
    assert account["explanation"].startswith("Der Anrufer wurde")
    assert account["operator"].startswith("Gesendet: nichts")
    desk.sources.pop("desk")
    account = (await desk.http.get(f"/actions/{FIRST}?key={1:032x}")).json()
    assert account["explanation"].startswith("The caller was removed")
