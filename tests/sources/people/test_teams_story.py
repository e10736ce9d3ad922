"""Teams from end to end: it waits five seconds and shows what we say by then; what comes later goes to a workflow."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, cast

import httpx
import pytest
from starlette.responses import Response

from service.core import model as m
from service.core.ports import Store
from tests.flow.stage import Scene, Stage
from tests.sources.people.asking import Counter
from tests.sources.senders import PHONE, PlayDesk

SECRET = base64.b64encode(b"a play secret of Teams, 32 bytes").decode()
PATIENCE = 5.0  # seconds after which Teams shows an error, whatever comes then
WORKFLOW = "https://prod-01.westeurope.logic.azure.com/workflows/play/triggers/manual/run"
OPTIONS: dict[str, object] = {"kind": "teams", "org": "acme", "secrets": [SECRET], "desk_url": WORKFLOW}


def message(stage: Stage, text: str) -> m.Delivery:
    """Return what somebody wrote to the webhook in a channel, as Teams signs it."""
    at = stage.clock.now()
    body = json.dumps(
        {
            "type": "message",
            "id": str(at),
            "timestamp": "2100-01-01T00:00:00.0000000Z",
            "text": f"<at>onhook</at>&nbsp;{text}\n",
            "from": {"id": "29:1XJ", "name": "Beth Anglin"},
        }
    ).encode()
    mac = base64.b64encode(hmac.digest(base64.b64decode(SECRET), body, hashlib.sha256))
    headers = ((b"content-type", b"application/json; charset=utf-8"), (b"authorization", b"HMAC " + mac))
    return m.Delivery("desk", headers, body, at)


@dataclass
class Slow:
    """The stage's store, which takes its time: to take an offer, and to say how an action stands."""

    store: Any
    accept_seconds: float = 0.0
    read_seconds: float = 0.0

    async def accept(self, offer: m.Offer) -> m.Receipt:
        await asyncio.sleep(self.accept_seconds)  # real processes: none; the time of these stories is their own
        return cast("m.Receipt", await self.store.accept(offer))

    async def read(self, action_id: str) -> m.Account | None:
        await asyncio.sleep(self.read_seconds)  # real processes: as above
        return cast("m.Account | None", await self.store.read(action_id))


async def asked(stage: Stage, counter: Counter, scene: Scene, worked_after: float) -> tuple[str, float, str]:
    """Ask, let a worker begin after some seconds, and return what Teams shows, when it had it, and the action."""
    began = stage.clock.monotonic()

    async def ask() -> tuple[httpx.Response, float]:
        answer = await counter.ask(message(stage, f"remove {PHONE} {scene.cid}"))
        return answer, stage.clock.monotonic() - began

    asking = asyncio.create_task(ask())
    await stage.clock.sleep(worked_after)
    action_id = await counter.only_action()
    await stage.finish(action_id)
    answer, seconds = await asking
    assert (answer.status_code, answer.json().keys(), answer.json()["type"]) == (200, {"type", "text"}, "message")
    return str(answer.json()["text"]), seconds, action_id


@pytest.mark.parametrize(
    "worked_after, slow, shown, at_most",
    [
        (0.1, {}, "was removed", 2.0),
        (6.0, {}, "has arrived", 3.1),
        (6.0, {"accept_seconds": 1.9}, "has arrived", 3.1),
        (2.5, {"accept_seconds": 1.9, "read_seconds": 1.9}, "has arrived", 3.6),
        (0.1, {"read_seconds": 10.0}, "has arrived", 3.6),
    ],
)
async def test_the_answer_comes_in_time(
    stage: Stage, worked_after: float, slow: dict[str, float], shown: str, at_most: float
) -> None:
    """What is known within the wait is shown, else that it arrived: before Teams gives up, however slow the store."""
    desk, scene = PlayDesk(lambda: Response(status_code=202)), await stage.scene()
    counter = Counter.opened(stage, desk.app, OPTIONS)
    counter.store = cast("Store", Slow(stage.store, **slow))
    text, seconds, _ = await asked(stage, counter, scene, worked_after)
    assert shown in text
    assert seconds <= at_most < PATIENCE - 1  # a second for the way
    assert await scene.effects() == 1


async def test_the_rest_goes_to_a_workflow(stage: Stage) -> None:
    """The outcome is posted as a card to the configured address, also where the answer showed it: once for each."""
    desk, scene = PlayDesk(lambda: Response(status_code=202)), await stage.scene()
    counter = Counter.opened(stage, desk.app, OPTIONS)
    _, _, action_id = await asked(stage, counter, scene, 6.0)
    assert (await counter.told(action_id))["ticket"].state is m.ReportState.TOLD
    (heard,) = desk.heard
    card = json.loads(heard.body)["attachments"][0]["content"]["body"][0]["text"]
    assert heard.headers["host"] == "prod-01.westeurope.logic.azure.com"
    assert "was removed" in card


async def test_without_a_workflow(stage: Stage) -> None:
    """Where no address is configured, what comes after the answer is told to nobody, and nothing stays due."""
    desk, scene = PlayDesk(lambda: Response(status_code=202)), await stage.scene()
    counter = Counter.opened(stage, desk.app, {name: it for name, it in OPTIONS.items() if name != "desk_url"})
    text, _, action_id = await asked(stage, counter, scene, 6.0)
    assert "has arrived" in text
    assert (await stage.account(action_id)).reports == ()
    assert (await stage.tell(), desk.heard) == (0, [])


async def test_words_for_a_mistake(stage: Stage) -> None:
    """What cannot be read is answered in words that Teams shows, and nothing is stored."""
    counter = Counter.opened(stage, PlayDesk(lambda: Response(status_code=202)).app, OPTIONS)
    answer = await counter.ask(message(stage, f"remove {PHONE}"))
    assert (answer.status_code, answer.json()["type"]) == (200, "message")
    assert "conversation_id is missing" in answer.json()["text"]
