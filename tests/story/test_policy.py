"""Who may ask, how often, and whether it counts: through two doors and a worker, as a service is run."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.story.stage import Stage, staged

RATE, CLICKS = 3, 12  # a minute; of one person at once


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Give a stage on which no process of ours runs yet."""
    async with staged() as it:
        yield it


async def clicked(stage: Stage, door: str, conversation: str, ticket: str, who: str) -> dict[str, Any]:
    """Click on the caller of a conversation as somebody, and return the account of how it ended."""
    click = stage.webhook(conversation, ticket=ticket, caller_phone="+14155550123", requested_by=who)
    answer = await stage.post(click, door=door)
    assert answer.status_code == 202, answer.text
    return await stage.settled(answer.json())


async def test_who_may_ask_and_how_often(stage: Stage) -> None:
    """Through whatever door: no more than the rate is done, the rest is refused and told, and costs Genesys no call."""
    stage.environment |= {
        "ONHOOK_SOURCES__DESK__REQUESTERS": "Beth.Anglin, joe",
        "ONHOOK_SOURCES__DESK__REQUESTER_RATE": str(RATE),
    }
    await stage.work()
    doors = [await (await stage.start("serve")).url("public") for _ in range(2)]
    stage.door = doors[0]
    conversations = [await stage.conversation() for _ in range(CLICKS + 2)]
    tickets = [await stage.ticket() for _ in conversations]
    began = time.monotonic()
    ends = await asyncio.gather(
        *(
            clicked(stage, doors[at % 2], conversations[at], tickets[at], "beth.anglin" if at % 3 else "BETH.ANGLIN")
            for at in range(CLICKS)
        )
    )
    room = RATE + int((time.monotonic() - began) / (60 / RATE)) + 1  # what a slow machine lets through meanwhile
    went = Counter(f"{it['outcome']['kind']} {it['outcome']['reason']}" for it in ends)
    assert RATE <= went["disconnected confirmed"] <= room
    assert went["refused requester_rate"] == CLICKS - went["disconnected confirmed"] > 0
    joe = await clicked(stage, doors[0], conversations[-2], tickets[-2], "joe")
    mallory = await clicked(stage, doors[1], conversations[-1], tickets[-1], "mallory")
    assert (joe["outcome"]["kind"], mallory["outcome"]["reason"]) == ("disconnected", "requester")
    for account, conversation, ticket in zip([*ends, joe, mallory], conversations, tickets, strict=True):
        is_done = account["outcome"]["kind"] == "disconnected"
        (note,) = await stage.notes(ticket)
        assert account["action"] in note
        assert ("Nobody was removed" in note) != is_done
        assert len(await stage.calls("PATCH", conversation)) == int(is_done)
        assert ("customer" in await stage.present(conversation)) != is_done
        if not is_done:
            assert await stage.calls("", conversation) == []
            assert account["outcome"]["allowed_by"].startswith("sources.desk.requester")


async def test_from_shadow_to_live(stage: Stage) -> None:
    """Who clicked in shadow gets a preview though it is live by now; who clicks the same after that is served."""
    conversation, tickets = await stage.conversation(), [await stage.ticket(), await stage.ticket()]
    serving = await stage.serve(ONHOOK_SOURCES__DESK__MODE="shadow")
    ready = (await stage.client.get(f"{await serving.url('private')}/readyz")).json()
    assert ready["orgs"] == {"play": {"mode": "live", "paused": [], "shadow": ["desk"]}}
    before = await stage.post(stage.webhook(conversation, ticket=tickets[0]))
    await asyncio.gather(stage.work(), stage.serve(), serving.end(signal.SIGKILL))
    after = await stage.post(stage.webhook(conversation, ticket=tickets[1]))
    shadow, live = [(await stage.settled(answer.json()))["outcome"] for answer in (before, after)]
    assert (live["kind"], live["reason"]) == ("disconnected", "confirmed")
    # it may be looked at after the other one was done
    assert shadow["kind"] in {"previewed", "already_gone"}
    assert "shadow mode" in (await stage.notes(tickets[0]))[0]
    assert "shadow mode" not in (await stage.notes(tickets[1]))[0]
    assert len(await stage.calls("PATCH", conversation)) == 1
