"""One attempt after another until the action ends: what is looked at, what is sent, what it ends as."""

from __future__ import annotations

import itertools

import httpx
import pytest

from service.core import model as m
from service.flow import operations
from tests.flow.stage import ANNA, OFF, ORG, PHONE, Scene, Stage, counted, policy, shadowed

K = m.OutcomeKind
NOBODY = "00000000-0000-4000-8000-000000000000"
STRANGER = "+14155559999"


async def ended(stage: Stage, action_id: str) -> tuple[str, str]:
    """Finish an action; return its outcome in two words."""
    outcome = await stage.finish(action_id)
    return outcome.kind.value, outcome.reason


async def spared(scene: Scene, before: set[str]) -> None:
    """Nothing was sent and nobody left."""
    assert await scene.calls("PATCH") == []
    assert await scene.present() == before


async def test_the_happy_road(stage: Stage) -> None:
    """The caller is looked for, removed by one PATCH and seen gone; all others stay, and the ticket is told once."""
    scene, ticket = await stage.scene(), await stage.ticket()
    others = await scene.present() - {scene.id()}
    counts = [
        ("onhook_outcomes_total", {"outcome": "disconnected"}),
        ("onhook_settle_seconds_count", {"outcome": "disconnected"}),
        *(
            ("onhook_genesys_seconds_count", {"call": one, "status": "2xx"})
            for one in ("look", "disconnect", "confirm")
        ),
    ]
    before = [counted(name, org=ORG, **labels) for name, labels in counts]
    action_id = await stage.click(scene, sys_id=ticket)
    outcome = await stage.once(stage.place())
    assert outcome is not None
    assert (outcome.kind, outcome.reason, outcome.state_seen) == (K.DISCONNECTED, "confirmed", "gone")
    assert (dict(outcome.remaining), dict(outcome.vanished), outcome.is_back) == (
        {"agent": 2, "external": 1},
        {},
        False,
    )
    calls = [(call["method"], call["path"], call["body"], call["status"]) for call in await scene.calls()]
    where = f"/api/v2/conversations/{scene.cid}"
    patch = ("PATCH", f"{where}/participants/{scene.id()}", OFF, 202)
    assert calls == [("GET", where, "", 200), patch, ("GET", where, "", 200)]
    assert await scene.present() == others
    account = await stage.account(action_id)
    assert (account.action.state, len(account.action.sends)) == (m.ActionState.SETTLED, 1)
    did = ["verify", "parse", "accept", "claim", "look", "decide", "disconnect", "confirm", "settle"]
    assert await stage.verbs(action_id) == did
    assert all(entry.correlation_id for entry in account.timeline if entry.verb in {"look", "disconnect", "confirm"})
    assert stage.owner(scene) == ""
    assert [counted(name, org=ORG, **labels) for name, labels in counts] == [count + 1 for count in before]
    assert await stage.tell() == 1
    (note,) = await stage.notes(ticket)
    assert "was removed from the conversation" in note
    assert action_id in note


async def test_already_gone(stage: Stage) -> None:
    """Who hung up before we looked is already gone: one look, nothing sent, and the outcome says who is left."""
    scene = await stage.scene()
    await scene.event("hangup", "Unhappy")
    outcome = await stage.finish(await stage.click(scene))
    assert (outcome.kind, dict(outcome.remaining)) == (K.ALREADY_GONE, {"agent": 2, "external": 1})
    assert [call["method"] for call in await scene.calls()] == ["GET"]


async def test_a_sight_is_as_old_as_its_look(stage: Stage) -> None:
    """What a slow look saw counts from when the look began: a click made meanwhile is not answered by it."""
    scene = await stage.scene()
    await scene.event("hangup", "Unhappy")
    await scene.answers({"on": "look", "delay_seconds": 3})
    action_id = await stage.click(scene)
    began = stage.clock.now()
    assert await stage.once(stage.place()) is not None
    account = await stage.account(action_id)
    assert (account.action.seen_at - began, account.action.settled_at - began) == (0, 3000)


@pytest.mark.parametrize(
    "where, who, reason", [("unknown", PHONE, "conversation"), ("", STRANGER, "participant")], ids=["cid", "person"]
)
async def test_not_found_takes_two_looks(stage: Stage, where: str, who: str, reason: str) -> None:
    """Nobody is not found before two looks three seconds apart agree."""
    scene = await stage.scene()
    before = await scene.present()
    asked = Scene(stage, NOBODY, []) if where else scene
    assert await ended(stage, await stage.click(asked, caller_phone=who)) == ("not_found", reason)
    first, second = [call["at"] for call in await asked.calls("GET")]
    assert 3.0 <= second - first < 3.5
    await spared(scene, before)


async def test_a_late_listing_is_found(stage: Stage) -> None:
    """A conversation that nobody is listed in yet is looked at again, and the caller removed once he is there."""
    scene = await stage.scene("starting")
    action_id = await stage.click(scene)
    assert await stage.once(stage.place()) is None
    await scene.event("join", participant={"purpose": "customer", "address": f"tel:{PHONE}"})
    assert await ended(stage, action_id) == ("disconnected", "confirmed")
    assert await scene.effects() == 1


async def test_ambiguous_removes_nobody(stage: Stage) -> None:
    """Two people with the number named: nobody leaves, and the ticket names both."""
    scene, ticket = await stage.scene(), await stage.ticket()
    await scene.event("join", participant={"purpose": "customer", "address": f"tel:{PHONE}"})
    before = await scene.present()
    action_id = await stage.click(scene, sys_id=ticket)
    assert await ended(stage, action_id) == ("refused", "ambiguous")
    await spared(scene, before)
    await stage.tell()
    assert scene.id() in (await stage.notes(ticket))[0]


@pytest.mark.parametrize(
    "terms, who, expected",
    [
        (m.Terms(), "Beth", ("refused", "purpose")),
        (policy(purposes=frozenset({"agent"})), "Unhappy", ("refused", "purpose")),
        (policy(last_pair="refuse"), "Unhappy", ("refused", "last_pair")),
        (shadowed(), "Unhappy", ("previewed", "shadow")),
    ],
)
async def test_terms_forbid_the_send(stage: Stage, terms: m.Terms, who: str, expected: tuple[str, str]) -> None:
    """What policy forbids, and anything in shadow mode, is never sent."""
    scene = await stage.scene("pair")
    before = await scene.present()
    stage.terms = terms
    asked = await stage.click(scene, caller_phone=None, participant_id=scene.id(who))
    assert await ended(stage, asked) == expected
    await spared(scene, before)


async def test_preview(stage: Stage) -> None:
    """A preview says who would go and who would stay, and sends nothing."""
    scene = await stage.scene()
    before = await scene.present()
    outcome = await stage.finish(await stage.click(scene, preview=True))
    assert (outcome.kind, outcome.reason, outcome.purpose) == (K.PREVIEWED, "preview", "customer")
    assert dict(outcome.remaining) == {"agent": 2, "external": 1}
    await spared(scene, before)


async def test_allowed_last_pair_ends_the_call(stage: Stage) -> None:
    """Where the policy allows it the last pair is parted, and the note says that the conversation has ended."""
    scene, ticket = await stage.scene("pair"), await stage.ticket()
    action_id = await stage.click(scene, sys_id=ticket)
    outcome = await stage.finish(action_id)
    assert (outcome.kind, dict(outcome.vanished)) == (K.DISCONNECTED, {"agent": 1})
    await stage.tell()
    assert "the conversation has ended" in (await stage.notes(ticket))[0]


# --- late is wrong ---------------------------------------------------------------------------------------------------


async def test_late_without_a_worker(stage: Stage) -> None:
    """What no worker touched before its not-after expires without a look, and says so."""
    scene, ticket = await stage.scene(), await stage.ticket()
    action_id = await stage.click(scene, sys_id=ticket)
    await stage.clock.sleep(121)
    assert await ended(stage, action_id) == ("expired", "late")
    assert await scene.calls() == []
    assert (await stage.account(action_id)).action.seen_at == 0
    await stage.tell()
    assert "too old" in (await stage.notes(ticket))[0]


async def test_late_because_paused(stage: Stage) -> None:
    """A click that waits out a pause expires as paused; nobody looked."""
    scene = await stage.scene()
    await operations.pause(stage.store, [ORG], by=ANNA)
    action_id = await stage.click(scene)
    assert await ended(stage, action_id) == ("expired", "paused")
    assert await scene.calls() == []


async def test_resumed_in_time(stage: Stage) -> None:
    """What is still in time when a pause is taken back is done."""
    scene = await stage.scene()
    await operations.pause(stage.store, [ORG], by=ANNA)
    action_id = await stage.click(scene)
    assert await stage.attempts(stage.place()) == []
    await operations.resume(stage.store, [ORG], by=ANNA)
    assert await ended(stage, action_id) == ("disconnected", "confirmed")


async def test_late_because_unreachable(stage: Stage) -> None:
    """A click that Genesys never answered expires as genesys_unreachable, and was looked at ever less often."""
    scene = await stage.scene()
    await scene.answers({"on": "look", "status": 503, "times": None})
    action_id = await stage.click(scene)
    assert await ended(stage, action_id) == ("expired", "genesys_unreachable")
    moments = [call["at"] for call in await scene.calls("GET")]
    apart = [round(later - earlier) for earlier, later in itertools.pairwise(moments)]
    assert apart == [1, 2, 4, 8, 16, 30, 30]
    assert await scene.calls("PATCH") == []


async def test_late_because_the_removal_never_arrives(stage: Stage) -> None:
    """A removal that cannot be handed over is taken back each time, and expires unsent."""
    scene = await stage.scene()
    stage.broken.extend([("PATCH", httpx.ConnectError("no"))] * 1000)
    action_id = await stage.click(scene)
    kind, reason = await ended(stage, action_id)
    assert (kind, reason in {"genesys_unreachable", "late"}) == ("expired", True)
    assert await scene.calls("PATCH") == []
    assert (await stage.account(action_id)).action.sends == ()
    assert len(await scene.calls("GET")) <= 125


async def test_late_because_busy(stage: Stage) -> None:
    """A click that the budget does not carry in time expires as busy."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    (attempt,) = await stage.attempts(stage.place())
    await stage.store.throttle(ORG, 170)
    assert await attempt.run() is None
    account = await stage.account(action_id)
    assert account.action.progress.held_by == "busy"
    assert await ended(stage, action_id) == ("expired", "busy")
    assert await scene.calls() == []


async def test_late_between_look_and_mark(stage: Stage) -> None:
    """What becomes late after the look is not sent, though our own clock does not know it yet."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    (attempt,) = await stage.attempts(stage.place())
    stage.client.hset(stage.keys.action(action_id), "not_after", str(stage.clock.now()))
    outcome = await attempt.run()
    assert outcome is not None
    assert (outcome.kind, outcome.reason) == (K.EXPIRED, "late")
    assert [call["method"] for call in await scene.calls()] == ["GET"]


async def test_a_summary_says_what_an_attempt_did(stage: Stage) -> None:
    """The one wide line of an attempt has everything known: who, where, which rows, how it ended."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    (attempt,) = await stage.attempts(stage.place())
    assert (attempt.summary["outcome"], attempt.summary["reason"]) == ("", "")
    await attempt.run()
    said = attempt.summary
    assert (said["action"], said["org"], said["source"], said["conversation"]) == (action_id, ORG, "desk", scene.cid)
    assert (said["rows"], said["sends"], said["outcome"]) == ([0, 13, 14, 12], 1, "disconnected")
    assert said["duration_ms"] == pytest.approx(300, abs=5)
