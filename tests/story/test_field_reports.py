"""The five reports from the field: each call as it was sent, then our way through it.

In two worlds: of the vendor's SDK, and where each such call is answered as it was reported.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from tests.story.stage import CALLER, EXTERNAL, Stage, staged

API = "/api/v2/conversations"
CONTACT = "c0ffee00-1111-4222-8333-444455556666"  # the caller's, in the sandbox
EVERYONE, OTHERS = ["agent", "agent", "customer", "external"], ["agent", "agent", "external"]
REFUSED = '{"message":"Cannot disconnect participant p-12345678-90ab-cdef-1234-567890abcdef: Participant is not in a disconnectable state","errors":[]}'  # noqa: E501 -- word for word
IN_FLUX = "The requested action cannot be completed because of the current state of the resource."
FIRST = {"participants": [{"participantId": "abc-123", "action": "disconnect"}]}
SECOND = {"participantIds": ["p-12345678-90ab-cdef-1234-567890abcdef"]}
SECOND_ALONE = {"participantId": "p-12345678-90ab-cdef-1234-567890abcdef"}
THIRD = {"participants": [{"participantId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890", "action": "disconnect"}]}
THIRD_WHOLE = {"participants": [*THIRD["participants"], {"participantId": "abc-123", "action": "update"}]}
FOURTH = {"status": "disconnected"}
FIFTH = {"participantId": "3a4b5c6d-1234-5678-9012-34567890abcd", "action": "disconnect"}
CONFLICT = {"on": "disconnect", "status": 409, "body": REFUSED}


@dataclass
class Field(Stage):
    """The stage in one of the two worlds, and what somebody with a script of his own sees there."""

    world: str = "vendor"
    token: str = ""
    refused: tuple[str, str, dict[str, Any]] = ("", "", {})

    async def script(self, method: str, path: str, body: object) -> httpx.Response:
        """Call Genesys as a script does that found the call in a forum."""
        headers = {"authorization": f"Bearer {self.token}"}
        return await self.client.request(method, f"{self.play}{API}{path}", json=body, headers=headers)

    async def happen(self, conversation: str, event: str, **fields: object) -> dict[str, Any]:
        """Let something happen in a conversation; return the participant it happened to."""
        place = f"{self.play}/sandbox/conversations/{conversation}/events"
        answer = await self.client.post(place, json={"event": event, **fields})
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["participants"][0])

    async def caller(self, conversation: str) -> dict[str, Any]:
        """Return the caller as a participant."""
        return next(one for one in await self.people(conversation) if one["purpose"] == "customer")

    async def click(self, conversation: str, **named: object) -> tuple[str, dict[str, Any]]:
        """Click on a person; return the ticket and the account of the settled action."""
        ticket = await self.ticket()
        answer = await self.post(self.webhook(conversation, ticket=ticket, **named))
        assert answer.status_code == 202, answer.text
        return ticket, await self.settled(answer.json(), 60)

    async def ours(self, conversation: str) -> list[str]:
        """Return the removals we sent; each of our calls is a look, or a removal of one participant."""
        calls = await self.calls(conversation=conversation)
        for call in calls:
            assert (call["method"], call["path"].count("/participants/")) in {("GET", 0), ("PATCH", 1)}, call
            assert call["method"] == "GET" or json.loads(call["body"]) == {"state": "disconnected"}
        return [call["path"] for call in calls if call["method"] == "PATCH"]

    async def ends_well(self, conversation: str, **named: object) -> dict[str, Any]:
        """Click on the caller: exactly he leaves by one call, and his ticket is told who is still there."""
        ticket, account = await self.click(conversation, **named)
        assert account["outcome"]["kind"] == "disconnected"
        assert (account["outcome"]["purpose"], account["outcome"]["vanished"]) == ("customer", {})
        assert account["outcome"]["remaining"] == {"agent": 2, "external": 1}
        assert await self.present(conversation) == OTHERS
        assert len(await self.ours(conversation)) == 1
        await self.is_told(ticket, account)
        return account

    async def is_told(self, ticket: str, account: dict[str, Any]) -> str:
        """The ticket holds the one note of the action, in whole sentences and without a status code; return it."""
        (note,) = await self.notes(ticket)
        assert account["action"] in note
        assert not {"409", "404", "204"} & set(note.replace(".", " ").replace(",", " ").split())
        return note


@pytest.fixture(scope="module")
async def whole() -> AsyncIterator[Stage]:
    """Give doors, a worker and a sandbox, for all of them."""
    async with staged() as stage:
        await asyncio.gather(stage.serve(), stage.work())
        yield stage


@pytest.fixture(scope="module", params=["vendor", "reported"])
async def field(request: pytest.FixtureRequest, whole: Stage) -> Field:
    """Give the stage in one world, with a removal under way that Genesys refuses for good: it takes some seconds."""
    await whole.switch(world=request.param)
    keys = (await whole.client.get(f"{whole.play}/sandbox/credentials")).json()
    given = await whole.client.post(
        f"{whole.play}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(keys["client_id"], keys["client_secret"]),
    )
    found = Field(**vars(whole), world=request.param, token=given.json()["access_token"])
    conversation, ticket = await found.conversation(), await found.ticket()
    await found.switch(conversation, answers=[CONFLICT | {"times": None}])
    receipt = (await found.post(found.webhook(conversation, ticket=ticket))).json()
    return replace(found, refused=(conversation, ticket, receipt))


async def together(*stories: Awaitable[object]) -> None:
    """Let stories that have nothing to do with each other happen at once."""
    await asyncio.gather(*stories)


# --- what they sent, literally ----------------------------------------------------------------------------------------

Sent = tuple[str, str, object]
Seen = tuple[int, str, bool]  # the status, what the body says, and whether the call ended for everyone

# (the request, what the vendor's SDK says happens, what was reported); {id} is a conversation that goes on
LITERALLY: dict[str, tuple[Sent, Seen, Seen]] = {
    "1": (
        ("PATCH", "/calls/xyz-456", FIRST),
        (404, "not.found", False),
        (409, "Participant is not in the conversation.", False),
    ),
    "1 with the conversation's own id": (
        ("PATCH", "/calls/{id}", FIRST),
        (200, '"participants"', False),
        (409, "Participant is not in the conversation.", False),
    ),
    "2": (("POST", "/{id}/disconnect", SECOND), (202, "", True), (409, REFUSED, False)),
    "2 with one id": (("POST", "/{id}/disconnect", SECOND_ALONE), (202, "", True), (409, REFUSED, False)),
    "3": (("PATCH", "/conversations/{id}", THIRD), (404, "not.found", False), (204, "", True)),
    "3 with the full list": (
        ("PATCH", "/conversations/{id}", THIRD_WHOLE),
        (404, "not.found", False),
        (400, "onflicting actions", False),
    ),
    "4 by PUT": (
        ("PUT", "/phone/participants/3a4b5c6d-1234-5678-9012-34567890abcd", FOURTH),
        (404, "not.found", False),
        (404, "not.found", False),
    ),
    "4 by PATCH": (
        ("PATCH", "/phone/participants/3a4b5c6d-1234-5678-9012-34567890abcd", FOURTH),
        (404, "not.found", False),
        (404, "not.found", False),
    ),
    "5": (
        ("POST", "/voice/participants", FIFTH),
        (404, "not.found", False),
        (409, json.dumps({"code": "conflict", "message": IN_FLUX}, separators=(",", ":")), False),
    ),
}


@pytest.mark.parametrize("name", LITERALLY)
async def test_what_they_sent(field: Field, name: str) -> None:
    """Each call that was reported meets what the vendor's SDK says, or what was seen, and never removes just one."""
    (method, path, body), of_the_vendor, as_reported = LITERALLY[name]
    status, said, is_over = of_the_vendor if field.world == "vendor" else as_reported
    conversation = await field.conversation()
    answer = await field.script(method, path.format(id=conversation), body)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert await field.present(conversation) == ([] if is_over else EVERYONE)
    explanation = answer.headers["Onhook-Explanation"]
    assert explanation.startswith("You tried ")
    assert explanation in [call["explanation"] for call in await field.calls(method)]


# --- 1: an id of their own --------------------------------------------------------------------------------------------


async def test_an_id_of_their_own(field: Field) -> None:
    """An id that is none of Genesys' gets a sentence; contact, number or attribute name the one who is present."""
    conversation = await field.conversation()
    for id_, sentence in (("abc-123", "abc-123 is not a Genesys participant id"), ("p-1234", 'carry no "p-"')):
        answer = await field.post(field.webhook(conversation, participant_id=id_))
        assert (answer.status_code, answer.json()["code"]) == (422, "unreadable")
        assert sentence in answer.json()["detail"]
    assert await field.calls(conversation=conversation) == []
    ways: list[dict[str, str]] = [
        {"external_contact_id": CONTACT},
        {"caller_phone": "+1 (415) 555-0123"},
        {"attribute": "ticket=INC0010112"},
    ]
    await together(*[field.ends_well(await field.conversation(), **way) for way in ways])


async def test_who_is_not_one_person(field: Field) -> None:
    """Nobody who fits, several who do (they are named), no such conversation: each is told, and nothing is sent."""

    async def nobody() -> None:
        conversation = await field.conversation()
        ticket, account = await field.click(conversation, caller_phone="+14155559999")
        assert account["outcome"]["kind"] == "not_found"
        await left_alone(conversation, ticket, account)

    async def several() -> None:
        conversation = await field.conversation()
        caller = await field.caller(conversation)
        twin = {"purpose": "customer", "address": f"tel:{CALLER}", "name": "The same number"}
        other = await field.happen(conversation, "join", participant=twin)
        ticket, account = await field.click(conversation)
        assert (account["outcome"]["kind"], account["outcome"]["reason"]) == ("refused", "ambiguous")
        named = " ".join(account["outcome"]["candidates"])
        assert caller["id"] in named
        assert other["id"] in named
        await field.is_told(ticket, account)
        assert await field.ours(conversation) == []
        assert len(await field.present(conversation)) == 5

    async def left_alone(conversation: str, ticket: str, account: dict[str, Any]) -> None:
        await field.is_told(ticket, account)
        assert await field.ours(conversation) == []
        assert await field.present(conversation) == EVERYONE

    async def nowhere() -> None:
        ticket, account = await field.click("00000000-0000-4000-8000-000000000000")
        assert (account["outcome"]["kind"], account["outcome"]["reason"]) == ("not_found", "conversation")
        await field.is_told(ticket, account)

    await together(nobody(), several(), nowhere())


# --- 2: not in a disconnectable state ---------------------------------------------------------------------------------


async def test_a_409_that_stays(field: Field) -> None:
    """A 409 is followed by a look and a few tries, then told in plain words; every call stands in the timeline."""
    conversation, ticket, receipt = field.refused
    account = await field.settled(receipt, 60)
    assert (account["outcome"]["kind"], account["outcome"]["reason"]) == ("failed", "genesys_refused")
    assert "still in the conversation" in await field.is_told(ticket, account)
    assert await field.present(conversation) == EVERYONE
    assert 2 <= len(await field.ours(conversation)) <= 4
    known = {call["correlation_id"]: call["status"] for call in await field.calls(conversation=conversation)}
    told = {entry["correlation_id"]: entry["status"] for entry in account["timeline"] if entry["correlation_id"]}
    assert told == known
    assert list(told.values()).count(409) == len(account["sends"])
    assert "not in a disconnectable state" in account["sends"][0]["answer"]["message"]


async def test_a_409_that_passes(field: Field) -> None:
    """A state that was in flux is tried again, and the person leaves; who left meanwhile is not called for again."""

    async def again() -> None:
        conversation = await field.conversation()
        await field.switch(conversation, answers=[CONFLICT])
        _, account = await field.click(conversation)
        assert account["outcome"]["kind"] == "disconnected"
        assert len(await field.ours(conversation)) == 2
        assert await field.present(conversation) == OTHERS

    async def by_himself() -> None:
        conversation = await field.conversation()
        await field.switch(conversation, answers=[CONFLICT | {"effect": True}])
        _, account = await field.click(conversation)
        assert account["outcome"]["kind"] in {"already_gone", "disconnected"}
        assert len(await field.ours(conversation)) == 1
        assert await field.present(conversation) == OTHERS

    await together(again(), by_himself())


# --- 3: it ended for everyone -----------------------------------------------------------------------------------------


async def test_nobody_else_leaves(field: Field) -> None:
    """Only the participant's own resource is called, and afterwards the others are looked at and told."""
    conversation = await field.conversation()
    caller = await field.caller(conversation)
    await field.ends_well(conversation, participant_id=caller["id"])
    (path,) = await field.ours(conversation)
    assert path.endswith(f"/{conversation}/participants/{caller['id']}")
    calls = await field.calls(conversation=conversation)
    assert [calls[0]["method"], calls[-1]["method"]] == ["GET", "GET"]
    everyone_else = await field.conversation()
    account = (await field.click(everyone_else, caller_phone=EXTERNAL))[1]
    assert account["outcome"]["remaining"] == {"agent": 2, "customer": 1}


# --- 4: 404 -----------------------------------------------------------------------------------------------------------


async def test_ids_that_went_stale(field: Field) -> None:
    """A stale id is resolved again by who it was; already gone is a success; a conversation that is over is told so."""

    async def replaced() -> None:
        conversation = await field.conversation()
        stale = (await field.caller(conversation))["id"]
        fresh = await field.happen(conversation, "replace", participant_id=stale)
        await field.ends_well(conversation, participant_id=stale, caller_phone=CALLER)
        assert (await field.ours(conversation))[0].endswith(fresh["id"])

    async def hung_up() -> None:
        conversation = await field.conversation()
        caller = await field.caller(conversation)
        await field.happen(conversation, "hangup", participant_id=caller["id"])
        await nothing_to_do(conversation, {"agent": 2, "external": 1}, participant_id=caller["id"])

    async def over() -> None:
        conversation = await field.conversation("ended")
        note = await nothing_to_do(conversation, {}, caller_phone=CALLER)
        assert "conversation has ended" in note or "conversation is over" in note

    async def nothing_to_do(conversation: str, remaining: dict[str, int], **named: str) -> str:
        ticket, account = await field.click(conversation, **named)
        assert (account["outcome"]["kind"], account["outcome"]["remaining"]) == ("already_gone", remaining)
        assert await field.ours(conversation) == []
        return await field.is_told(ticket, account)

    await together(replaced(), hung_up(), over())


# --- 5: the click of an agent -----------------------------------------------------------------------------------------


async def test_a_click_that_repeats(field: Field) -> None:
    """The flat form is taken at once; lag, re-sent webhooks and repeated clicks make one removal, and each is told."""
    conversation, ticket = await field.conversation(), await field.ticket()
    await field.switch(conversation, lag_seconds=1)
    table, _, sys_id = ticket.rpartition("/")
    where = {"conversationId": conversation, "table": table, "sysId": sys_id}
    flat = {"participantId": (await field.caller(conversation))["id"], "action": "disconnect"} | where
    answers = [await field.post(flat, webhook_id=f"msg_{conversation}") for _ in range(3)]
    answers += [await field.post(flat) for _ in range(3)]  # the agent clicks again
    assert {answer.status_code for answer in answers} == {202}
    accounts = await asyncio.gather(*(field.settled(answer.json()) for answer in answers))
    assert len({account["action"] for account in accounts[:3]}) == 1
    assert {account["outcome"]["kind"] for account in accounts} <= {"disconnected", "already_gone"}
    assert accounts[0]["outcome"]["kind"] == "disconnected"
    assert len(await field.ours(conversation)) == 1
    assert await field.present(conversation) == OTHERS
    late = (await field.post(flat)).json()
    assert (await field.settled(late))["outcome"]["kind"] == "already_gone"
    assert len(await field.ours(conversation)) == 1
    assert len(await field.notes(ticket)) == len({account["action"] for account in accounts}) + 1


async def test_an_action_of_another_kind(field: Field) -> None:
    """Any other action in the flat form is refused in words, and nothing is looked at."""
    conversation = await field.conversation()
    flat = {"conversationId": conversation, **FIFTH, "action": "update"}
    answer = await field.post(flat)
    assert (answer.status_code, answer.json()["detail"]) == (422, 'this service does one thing: action "disconnect"')
    assert await field.calls(conversation=conversation) == []
