"""A day at the console: actions of every kind, refusals, dead letters and acts; and others' text at its worst."""

from __future__ import annotations

from dataclasses import dataclass, replace

from service.core import model as m
from service.flow import operations
from tests.flow.stage import ORG, PHONE, SOURCE, Stage
from tests.web.pages.lookout import Lookout

TITLE = "document.title='owned'"
HOSTILE = (
    f"\"'><script>{TITLE}</script><img src=x onerror={TITLE}>{{{{ 7 * 7 }}}}{{% raw %}}${{7*7}}"
    f"\u202egnp.exe\u2066\x07\x1b[31m javascript:{TITLE} {PHONE} =HYPERLINK(1)"
)
LONG = HOSTILE + "ab " * 1_000 + "W" * 7_000
BETH = m.Operator("beth", "the desk was flooding")


@dataclass(frozen=True)
class Crowd:
    """What came of the day, by the id of its action."""

    removed: str
    preview: str
    hostile: str
    open: str
    dead: str


async def crowded(lookout: Lookout) -> Crowd:
    """Let a day pass; afterwards a source is paused, and one action is open."""
    stage = lookout.stage
    scene = await stage.scene()
    removed = await stage.click(scene, sys_id=await stage.ticket(), reason="abusive caller", msg="msg-0")
    await stage.finish(removed)
    await stage.click(scene, sys_id=await stage.ticket("INC0010113"), msg="msg-0b")
    await stage.tell()
    nobody = await stage.click(
        await stage.scene(), caller_phone="+14155559999", sys_id=await stage.ticket("INC0010114")
    )
    failed = await stage.scene()
    await failed.answers({"on": "disconnect", "status": 400, "code": "bad.request", "times": 9})
    stubborn = await stage.click(failed, sys_id=await stage.ticket("INC0010115"))
    for action_id in (nobody, stubborn):
        await stage.finish(action_id)
    await stage.tell()
    dead = await stage.click(await stage.scene(), sys_id="0" * 32, number="INC0099999")
    await stage.finish(dead)
    await stage.tell()
    hostile = await _offered(stage)
    await stage.finish(hostile)
    minted = lookout.watch.minted(ORG)
    await operations.rehearse(stage.store, stage.clock, minted, removed, by=BETH)
    await stage.finish(minted.action_id)
    again = lookout.watch.minted(ORG)
    await operations.replay(stage.store, stage.clock, again, removed, by=BETH, max_age_seconds=120)
    await stage.finish(again.action_id)
    await stage.tell()
    await _watched(lookout)
    held = await stage.click(await stage.scene(), sys_id=await stage.ticket("INC0010116"))
    await operations.pause(stage.store, [ORG], SOURCE, by=BETH)
    return Crowd(removed, minted.action_id, hostile, held, dead)


async def _offered(stage: Stage) -> str:
    """Store an action of which each text is as bad as can be: more than any source lets through."""
    scene = await stage.scene()
    removal = m.Removal(
        scene.cid,
        m.Selector(m.SelectorKind.ATTRIBUTE, f"{HOSTILE}={HOSTILE}"),
        ticket=m.Ticket(LONG, LONG, LONG),
        requester=LONG,
        reason=LONG,
        event_id=HOSTILE,
    )
    action_id = stage.dice.action_id(ORG)
    entry = m.Entry(HOSTILE, stage.clock.now(), 5.0, HOSTILE, 500, HOSTILE, LONG)
    offer = m.Offer(
        action_id,
        ORG,
        SOURCE,
        "0" * 32,
        removal,
        delivery_key="d" * 64,
        body_hash="b" * 64,
        is_hash_only=False,
        intent_key=None,
        max_age_seconds=120,
        channels=("ticket",),
        entries=(entry,),
    )
    await stage.store.accept(offer)
    return action_id


async def _watched(lookout: Lookout) -> None:
    """Let deliveries be refused, and workers say that they are there."""
    stage, now = lookout.stage, lookout.stage.clock.now()
    for reason in (
        m.Refusal(
            SOURCE, now - 500_000, "unauthorized", "no signature in webhook-signature fits a secret of this source", 310
        ),
        m.Refusal(
            SOURCE,
            now - 400_000,
            "unauthorized",
            "webhook-timestamp is +412 s from our clock; 300 are allowed",
            310,
            "9f8e7d6c",
        ),
        m.Refusal(SOURCE, now - 300_000, "unreadable", LONG, 10_310, "9f8e7d6c"),
    ):
        for number in range(3):
            lookout.book.note(replace(reason, refused_at=reason.refused_at + number))
    await lookout.book.write()
    await stage.store.attend(ORG, "w-host-1:4711:ab12", 2, 0.4, (3400.0, ""))
    await stage.store.attend(ORG, "w-host-2:4712:cd34", 0, 60.0, (0.0, f"401 from the login: {HOSTILE}"))
