"""ServiceNow from end to end: its own script clicks over HTTP, one person leaves, and the record is told once."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from datetime import UTC, datetime
from typing import Any

from service.sandbox.desk import OUTCOME_PATH
from tests.deploy import instance
from tests.deploy.instance import script
from tests.story.stage import CALLER, Stage, staged

TOLD_SECONDS = 60.0  # the first answer is lost, so a second telling is waited for
KIT = "kit"  # a source told by our resource; `desk` is told by the Table API


async def _keys(stage: Stage) -> dict[str, Any]:
    return dict((await stage.client.get(f"{stage.play}/sandbox/credentials")).json())


async def _opened(stage: Stage) -> dict[str, str]:
    """Start the service with a second source, told by our resource and by OAuth; return the secrets by source."""
    keys, kit = await _keys(stage), f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    said = {
        "KIND": "servicenow",
        "ORG": "play",
        "SECRETS": kit,
        "INSTANCE_URL": stage.play,
        "USERNAME": keys["desk_user"],
        "CLIENT_ID": keys["desk_client_id"],
        "CLIENT_SECRET": keys["desk_client_secret"],
        "OUTCOME_PATH": OUTCOME_PATH,
    }
    running = await stage.start("up", **{f"ONHOOK_SOURCES__KIT__{name}": value for name, value in said.items()})
    stage.door = await running.url("public")
    return {"desk": stage.environment["ONHOOK_SOURCES__DESK__SECRETS"], KIT: kit}


async def _clicked(stage: Stage, source: str, secret: str, conversation: str, ticket: str) -> list[dict[str, Any]]:
    """Click twice in the instance, by the kit's own scripts; return the receipts."""
    table, _, sys_id = ticket.partition("/")
    job = {
        "now": datetime.now(UTC).isoformat(),
        "http": True,
        "endpoint": f"{stage.door}/webhooks/{source}",
        "properties": {"onhook.secret": secret},
        "record": {
            "table": table,
            "sys_id": sys_id,
            "number": "INC – ${x} 😀",
            "u_genesys_conversation_id": conversation,
            "u_caller_phone": CALLER,
        },
    }
    clicks = instance.wish(script("script-include.js"), *[script("ui-action.js")] * 2, **job)
    process = await asyncio.create_subprocess_exec(
        *instance.command(), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(clicks.encode()), instance.SECONDS)
    happened = instance.Happened(json.loads(out))
    assert (len(happened.info), happened.error, happened.notes) == (2, [], [])
    return [json.loads(call["answer"]) for call in happened.calls]


async def _played(stage: Stage, source: str, secret: str) -> str:
    """Click, wait until it is told, and hold what came of it against the promises; return the ticket."""
    conversation, ticket = await stage.conversation(), await stage.ticket()
    first, second = await _clicked(stage, source, secret, conversation, ticket)
    assert (second["status"], second["action"]) == ("duplicate", first["action"])
    account = await stage.settled(first, TOLD_SECONDS)
    assert account["outcome"]["kind"] == "disconnected"
    assert [report["state"] for report in account["reports"]] == ["told"]
    assert await stage.present(conversation) == ["agent", "agent", "external"]
    assert len(await stage.calls("PATCH", conversation)) == 1
    (note,) = await stage.notes(ticket)
    assert first["action"] in note
    return ticket


async def _asked_of_the_desk(stage: Stage) -> list[tuple[str, str, object]]:
    shown = (await stage.client.get(f"{stage.play}/sandbox/calls", params={"service": "desk"})).json()["calls"]
    return [(call["method"], call["path"], call["effect"]) for call in shown]


async def test_asked_done_and_told_once() -> None:
    """A double click in the instance is one removal and one note, though the desk's first answer was lost."""
    async with staged() as stage:
        known = await _opened(stage)
        lost = {"on": "note", "cut": "after", "times": 1}
        await stage.switch(answers=[lost])
        ticket = await _played(stage, "desk", known["desk"])
        by_table = await _asked_of_the_desk(stage)
        journal = ("GET", "/api/now/table/sys_journal_field", "none")
        assert by_table == [("PATCH", f"/api/now/table/{ticket}", True), journal]
        await stage.switch(answers=[lost])
        await _played(stage, KIT, known[KIT])
        token = ("POST", "/oauth_token.do", "none")
        by_resource = (await _asked_of_the_desk(stage))[len(by_table) :]
        assert by_resource == [token, ("POST", OUTCOME_PATH, True), ("POST", OUTCOME_PATH, False)]
