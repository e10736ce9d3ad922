"""What Genesys may answer to a look and to a removal, and what becomes of the action."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import httpx
import pytest

from service.core import model as m
from service.core.wording import SHIPPED
from tests.flow.meddler import Meddler
from tests.flow.stage import ORG, Scene, Stage, counted, policy

K = m.OutcomeKind
Rule = dict[str, Any]
ENDED = (
    "conversation.error.call.disconnected",
    "conversation.error.participant.no.active.conversations",
    "conversation.error.cannot.disconnect.call",
)
REMOVED = ("disconnected", "confirmed")


def on(kind: str, status: int | None = None, **more: object) -> Rule:
    """A rule of the sandbox for one answer."""
    return {"on": kind, **({"status": status} if status else {}), **more}


def patch(status: int | None = None, **more: object) -> Rule:
    """A rule for the answer to a removal."""
    return on("disconnect", status, **more)


async def ending(stage: Stage, scene: Scene, *rules: Rule) -> tuple[tuple[str, str], list[str]]:
    """Finish a click under these rules; return its outcome in two words, and the methods of the calls in order."""
    await scene.answers(*rules)
    outcome = await stage.finish(await stage.click(scene))
    return (outcome.kind.value, outcome.reason), [call["method"] for call in await scene.calls()]


def calls_counted(name: str, call: str, status: str) -> float:
    """Return how many calls of a kind were counted."""
    return counted(name, org=ORG, call=call, status=status)


async def test_conflict_while_present(stage: Stage) -> None:
    """A 409 with the person still there is repeated after a pause, and a look before it."""
    scene = await stage.scene()
    assert await ending(stage, scene, patch(409)) == (REMOVED, ["GET", "PATCH", "GET", "GET", "PATCH", "GET"])
    first, second = [call["at"] for call in await scene.calls("PATCH")]
    assert 1.0 <= second - first < 1.5
    assert await scene.effects() == 1


@pytest.mark.parametrize("off", [-3_600_000, 3_600_000])
async def test_a_machine_whose_wall_clock_is_wrong(stage: Stage, off: int) -> None:
    """The pause after a refusal is measured by the store's clock, whatever the worker's own wall clock says."""
    scene = await stage.scene()
    await scene.answers(patch(409))

    class Off(Meddler):
        async def disconnect(self, *args: Any) -> m.Answer:  # noqa: ANN401 - as the port's
            answer: m.Answer = await self.port.disconnect(*args)  # type: ignore[attr-defined] # a Genesys
            return replace(answer, answered_at=answer.answered_at + off)

    await stage.finish(await stage.click(scene), stage.place(genesys=Off(stage.cloud())))
    first, second = [call["at"] for call in await scene.calls("PATCH")]
    assert 1.0 <= second - first < 1.5


@pytest.mark.parametrize(
    "rule",
    [*(patch(400, code=code) for code in ENDED), patch(409), patch(403, code="not.authorized"), patch(404)],
    ids=[*ENDED, "409", "not.authorized", "404"],
)
async def test_refused_and_gone(stage: Stage, rule: Rule) -> None:
    """Who is gone although our removal was refused is already gone, and not our doing."""
    scene = await stage.scene(lag=0)
    # the refusal comes with the person's own leaving
    assert await ending(stage, scene, rule | {"effect": True}) == (("already_gone", "gone"), ["GET", "PATCH", "GET"])


@pytest.mark.parametrize("code", ENDED)
async def test_already_ended_and_still_there(stage: Stage, code: str) -> None:
    """Each "already ended" while the person is there is tried four times, then failed; the operator hears the code."""
    scene, ticket = await stage.scene(), await stage.ticket()
    before = await scene.present()
    await scene.answers(patch(400, code=code, times=None))
    action_id = await stage.click(scene, sys_id=ticket)
    outcome = await stage.finish(action_id)
    assert (outcome.kind, outcome.reason) == (K.FAILED, "genesys_refused")
    assert outcome.reply is not None
    patches = await scene.calls("PATCH")
    assert (outcome.reply.code, outcome.reply.correlation_id) == (code, patches[-1]["correlation_id"])
    moments = [call["at"] for call in patches]
    assert [round(b - a, 1) for a, b in itertools.pairwise(moments)] == [1.0, 2.0, 4.0]
    assert await scene.present() == before
    await stage.tell()
    assert code not in (await stage.notes(ticket))[0]
    assert code in SHIPPED.advice((await stage.account(action_id)).action)


@pytest.mark.parametrize(
    "rule, code",
    [
        (patch(400, code="bad.request"), "bad.request"),
        (patch(403, code="missing.permissions"), "missing.permissions"),
        (patch(413), "request.entity.too.large"),
    ],
)
async def test_refused_for_good(stage: Stage, rule: Rule, code: str) -> None:
    """What repeating cannot mend is sent once, looked after once, and failed with Genesys' own code."""
    scene, asked = await stage.scene(), ("onhook_genesys_seconds_count", "disconnect", "4xx")
    before = calls_counted(*asked)
    said, calls = await ending(stage, scene, rule)
    assert (said, calls) == (("failed", "genesys_refused"), ["GET", "PATCH", "GET"])
    assert await scene.effects() == 0
    assert calls_counted(*asked) == before + 1


@pytest.mark.parametrize(
    "rule, reason, name",
    [
        (on("look", 403, code="missing.permissions"), "forbidden", "permission"),
        (on("look", 403, code="not.authorized"), "forbidden", "closed"),
        (on("look", 400), "rejected", "our_fault"),
        (on("look", 401, times=None), "rejected", "login"),
    ],
)
async def test_a_look_refused_for_good(stage: Stage, rule: Rule, reason: str, name: str) -> None:
    """A look that is not allowed, or not understood, fails the action and says what to mend; nothing is sent."""
    scene = await stage.scene()
    failed = counted("onhook_failures_total", org=ORG, cause=f"{reason}.{name}")
    said, calls = await ending(stage, scene, rule)
    assert counted("onhook_failures_total", org=ORG, cause=f"{reason}.{name}") == failed + 1
    assert said == ("failed", reason)
    assert "PATCH" not in calls
    assert len(calls) == (2 if rule["status"] == 401 else 1)


@pytest.mark.parametrize("kind", ["look", "disconnect"])
async def test_a_token_that_ends_in_the_middle(stage: Stage, kind: str) -> None:
    """A 401 is answered by one new token and one repeat; nobody notices."""
    scene = await stage.scene()
    said, calls = await ending(stage, scene, on(kind, 401, code="credentials.expired"))
    assert said == REMOVED
    assert calls.count("PATCH") == (2 if kind == "disconnect" else 1)
    assert len(await stage.calls("login")) == 2
    assert await scene.effects() == 1


async def test_a_token_that_is_never_good(stage: Stage) -> None:
    """A removal that is 401 under a new token too is failed, not repeated."""
    scene = await stage.scene()
    said, calls = await ending(stage, scene, patch(401, times=None))
    assert (said, calls) == (("failed", "genesys_refused"), ["GET", "PATCH", "PATCH", "GET"])


@pytest.mark.parametrize("body", [None, "<html>slow down</html>"], ids=["json", "html"])
async def test_throttled_removal(stage: Stage, body: str | None) -> None:
    """A 429 takes the mark back, frees the conversation, and its Retry-After is a floor for every worker of the org."""
    scene, other = await stage.scene(), await stage.scene()
    first, second = stage.place("w1"), stage.place("w2")
    await scene.answers(patch(429, headers={"Retry-After": "7"}, **({"body": body} if body else {})))
    action_id = await stage.click(scene)
    assert await stage.once(first) is None
    account = await stage.account(action_id)
    assert (account.action.sends, account.action.progress.held_by) == ((), "busy")
    assert stage.owner(scene) == ""
    elsewhere = await stage.click(other)
    assert await stage.attempts(second) == []
    assert await stage.store.spend(ORG, "confirm") == pytest.approx(7.0, abs=0.01)
    began = stage.clock.now()
    assert (await stage.finish(elsewhere, second)).kind is K.DISCONNECTED
    assert (await stage.finish(action_id, second)).kind is K.DISCONNECTED
    assert all(call["at"] >= began / 1000 + 6.9 for call in await other.calls())
    assert [call["status"] for call in await scene.calls("PATCH")] == [429, 202]


async def test_throttled_for_a_moment(stage: Stage) -> None:
    """After a short Retry-After the conversation is looked at again before the next send."""
    scene = await stage.scene()
    said, calls = await ending(stage, scene, patch(429, headers={"Retry-After": "1"}))
    assert (said, calls) == (REMOVED, ["GET", "PATCH", "GET", "PATCH", "GET"])
    account = await stage.account(await stage.click(scene))
    assert "not done: throttled" in [entry.note for entry in account.timeline]


async def test_throttled_look(stage: Stage) -> None:
    """A 429 on a look is a floor for every worker of the org too."""
    scene = await stage.scene()
    await scene.answers(on("look", 429, headers={"Retry-After": "7"}))
    action_id = await stage.click(scene)
    assert await stage.once(stage.place()) is None
    assert await stage.store.spend(ORG) == pytest.approx(7.0, abs=0.01)
    assert (await stage.finish(action_id)).kind is K.DISCONNECTED
    first, second = [call["at"] for call in await scene.calls("GET")][:2]
    assert second - first >= 7


@pytest.mark.parametrize(
    "rule",
    [
        *(patch(status) for status in (408, 500, 502, 503, 504)),
        patch(cut="before"),
        patch(302, headers={"Location": "https://elsewhere.example/"}),
    ],
    ids=str,
)
async def test_unclear_before_the_effect(stage: Stage, rule: Rule) -> None:
    """Where nobody knows what became of a removal, the window is waited out with looks before it is sent again."""
    scene = await stage.scene()
    said, calls = await ending(stage, scene, rule)
    assert said == REMOVED
    first, second = [call["at"] for call in await scene.calls("PATCH")]
    assert second - first >= 8
    assert calls[:3] == ["GET", "PATCH", "GET"]
    assert calls[-3:] == ["GET", "PATCH", "GET"]
    assert await scene.effects() == 1


@pytest.mark.parametrize(
    "rule",
    [
        *(patch(status, effect=True) for status in (408, 500, 502, 503, 504)),
        patch(cut="after"),
        patch(202, effect=True, delay_seconds=4.9),
        patch(202, effect=True, delay_seconds=30),
    ],
    ids=str,
)
async def test_unclear_after_the_effect(stage: Stage, rule: Rule) -> None:
    """Where it had acted there is no second PATCH, and it is told as ours."""
    scene = await stage.scene(lag=0)
    said, calls = await ending(stage, scene, rule)
    assert (said, calls) == (REMOVED, ["GET", "PATCH", "GET"])
    assert await scene.effects() == 1


@pytest.mark.parametrize("fault", [httpx.ReadError("reset"), httpx.ReadTimeout("late")], ids=repr)
async def test_an_answer_lost_on_the_way(stage: Stage, fault: Exception) -> None:
    """A call that ended after it may have left is looked after first, never repeated blindly."""
    scene = await stage.scene()
    stage.broken.append(("PATCH", fault))
    assert (await ending(stage, scene))[0] == REMOVED
    (sent,) = await scene.calls("PATCH")
    assert len([call for call in await scene.calls("GET") if call["at"] < sent["at"]]) >= 6


@pytest.mark.parametrize("fault", [httpx.ConnectError("no"), httpx.ConnectTimeout("no")], ids=repr)
async def test_a_removal_that_never_left(stage: Stage, fault: Exception) -> None:
    """What was never handed over is taken back and sent again after a short wait and a look."""
    scene = await stage.scene()
    stage.broken.append(("PATCH", fault))
    assert (await ending(stage, scene)) == (REMOVED, ["GET", "GET", "PATCH", "GET"])
    first, second = [call["at"] for call in await scene.calls("GET")][:2]
    assert 1.0 <= second - first < 1.5


async def test_no_effect(stage: Stage) -> None:
    """A removal that is accepted and does nothing is sent three times, and failed only when nothing may land."""
    scene, ticket = await stage.scene(), await stage.ticket()
    await scene.switch(lost=True)
    before = await scene.present()
    action_id = await stage.click(scene, sys_id=ticket)
    outcome = await stage.finish(action_id)
    assert (outcome.kind, outcome.reason, outcome.state_seen) == (K.FAILED, "no_effect", "connected")
    moments = [call["at"] for call in await scene.calls("PATCH")]
    assert len(moments) == 3
    assert all(later - earlier >= 8 for earlier, later in itertools.pairwise(moments))
    account = await stage.account(action_id)
    assert account.action.settled_at >= account.action.sends[-1].deadline_at + 10_000
    assert await scene.present() == before
    await stage.tell()
    assert "had no effect" in (await stage.notes(ticket))[0]


async def test_an_attempts_line_says_what_to_mend(stage: Stage) -> None:
    """An attempt's one line holds the operator's sentence of an end that was not what was wanted, and of no other."""
    refused, removed = await stage.scene(), await stage.scene()
    await refused.answers(on("look", 403, code="missing.permissions"))
    said = []
    for scene in (refused, removed):
        await stage.click(scene)
        (attempt,) = await stage.attempts(stage.place())
        assert attempt.summary["operator"] == ""
        await attempt.run()
        said.append(str(attempt.summary["operator"]))
    assert "give the OAuth client's role Conversation > Communication > View" in said[0]
    assert said[1] == ""


async def test_no_effect_and_too_late(stage: Stage) -> None:
    """Past its not-after nothing is sent again, though the first removal had no effect."""
    scene = await stage.scene()
    await scene.switch(lost=True)
    stage.sources["desk"] = stage.source(max_age=5)
    outcome = await stage.finish(await stage.click(scene))
    assert (outcome.kind, outcome.reason, len(await scene.calls("PATCH"))) == (K.FAILED, "no_effect", 1)


async def test_no_effect_and_forbidden_meanwhile(stage: Stage) -> None:
    """A removal is not repeated once the last pair is left and may not be parted."""
    scene = await stage.scene()
    stage.terms = policy(last_pair="refuse")
    await scene.switch(lost=True)
    action_id = await stage.click(scene)
    assert await stage.once(stage.place()) is None
    await scene.event("hangup", "Omar")
    await scene.event("hangup", "external")
    outcome = await stage.finish(action_id)
    assert (outcome.kind, outcome.reason, len(await scene.calls("PATCH"))) == (K.FAILED, "last_pair", 1)


@pytest.mark.parametrize("lag", [0, 0.25, 0.3, 0.5, 1, 2, 2.4, 3, 4.8, 5, 6, 7, 7.2, 7.9])
async def test_state_that_lags(stage: Stage, lag: float) -> None:
    """Wherever in the window it shows, there is exactly one PATCH."""
    scene = await stage.scene(lag=lag)
    said, calls = await ending(stage, scene)
    assert (said, calls.count("PATCH")) == (REMOVED, 1)


@pytest.mark.parametrize("lag", [8.5, 9, 9.9])
async def test_state_that_lags_beyond_the_window(stage: Stage, lag: float) -> None:
    """Where it shows only after the window there is still one effect, and no lie."""
    scene = await stage.scene(lag=lag)
    said, calls = await ending(stage, scene)
    assert (said, await scene.effects()) == (REMOVED, 1)
    assert calls.count("PATCH") <= 2


async def test_blind_after_the_send(stage: Stage) -> None:
    """Who cannot be looked for any more after the send ends as unknown when the verify budget is over, not before."""
    scene = await stage.scene()
    await scene.answers(patch(), on("look", times=1), on("look", 503, times=None))
    action_id = await stage.click(scene)
    outcome = await stage.finish(action_id)
    account = await stage.account(action_id)
    assert (outcome.kind, outcome.reason) == (K.UNKNOWN, "cannot_see")
    assert "Genesys answered 503" in SHIPPED.advice(account.action)
    assert account.action.settled_at - account.action.sends[0].marked_at >= 15 * 60_000
    assert len(await scene.calls("PATCH")) == 1


async def test_the_conversation_vanishes_after_the_send(stage: Stage) -> None:
    """A conversation that cannot be found after the send is no proof: unknown, once nothing of ours may land."""
    scene = await stage.scene(lag=9)
    await scene.answers(patch(), on("look", times=1), on("look", 404, times=None))
    outcome = await stage.finish(await stage.click(scene))
    assert (outcome.kind, outcome.reason) == (K.UNKNOWN, "conversation_not_found")
    assert len(await scene.calls("PATCH")) == 1
