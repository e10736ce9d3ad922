"""Ids that are none, in every field of a signed webhook: only the allowed shapes of request leave the process."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.findings import write_evidence
from tests.genesys.evil import EVIL
from tests.genesys.peers import PID
from tests.story.stage import EXTERNAL, Stage, staged

FIELDS = ("conversation_id", "participant_id", "communication_id", "user_id", "external_contact_id", "medium")
UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
LOOK = re.compile(f"/api/v2/conversations/{UUID}")
REMOVAL = re.compile(f"{LOOK.pattern}/participants/{UUID}")
AT_ONCE = 16
# what is read as a UUID after all, as nothing, or as a medium
HARMLESS = {PID.upper(), ""}


async def posted(stage: Stage, conversation: str, evil_ids: Sequence[str]) -> Counter[str]:
    """Post each evil id in each field; count how it was answered, and by field how often it was refused."""
    turns, said = asyncio.Semaphore(AT_ONCE), Counter[str]()

    async def post(field: str, evil: str) -> None:
        # somebody whom nobody has, so that a field which is read as nothing removes nobody
        whom = {"conversation_id": conversation, "participant_id": PID, field: evil}
        async with turns:
            answer = await stage.post(stage.webhook(conversation, **whom))
        is_refused = answer.status_code in {400, 422}
        said[f"status {answer.status_code}"] += 1
        said[field] += is_refused
        assert is_refused or evil in HARMLESS, (field, evil, answer.text)

    await asyncio.gather(*(post(field, evil) for field in FIELDS for evil in evil_ids))
    return said


@pytest.mark.parametrize("step", [10, pytest.param(1, marks=pytest.mark.slow)])
async def test_evil_ids_in_a_webhook(step: int) -> None:
    """However an id is written it is refused in words; Genesys then received looks, and one honest removal."""
    evil_ids = sorted({*EVIL[::step], *HARMLESS})
    async with staged() as stage:
        await asyncio.gather(stage.serve(), stage.work())
        conversation = await stage.conversation()
        said = await posted(stage, conversation, evil_ids)
        assert await stage.calls("PATCH") == []
        receipt = (await stage.post(stage.webhook(conversation, caller_phone=EXTERNAL))).json()
        account = await stage.settled(receipt)
        calls = await stage.calls()
    assert account["outcome"]["kind"] == "disconnected"
    allowed = {"GET": LOOK, "PATCH": REMOVAL}
    assert [call for call in calls if not allowed[call["method"]].fullmatch(call["path"])] == []
    methods = Counter(call["method"] for call in calls)
    assert methods["PATCH"] == 1
    assert {field: said[field] >= len(evil_ids) - len(HARMLESS) for field in FIELDS} == dict.fromkeys(FIELDS, True)
    if step == 1:
        counted = {"evil ids": len(evil_ids), **said, **{f"calls {method}": n for method, n in methods.items()}}
        command = "uv run pytest -m slow tests/story/test_evil_ids.py"
        write_evidence("evil_ids", command=command, counters=counted, findings=[])
