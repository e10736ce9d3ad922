"""What a person may do: look at an action with its key, wait for its end, pause and resume, ask again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from service.core import model as m
from service.core.errors import Unreadable
from service.core.rules import Minted
from service.flow import operations
from tests.flow.hours import Clock
from tests.flow.stage import ANNA, ORG, PHONE, SOURCE, Stage, policy

OTHER_ORG = "other"


async def test_show(stage: Stage) -> None:
    """An action is shown to who has its key; a wrong key, another action and nonsense look the same."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    key = (await stage.account(action_id)).key
    shown = await operations.show(stage.store, action_id, key)
    assert shown is not None
    assert shown.action.id == action_id
    unknown = f"{ORG}.{'0' * 25}z"
    for asked, with_key in (
        (action_id, ""),
        (action_id, key[:-1]),
        (action_id, "schlüssel"),
        (unknown, key),
        ("..", key),
    ):
        assert await operations.show(stage.store, asked, with_key) is None


async def test_outcome_of(stage: Stage) -> None:
    """Who waits is told in the moment of the settle; who asks afterwards at once."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    waiting = asyncio.create_task(operations.outcome_of(stage.store, stage.bells, stage.clock, action_id, 20))
    await stage.clock.sleep(0.4)
    outcome = await stage.finish(action_id)
    stage.bells.ring(f"settled:{action_id}")
    began = stage.clock.monotonic()
    assert await waiting == outcome
    assert await operations.outcome_of(stage.store, stage.bells, stage.clock, action_id, 0) == outcome
    assert stage.clock.monotonic() - began <= 0.01


async def test_outcome_of_without_a_wake(stage: Stage) -> None:
    """A wake that was lost costs a second."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    waiting = asyncio.create_task(operations.outcome_of(stage.store, stage.bells, stage.clock, action_id, 20))
    await stage.clock.sleep(0.4)
    outcome = await stage.finish(action_id)
    began = stage.clock.monotonic()
    assert await waiting == outcome
    assert stage.clock.monotonic() - began <= 1.0


@pytest.mark.parametrize("seconds", [0.0, 0.5, 3.25])
async def test_outcome_of_in_vain(stage: Stage, seconds: float) -> None:
    """Who waits for what does not end is told so after the time he asked for, and not much later."""
    action_id = await stage.click(await stage.scene())
    began = stage.clock.monotonic()
    assert await operations.outcome_of(stage.store, stage.bells, stage.clock, action_id, seconds) is None
    assert stage.clock.monotonic() - began == pytest.approx(seconds, abs=0.01)


async def test_outcome_of_nothing(stage: Stage) -> None:
    """What is no action is not waited for."""
    clock: Clock = stage.clock
    began = clock.monotonic()
    assert await operations.outcome_of(stage.store, stage.bells, clock, f"{ORG}.{'0' * 26}", 20) is None
    assert clock.monotonic() == began


async def test_pause_and_resume(stage: Stage) -> None:
    """A pause of an org, or of one source of it, stops claims there alone; resumed, what is in time is claimed."""
    action_id = await stage.click(await stage.scene())
    place = stage.place()
    await operations.pause(stage.store, [ORG, OTHER_ORG], by=ANNA)
    assert await stage.store.paused(ORG) == await stage.store.paused(OTHER_ORG) == {""}
    assert await stage.attempts(place) == []
    await operations.resume(stage.store, [ORG], by=ANNA)
    assert await stage.store.paused(ORG) == frozenset()
    assert await stage.store.paused(OTHER_ORG) == {""}
    await operations.pause(stage.store, [ORG], SOURCE, by=ANNA)
    assert await stage.store.paused(ORG) == {SOURCE}
    assert await stage.attempts(place) == []
    await operations.pause(stage.store, [ORG], "elsewhere", by=ANNA)
    await operations.resume(stage.store, [ORG], SOURCE, by=ANNA)
    assert (await stage.finish(action_id, place)).kind is m.OutcomeKind.DISCONNECTED


async def test_a_pause_leaves_what_was_sent_owned(stage: Stage) -> None:
    """What was sent before a pause is looked after later, told truthfully, and never sent again meanwhile."""
    scene = await stage.scene(lag=5)
    action_id = await stage.click(scene)
    assert await stage.once(stage.place()) is None
    await operations.pause(stage.store, [ORG], by=ANNA)
    assert (await stage.finish(action_id)).kind is m.OutcomeKind.DISCONNECTED
    assert len(await scene.calls("PATCH")) == 1


async def test_retell(stage: Stage) -> None:
    """A dead letter is due again when a person says so, once however often, and told once; nothing else is touched."""
    ticket = await stage.ticket()
    action_id = await stage.click(await stage.scene(), sys_id=ticket)
    await stage.finish(action_id)
    report_id = (await stage.report(action_id)).id
    assert await operations.retell(stage.store, report_id, by=ANNA) is False
    await stage.switch(answers=[{"on": "note", "status": 404}])
    await stage.tell()
    assert (await stage.report(action_id)).state is m.ReportState.DEAD
    assert await operations.retell(stage.store, report_id, by=ANNA) is True
    assert await operations.retell(stage.store, report_id, by=ANNA) is False
    assert await stage.tell() == 1
    assert ((await stage.report(action_id)).state, len(await stage.notes(ticket))) == (m.ReportState.TOLD, 1)
    assert await operations.retell(stage.store, f"{action_id}.00000000", by=ANNA) is False
    assert await operations.retell(stage.store, "what is this", by=ANNA) is False


@pytest.mark.parametrize("is_settled", [False, True], ids=["open", "settled"])
async def test_replay(stage: Stage, is_settled: bool) -> None:
    """Asked again by a person it is a new action for the same person, told on the same ticket, and joins nothing."""
    scene, sys_id = await stage.scene(), await stage.ticket()
    await scene.answers({"on": "disconnect", "status": 400, "code": "bad.request"})
    old_id = await stage.click(scene, sys_id=sys_id)
    if is_settled:
        assert (await stage.finish(old_id)).kind is m.OutcomeKind.FAILED
    minted = _minted(stage)
    receipt = await operations.replay(stage.store, stage.clock, minted, old_id, by=ANNA)
    assert receipt == m.Receipt(minted.action_id, minted.key, "")
    old, new = (await stage.account(old_id)).action, await stage.account(minted.action_id)
    assert (new.action.replay_of, old.replay_of) == (old_id, "")
    assert (new.action.clicked_at, new.action.not_after) == (old.clicked_at, old.not_after)
    lines = [(entry.verb, entry.note) for entry in new.timeline]
    assert lines == [("accept", f"replay of {old_id}, asked by ops/anna"), ("accept", "")]
    assert await operations.replay(stage.store, stage.clock, minted, old_id, by=ANNA) == receipt
    assert len((await stage.account(minted.action_id)).timeline) == 2
    later, another = await stage.click(scene), _minted(stage)
    assert later != minted.action_id, "a later click does not join a replay"
    receipt = await operations.replay(stage.store, stage.clock, another, old_id, by=ANNA)
    assert receipt == m.Receipt(another.action_id, another.key, ""), "nor does another replay"
    await scene.answers()
    outcomes = [(await stage.finish(one)).kind for one in {old_id, minted.action_id, later, another.action_id}]
    assert outcomes.count(m.OutcomeKind.DISCONNECTED) == 1
    while await stage.tell():
        pass
    assert len(await stage.notes(sys_id)) == 3
    assert await scene.effects() == 1


async def test_a_replay_of_what_was_late(stage: Stage) -> None:
    """What was too late stays too late when it is asked again, unless the person says how long it may take now."""
    scene = await stage.scene()
    old_id = await stage.click(scene)
    await stage.clock.sleep(120)
    assert (await stage.finish(old_id)).kind is m.OutcomeKind.EXPIRED
    assert (await stage.account(old_id)).action.removal.selector.value == "…0123", "its number was cut with the end"
    with pytest.raises(Unreadable, match="click again"):
        await operations.replay(stage.store, stage.clock, _minted(stage), old_id, by=ANNA, max_age_seconds=60)
    named = await stage.click(scene, caller_phone=None, participant_id=scene.id())
    await stage.clock.sleep(120)
    assert (await stage.finish(named)).kind is m.OutcomeKind.EXPIRED
    minted = _minted(stage)
    await operations.replay(stage.store, stage.clock, minted, named, by=ANNA)
    assert (await stage.finish(minted.action_id)).kind is m.OutcomeKind.EXPIRED
    assert await scene.effects() == 0
    minted = _minted(stage)
    await operations.replay(stage.store, stage.clock, minted, named, by=ANNA, max_age_seconds=60)
    action = (await stage.account(minted.action_id)).action
    assert action.not_after - stage.clock.now() == 60_000
    assert (await stage.finish(minted.action_id)).kind is m.OutcomeKind.DISCONNECTED
    assert await scene.effects() == 1


@pytest.mark.parametrize(
    "named, kind",
    [
        ({"communication_id": "…", "caller_phone": PHONE}, m.SelectorKind.COMMUNICATION_ID),
        ({"communication_id": "…"}, m.SelectorKind.COMMUNICATION_ID),
        ({"purpose": "customer"}, m.SelectorKind.PARTICIPANT_ID),
        ({"attribute": "ticket=INC0010112"}, m.SelectorKind.PARTICIPANT_ID),
        ({"user_id": "be700000-0000-4000-8000-00000000be70", "purpose": "agent"}, m.SelectorKind.USER_ID),
    ],
)
async def test_a_replay_means_the_same(stage: Stage, named: dict[str, str], kind: m.SelectorKind) -> None:
    """Asked again it is the same person, though another is the one customer by now; and one leg stays one leg."""
    scene, stage.terms = await stage.scene(), m.Terms(is_live=False)
    (caller,) = [one for one in scene.people if one["purpose"] == "customer"]
    (leg_id,) = caller["communication_ids"]
    named = {name: leg_id if value == "…" else value for name, value in named.items()}
    old_id = await stage.click(scene, **{"caller_phone": None} | named)
    await stage.finish(old_id)
    kept = (await stage.account(old_id)).action
    assert "INC0010112" not in kept.removal.selector.value, "it may be a name: cut with the end"
    minted = _minted(stage)
    await operations.replay(stage.store, stage.clock, minted, old_id, by=ANNA)
    meant = (await stage.account(minted.action_id)).action.removal
    assert meant.selector.kind is kind
    named_there = {leg_id, caller["id"], named.get("user_id")}
    assert meant.selector.value in named_there


async def test_a_replay_of_a_purpose_that_fitted_nobody(stage: Stage) -> None:
    """Where nobody was found the same is asked again as it was; a cut attribute names nobody any more."""
    scene = await stage.scene()
    by_purpose = await stage.click(scene, caller_phone=None, purpose="external2")
    by_attribute = await stage.click(scene, caller_phone=None, attribute="ticket=INC0099999")
    for one in (by_purpose, by_attribute):
        assert (await stage.finish(one)).kind is m.OutcomeKind.NOT_FOUND
    minted = _minted(stage)
    await operations.replay(stage.store, stage.clock, minted, by_purpose, by=ANNA)
    meant = (await stage.account(minted.action_id)).action.removal.selector
    assert meant == m.Selector(m.SelectorKind.PURPOSE, "external2")
    with pytest.raises(Unreadable, match="click again"):
        await operations.replay(stage.store, stage.clock, _minted(stage), by_attribute, by=ANNA)


async def test_a_replay_asks_the_policy_of_now(stage: Stage) -> None:
    """What the policy forbids meanwhile is refused, though the first one was allowed."""
    scene = await stage.scene()
    await scene.answers({"on": "disconnect", "status": 400, "code": "bad.request"})
    old_id = await stage.click(scene)
    await stage.finish(old_id)
    minted = _minted(stage)
    await operations.replay(stage.store, stage.clock, minted, old_id, by=ANNA)
    stage.terms = policy(purposes=frozenset({"external"}))
    outcome = await stage.finish(minted.action_id, stage.place("strict"))
    assert (outcome.kind, outcome.reason) == (m.OutcomeKind.REFUSED, "purpose")
    assert [call["status"] for call in await scene.calls("PATCH")] == [400]


async def test_a_replay_of_nothing(stage: Stage) -> None:
    """What is no action is not asked again."""
    minted = _minted(stage)
    assert await operations.replay(stage.store, stage.clock, minted, f"{ORG}.{'0' * 25}z", by=ANNA) is None
    assert await operations.replay(stage.store, stage.clock, minted, "..", by=ANNA) is None
    assert await stage.store.read(minted.action_id) is None


def _minted(stage: Stage) -> Minted:
    return Minted(stage.dice.action_id(ORG), stage.dice.token())


@pytest.mark.parametrize("ticketed", [False, True])
async def test_a_preview_by_a_person(stage: Stage, ticketed: bool) -> None:
    """A person may ask who would go: nobody goes, no ticket is told but one that is named; asked twice it is one."""
    scene, sys_id = await stage.scene(), await stage.ticket()
    terms, minted = stage.sources[SOURCE].terms, _minted(stage)
    ticket = m.Ticket(f"incident/{sys_id}", "INC0010112") if ticketed else None
    named = m.Selector(m.SelectorKind.PARTICIPANT_ID, scene.id())
    wish = m.Removal(scene.cid, named, ticket=ticket, event_id="evt-1", event_at=stage.clock.now())
    for _ in range(2):
        receipt = await operations.preview(stage.store, stage.clock, minted, wish, terms, by=ANNA)
        assert (receipt.action_id, receipt.joined) == (minted.action_id, "")
    asked = (await stage.account(minted.action_id)).action.removal
    assert asked == replace(wish, preview=True, event_id="", event_at=None), "it is no delivery's, and is of now"
    outcome = await stage.finish(minted.action_id)
    assert (outcome.kind, outcome.reason, outcome.rehearsed) == (m.OutcomeKind.PREVIEWED, "preview", "preview")
    assert await scene.calls("PATCH") == []
    assert await stage.tell() == (1 if ticketed else 0)
    assert len(await stage.notes(sys_id)) == (1 if ticketed else 0)
    entry, *_ = (await stage.account(minted.action_id)).timeline
    assert (entry.verb, entry.note) == ("accept", "preview, asked by ops/anna")


async def test_a_preview_by_a_person_stands_alone(stage: Stage) -> None:
    """It joins no real click and no real click joins it, and the policy is that for a click of whom it names."""
    scene = await stage.scene()
    real, minted = await stage.click(scene), _minted(stage)
    stage.terms = policy(requesters=frozenset({"beth.anglin"}))
    wish = (await stage.account(real)).action.removal
    await operations.preview(stage.store, stage.clock, minted, wish, stage.sources[SOURCE].terms, by=ANNA)
    nameless = _minted(stage)
    other = replace(wish, requester="")
    await operations.preview(stage.store, stage.clock, nameless, other, stage.sources[SOURCE].terms, by=ANNA)
    assert await stage.click(scene) == real
    assert (await stage.finish(nameless.action_id)).reason == "requester"
    assert (await stage.finish(minted.action_id)).kind in {m.OutcomeKind.PREVIEWED, m.OutcomeKind.ALREADY_GONE}
    assert (await stage.finish(real)).kind is m.OutcomeKind.DISCONNECTED
    assert await scene.effects() == 1


async def test_a_replay_of_what_was_done(stage: Stage) -> None:
    """Who came back is not removed by an old click asked again; for who says how long it may take it is a fresh one."""
    scene = await stage.scene()
    old_id = await stage.click(scene, caller_phone=None, participant_id=scene.id())
    assert (await stage.finish(old_id)).kind is m.OutcomeKind.DISCONNECTED
    with pytest.raises(Unreadable, match="within how many seconds"):
        await operations.replay(stage.store, stage.clock, _minted(stage), old_id, by=ANNA)
    minted = _minted(stage)
    await operations.replay(stage.store, stage.clock, minted, old_id, by=ANNA, max_age_seconds=60)
    assert (await stage.finish(minted.action_id)).kind is m.OutcomeKind.ALREADY_GONE
    assert await scene.effects() == 1


async def test_a_rehearsal(stage: Stage) -> None:
    """Before a replay a person sees whom it would remove now: nobody is, no ticket is told, and it stands by itself."""
    scene, sys_id = await stage.scene(), await stage.ticket()
    await scene.answers({"on": "disconnect", "status": 400, "code": "bad.request"})
    old_id = await stage.click(scene, sys_id=sys_id)
    assert (await stage.finish(old_id)).kind is m.OutcomeKind.FAILED
    assert await stage.tell() == 1
    await scene.answers()
    calls, minted = await scene.calls("PATCH"), _minted(stage)
    for _ in range(2):
        receipt = await operations.rehearse(stage.store, stage.clock, minted, old_id, by=ANNA)
        assert receipt == m.Receipt(minted.action_id, minted.key, "")
    outcome = await stage.finish(minted.action_id)
    assert (outcome.kind, outcome.purpose) == (m.OutcomeKind.PREVIEWED, "customer")
    assert (await stage.tell(), await scene.calls("PATCH")) == (0, calls)
    new, old = [(await stage.account(one)).action for one in (minted.action_id, old_id)]
    assert new.not_after - new.clicked_at == old.not_after - old.clicked_at, "it may take as long as the old one"
    assert await operations.rehearse(stage.store, stage.clock, _minted(stage), f"{ORG}.{'0' * 26}", by=ANNA) is None


async def test_a_rehearsal_of_nobody(stage: Stage) -> None:
    """Where nobody can tell any more who was meant, that is said before anything is stored."""
    scene = await stage.scene()
    old_id = await stage.click(scene, caller_phone="+14155559999")
    assert (await stage.finish(old_id)).kind is m.OutcomeKind.NOT_FOUND
    with pytest.raises(Unreadable, match="click again"):
        await operations.rehearse(stage.store, stage.clock, _minted(stage), old_id, by=ANNA)
