"""Help Scout sends the conversation and no id of the click: what our own note makes it send again is no new one."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from service.core import model as m
from service.sources.presets import preset
from tests.flow.stage import Stage
from tests.sources.presets.test_samples import built, read, sent, swapped
from tests.sources.presets.test_stories import Story, status_in
from tests.sources.presets.vendors import KEY
from tests.sources.senders import NOW


def test_its_signature() -> None:
    """What is signed as its manual says, HMAC-SHA1 of the raw body in base64, is from Help Scout."""
    delivery = sent("helpscout")
    mac = base64.b64encode(hmac.digest(KEY.encode(), delivery.body, "sha1"))
    by_hand = replace(delivery, headers=((b"x-helpscout-signature", mac),))
    assert isinstance(read(built("helpscout"), by_hand), m.Removal)


@pytest.mark.parametrize(
    "change",
    [
        swapped('"text":"Yes"', '"text":"No"'),
        swapped('"name":"Remove caller"', '"name":"Colour"'),
        swapped(preset("helpscout").sample["body"].strip(), '{"id":291938}'),
    ],
)
def test_what_else_it_sends(change: Callable[[str], str]) -> None:
    """Another value, a conversation without the field, and one that was deleted ask nothing."""
    assert isinstance(read(built("helpscout"), sent("helpscout", change)), m.Ignored)


def test_who_clicked_is_not_made_up() -> None:
    """The assignee need not be who clicked, so nobody is named."""
    found = read(built("helpscout"), sent("helpscout"))
    assert isinstance(found, m.Removal)
    assert (found.requester, found.event_at) == ("", NOW)


def moved(body: str) -> str:
    """Return the conversation as it is after a note and a reply, a little later."""
    later = {"status": "closed", "threads": 3, "preview": "…", "tags": [], "assignee": None, "closedBy": 1234}
    event = json.loads(body)
    return json.dumps(event | later | {"userUpdatedAt": event["userUpdatedAt"].replace(":00Z", ":07Z")})


def again(body: str) -> str:
    """Return the conversation as it is when somebody asks once more."""
    return swapped('"text": "Yes"', '"text": "Again"')(moved(body))


async def test_our_note_is_no_click(stage: Stage) -> None:
    """What comes after our note, with the field still set, is the same action and no note more; Again is a new one."""
    scene = await stage.scene()
    story = Story("helpscout", stage, scene)
    await story.ask()
    account = await story.act()
    await story.told(account.action.id)
    await stage.clock.sleep(30)
    echo = await story.ask(moved)
    assert status_in(echo) == "duplicate"
    assert echo.json()["results"][0]["action"] == account.action.id
    assert (await scene.effects(), len(story.desk.notes)) == (1, 1)
    assert status_in(await story.ask(again)) == "accepted"
