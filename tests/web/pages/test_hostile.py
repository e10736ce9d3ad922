"""Every field of a webhook at its worst, through the public door: on every page it is text, whole or refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import httpx
import pytest

from service.core import model as m
from service.web.front import public_door
from tests.flow.stage import PHONE, SECRET, SOURCE, Scene
from tests.web.pages.lookout import PUBLIC, Lookout

SCRIPT = "<script>document.title='owned'</script>"
TURNED = "\u202egnp.exe\u2066"
# what somebody may put into a field: markup, an end of an attribute, templates, what turns text, a terminal's colours,
# a whole number, a formula, and too much
PAYLOADS = {
    "markup": f"{SCRIPT}\" onmouseover=\"document.title='owned'\" '",
    "templates": "{{ 7 * 7 }}{% include 'layout.html' %}${7*7}" + f" =HYPERLINK(1) {PHONE} or +1 (415) 555-0123",
    "turned": f"{TURNED}\x1b[31mred\x07",
    "long": "W" * 10_000,
}
FIELDS = (
    "conversation_id",
    "caller_phone",
    "participant_id",
    "user_id",
    "external_contact_id",
    "communication_id",
    "purpose",
    "attribute",
    "medium",
    "table",
    "sys_id",
    "number",
    "requested_by",
    "actor",
    "reason",
    "preview",
)
PAGES = ("", "/actions", "/refusals", "/refusals?source=desk", "/dead", "/audit")
PIECES = ("<script>", 'onmouseover="', TURNED[0], TURNED[-1], "\x1b", "\x07", PHONE, "555-0123", "W" * 3_001)


async def delivered(lookout: Lookout, scene: Scene, **fields: str) -> httpx.Response:
    """Post one signed webhook with these fields beside what it needs, whatever a source thinks of it."""
    stage = lookout.stage
    data = {"conversation_id": scene.cid, "participant_id": scene.id(), "table": "incident", "sys_id": "0" * 32}
    if fields.keys() & {"caller_phone", "user_id", "external_contact_id", "communication_id", "purpose", "attribute"}:
        data.pop("participant_id")
    stage.sent += 1
    body = json.dumps({"type": "caller.remove", "data": data | fields}).encode()
    message, stamp = f"msg-{stage.sent}", str(stage.clock.now() // 1000)
    mac = hmac.digest(base64.b64decode(SECRET), b".".join((message.encode(), stamp.encode(), body)), hashlib.sha256)
    headers = {"webhook-id": message, "webhook-timestamp": stamp, "content-type": "application/json"}
    headers["webhook-signature"] = f"v1,{base64.b64encode(mac).decode()}"
    door = public_door(
        stage.intake,
        stage.store,
        stage.bells,
        stage.clock,
        lookout.book,
        public_url=PUBLIC,
        is_draining=lambda: False,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=door), base_url="http://door") as http:
        return await http.post(f"/webhooks/{SOURCE}", content=body, headers=headers)


@pytest.mark.parametrize("payload", list(PAYLOADS))
async def test_every_field(lookout: Lookout, payload: str) -> None:
    """Whatever stands in whichever field, taken or refused, no page runs, turns or repeats whole what it should not."""
    stage = lookout.stage
    scene = await stage.scene()
    ids = []
    for field in FIELDS:
        answer = await delivered(lookout, scene, **{field: PAYLOADS[payload]})
        assert answer.status_code in {202, 400, 422}
        ids.extend([answer.json()["action"]] if answer.status_code == 202 else [])
    await lookout.book.write()
    for action_id in ids:
        await stage.finish(action_id)
    await stage.tell()
    assert ids, "some field takes any text"
    shown = [*PAGES, *(f"/actions/{action_id}" for action_id in ids)]
    for path in shown:
        for is_live in (False, True):
            html = (await lookout.get(path, is_live=is_live)).text
            assert [piece for piece in PIECES if piece in html] == [], path
    assert [line for line in await lookout.audit() if line.deed is m.Deed.SETTLE], "it was told in the audit as well"


@pytest.mark.parametrize("payload", list(PAYLOADS))
async def test_every_header(lookout: Lookout, payload: str) -> None:
    """What a stranger puts where the signature is to be reaches the page of refusals as text alone."""
    now = lookout.stage.clock.now()
    lookout.book.note(m.Refusal(SOURCE, now, "unauthorized", PAYLOADS[payload], 10, PAYLOADS[payload][:8]))
    await lookout.book.write()
    html = (await lookout.get("/refusals")).text
    assert [piece for piece in PIECES if piece in html] == []


@pytest.mark.parametrize("payload", list(PAYLOADS))
async def test_every_address(lookout: Lookout, payload: str) -> None:
    """What somebody writes into an address of the console is text on the page that answers, or is refused in words."""
    for page, names in {
        "": ("done", "org", "source"),
        "/actions": ("q", "org", "source", "outcome", "since", "until", "after"),
        "/refusals": ("source",),
        "/dead": ("done", "told", "left"),
        "/audit": ("org", "day", "page"),
        f"/actions/acme.{1:026}/replay": ("preview",),
    }.items():
        for name in names:
            path = f"/console{page}"
            answer = await lookout.http.get(path, params={name: PAYLOADS[payload]}, headers=lookout.headers())
            assert answer.status_code in {200, 400, 404, 422}
            # his own search comes back to him as he typed it, but never as markup
            pieces = [piece for piece in PIECES[:2] if piece in answer.text]
            assert pieces == [], (page, name)
