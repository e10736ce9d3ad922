"""A preview that a person asks for, as any configured source, where nobody works yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from service import settings
from service.core import model as m
from service.core.errors import Misconfigured
from service.store.embedded import EmbeddedRedis
from service.wiring.house import opened_store
from service.wiring.previewing import preview
from tests.wiring.running import PHONE, own, stand
from tests.wiring.test_processes import OFFLINE

DESK = OFFLINE | {
    "ONHOOK_SOURCES__DESK__KIND": "servicenow",
    "ONHOOK_SOURCES__DESK__INSTANCE_URL": "https://acme.example",
    "ONHOOK_SOURCES__DESK__USERNAME": "onhook",
    "ONHOOK_SOURCES__DESK__PASSWORD": "a-password",
}
CID = "0f9a1d4e-5b7c-4d21-9e3a-2c4b6d8e0f1a"
ANNA = m.Operator("anna", "to see who it is")
DATA = {"conversation_id": CID, "caller_phone": PHONE}


@pytest.mark.parametrize(
    "ticket, told", [({}, []), ({"table": "incident", "sys_id": "9" * 32, "number": "INC1"}, ["ticket"])]
)
async def test_as_a_configured_source(
    folder: Path, monkeypatch: pytest.MonkeyPatch, ticket: dict[str, str], told: list[str]
) -> None:
    """It stands as an open action of that source, a preview by that person; no ticket is told but one that is named."""
    stand(monkeypatch, own(folder) | DESK)
    with EmbeddedRedis(folder):
        asked = await preview("desk", {**DATA, **ticket, "requested_by": "beth"}, ANNA, 0)
        assert asked.outcome is None
        async with opened_store(settings.read(), may_start=False) as (store, _, _):
            account = await store.read(asked.action_id)
    assert account is not None
    action = account.action
    assert (action.source, action.removal.preview, action.removal.requester) == ("desk", True, "beth")
    assert [entry.note for entry in account.timeline] == ["preview, asked by anna", ""]
    assert [report.channel for report in account.reports] == told


@pytest.mark.parametrize(
    "source, data, why",
    [
        ("dusk", DATA, r"there is no \[sources.dusk\]"),
        ("desk", {"conversation_id": CID}, "nobody is named"),
        ("desk", {**DATA, "conversation_id": ".."}, "is not a Genesys conversation id"),
        ("desk", {**DATA, "requested_by": "onhook"}, "our own note"),
    ],
)
async def test_what_cannot_be_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, data: dict[str, str], why: str
) -> None:
    """Whatever a source could not ask either is said in its words, before anything is stored."""
    stand(monkeypatch, own(folder) | DESK)
    with pytest.raises(Misconfigured, match=why):
        await preview(source, data, ANNA, 0)
