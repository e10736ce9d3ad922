"""Each answer of Genesys to a removal × what the next look may show: how it ends, what the ticket reads, who is gone.

The answer is made to order and does nothing by itself; right after the first one the world changes. So whatever the
answer says, the truth is the world's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from service.core import model as m
from service.core.errors import Unreachable
from service.core.wording import SHIPPED
from service.core.wording.answers import TABLE, name_of
from service.sandbox.switches import ON_GONE, SESSION_INACTIVE
from tests.flow.meddler import Meddler
from tests.flow.stage import Scene, Stage

K = m.OutcomeKind
Json = dict[str, Any]


class Answer(NamedTuple):
    """One line of "What an answer means".

    Attributes:
        column: how its cells end, see `ENDS`.
        rule: the sandbox's answer; None where nothing arrives there.
        said: what the ticket is told of it where the person stays.
        calls: PATCHes for each send: one that is turned away as unauthorized is asked once more, under a new token.
        instead: what comes of it when nothing reaches the sandbox.
    """

    column: str
    rule: Json | None
    said: str
    calls: int = 1
    instead: Exception | m.Answer | None = None


def refused(status: int, code: str, said: str, **more: Any) -> Answer:  # noqa: ANN401 - fields of an answer
    """A no that may be a yes later."""
    return Answer("for now", {"status": status, "code": code}, said, **more)


def barred(status: int, code: str, said: str, **more: Any) -> Answer:  # noqa: ANN401 - fields of an answer
    """A no that stays one."""
    return Answer("for good", {"status": status, "code": code}, said, **more)


LATE = m.Reply(None, "timeout")
OVER, FAULT = "says that the call is over", "had a fault of its own"
ANSWERS = {
    **{f"{status}": Answer("accepted", {"status": status}, "had no effect") for status in (200, 202, 204)},
    "400 disconnected": refused(400, "conversation.error.call.disconnected", OVER),
    "400 no active": refused(400, "conversation.error.participant.no.active.conversations", OVER),
    "400 cannot": refused(400, "conversation.error.cannot.disconnect.call", OVER),
    "400 user": Answer("by another route", {"status": 400, "code": "not.a.user"}, "wants a signed-in user"),
    "400 other": barred(400, "bad.request", "did not accept the way"),
    "413": barred(413, "request.entity.too.large", "did not accept the way"),
    "415": barred(415, "unsupported.media.type", "did not accept the way"),
    "401": barred(401, "bad.credentials", "did not let this service log in", calls=2),
    "403 forbidden": refused(403, "not.authorized", "did not let this service into the conversation"),
    "403 permission": barred(403, "missing.permissions", "lacks a permission in Genesys Cloud to remove people."),
    "403 any": barred(403, "missing.any.permissions", "lacks a permission in Genesys Cloud to remove people."),
    "403 division": barred(403, "missing.division.permission", "to remove people in this division."),
    "404": refused(404, "not.found", "did not find the person"),
    "409": refused(409, "general.conflict", "was just changing"),
    "429": Answer("later", {"status": 429, "headers": {"Retry-After": "7"}}, "too much to do"),
    "unreachable": Answer("later", None, "could not be reached", instead=Unreachable("refused")),
    **{f"{status}": Answer("unclear", {"status": status}, FAULT) for status in (408, 500, 502, 503, 504)},
    "timeout": Answer("unclear", None, "Cloud did not answer", instead=m.Answer(m.AnswerKind.UNCLEAR, LATE, 0)),
    "cut": Answer("unclear", {"cut": "before"}, "Cloud did not answer"),
}

# What happens right after the first answer, to the caller and in this order.
WORLDS: Mapping[str, tuple[Json, ...]] = {
    "present": (),
    "gone": ({"event": "hangup"},),
    "lagging": ({"event": "hangup", "lag_seconds": 1},),
    "back": ({"event": "rejoin"},),
    "merged": ({"event": "replace"},),
    "back by another leg": ({"event": "hangup"}, {"event": "add_leg"}),
    "merged away": ({"event": "merge"},),
}
# every answer × the five worlds, and the two other forms of them once for each column
CELLS = [(name, world) for world in [*WORLDS][:5] for name in ANSWERS] + [
    (name, world) for world in [*WORLDS][5:] for name in ("202", "409", "400 other", "400 user", "429", "cut")
]


class End(NamedTuple):
    """How a cell ends."""

    kind: m.OutcomeKind
    reason: str
    sends: int
    is_back: bool = False


REMOVED, BACK = End(K.DISCONNECTED, "confirmed", 1), End(K.DISCONNECTED, "confirmed", 1, is_back=True)
LEFT, RETURNED = End(K.ALREADY_GONE, "gone", 1), End(K.ALREADY_GONE, "gone", 1, is_back=True)
LOST, ABSENT = End(K.UNKNOWN, "participant_lost", 1), End(K.NOT_FOUND, "participant", 1)
STAYS = End(K.FAILED, "genesys_refused", 1)
ENDS: Mapping[str, Mapping[str, End]] = {
    "accepted": {
        "present": End(K.FAILED, "no_effect", 3),
        "gone": REMOVED,
        "lagging": REMOVED,
        "back": BACK,
        "back by another leg": BACK,
        "merged": LOST,
        "merged away": LOST,
    },
    "for now": {
        "present": STAYS._replace(sends=4),
        "gone": LEFT,
        "lagging": LEFT,
        "back": RETURNED,
        "back by another leg": RETURNED,
        "merged": STAYS._replace(sends=4),  # found again by the number, and refused again
        "merged away": ABSENT,
    },
    "by another route": {
        "present": STAYS._replace(sends=2),
        "gone": LEFT,
        "lagging": LEFT,
        "back": RETURNED,
        "back by another leg": RETURNED,
        "merged": STAYS._replace(sends=2),
        "merged away": ABSENT,
    },
    "for good": {
        "present": STAYS,
        "gone": LEFT,
        "lagging": STAYS,  # as the look right after it saw it, and no other is owed
        "back": RETURNED,
        "back by another leg": RETURNED,
        "merged": STAYS,
        "merged away": ABSENT,
    },
    "later": {
        "present": End(K.EXPIRED, "", 0),
        "gone": LEFT._replace(sends=0),
        "lagging": LEFT._replace(sends=0),
        "back": RETURNED._replace(sends=0),
        "back by another leg": RETURNED._replace(sends=0),
        "merged": End(K.EXPIRED, "", 0),
        "merged away": ABSENT._replace(sends=0),
    },
    "unclear": {
        "present": End(K.FAILED, "no_effect", 3),
        "gone": REMOVED,
        "lagging": REMOVED,
        "back": BACK,
        "back by another leg": BACK,
        "merged": LOST,
        "merged away": LOST,
    },
}


# How a note begins, by how it ends.
BEGINS: Mapping[tuple[m.OutcomeKind, bool], str] = {
    (
        K.DISCONNECTED,
        False,
    ): "The caller was removed from the conversation; a look afterwards confirmed it. Still there:",
    (K.DISCONNECTED, True): "The caller was removed from the conversation; a look afterwards confirmed it. The same",
    (K.ALREADY_GONE, False): "Nothing was done: the caller had already left the conversation. Still there:",
    (K.ALREADY_GONE, True): "Nothing was done: the caller had already left the conversation. The same person is in",
    (K.NOT_FOUND, False): "Nobody was removed: nobody in the conversation is the person named on this ticket.",
    (K.UNKNOWN, False): "It is not known where the caller is: the person is no longer listed in this conversation",
    (K.FAILED, False): "The caller is still in the conversation:",
    (K.EXPIRED, False): "Nobody was removed:",
}
OTHERS = "2 agents, 1 external participant"


class Turning(Meddler):
    """The play Genesys, whose world turns once, right after the first answer to a removal, or in place of one."""

    def __init__(self, stage: Stage, scene: Scene, answer: Answer, world: tuple[Json, ...]) -> None:
        super().__init__(stage.cloud())
        self.scene, self.answer, self.world = scene, answer, world
        self.asked = 0

    async def disconnect(self, cid: str, target: m.Target, deadline: float) -> m.Answer:
        self.asked += 1
        try:
            if isinstance(self.answer.instead, m.Answer):
                return self.answer.instead
            if self.answer.instead:
                raise self.answer.instead
            answer: m.Answer = await self.port.disconnect(cid, target, deadline)  # type: ignore[attr-defined] # a Genesys
            return answer
        finally:
            world, self.world = self.world, ()
            for event in world:
                who = "" if event["event"] == "merge" else "Unhappy"
                await self.scene.event(**{"name": who, **event})


@pytest.mark.parametrize("name, world", CELLS)
async def test_each_answer_in_each_world(stage: Stage, name: str, world: str) -> None:
    """Whatever Genesys answers and whatever is then true, the outcome, the note and the count of removals are right."""
    answer = ANSWERS[name]
    end = ENDS[answer.column][world]
    scene, ticket = await stage.scene(), await stage.ticket()
    if answer.rule:
        await scene.answers({"on": "disconnect", "times": None, **answer.rule})
    genesys = Turning(stage, scene, answer, WORLDS[world])
    action_id = await stage.click(scene, sys_id=ticket)
    outcome = await stage.finish(action_id, stage.place(genesys=genesys))
    account = await stage.account(action_id)
    assert (outcome.kind, len(account.action.sends), outcome.is_back) == (end.kind, end.sends, end.is_back)
    assert outcome.reason == end.reason or end.kind is K.EXPIRED
    await _removals_are_counted(scene, answer, genesys)
    await stage.tell()
    (note,) = await stage.notes(ticket)
    _note_is_right(note.removeprefix("Remove Caller: "), end, answer, world)
    _operator_knows(account.action, answer)


async def _removals_are_counted(scene: Scene, answer: Answer, genesys: Turning) -> None:
    """Every call was one of ours for one participant, nothing took effect, and each send was called once."""
    patches = await scene.calls("PATCH")
    assert await scene.effects() == 0
    assert len(patches) == (0 if answer.instead else genesys.asked * answer.calls)
    assert genesys.asked >= 1
    assert genesys.world == ()


def _note_is_right(note: str, end: End, answer: Answer, world: str) -> None:
    """The sentence is the cell's, says who is there, and holds nothing of what Genesys said."""
    assert note.startswith(BEGINS[end.kind, end.is_back])
    assert (answer.said in note) is (end.kind in {K.FAILED, K.EXPIRED})
    assert (OTHERS in note or "1 caller" in note) is (world != "merged away" and end.kind is not K.EXPIRED)
    code = (answer.rule or {}).get("code", "timeout")
    said = note.partition(" [")[0]
    assert code not in said
    assert str((answer.rule or {}).get("status", "timeout")) not in said


def _operator_knows(action: m.Action, answer: Answer) -> None:
    """The operator is told the status and the code, wherever a send was answered."""
    told = SHIPPED.advice(action)
    rule = answer.rule or {}
    if action.sends:
        assert str(rule.get("status", "")) in told
        assert rule.get("code", "") in told


@pytest.mark.parametrize("on_gone", ON_GONE)
async def test_who_leaves_right_before_the_removal(stage: Stage, on_gone: str) -> None:
    """Whatever a removal of somebody who has just left is answered, it ends after one, and nobody else is touched."""
    scene = await stage.scene()
    await scene.switch(on_gone=on_gone)
    others = await scene.present() - {scene.id()}

    class Leaving(Meddler):
        async def disconnect(self, *args: Any) -> m.Answer:  # noqa: ANN401 - as the port's
            await scene.event("hangup", "Unhappy")
            answer: m.Answer = await self.port.disconnect(*args)  # type: ignore[attr-defined] # a Genesys
            return answer

    outcome = await stage.finish(await stage.click(scene), stage.place(genesys=Leaving(stage.cloud())))
    is_accepted = on_gone in {"accepted", SESSION_INACTIVE}
    assert outcome.kind is (K.DISCONNECTED if is_accepted else K.ALREADY_GONE)
    assert (len(await scene.calls("PATCH")), await scene.effects(), await scene.present()) == (1, 0, others)


async def test_a_removal_that_there_is_no_call_for(stage: Stage) -> None:
    """One leg of a medium whose legs have no call of their own: nothing leaves, and the note does not say it did."""
    scene, ticket = await stage.scene(), await stage.ticket()
    (person,) = (await scene.event("add_leg", "Unhappy", media=["chat"]))["participants"]
    leg = person["communication_ids"][-1]
    action_id = await stage.click(scene, sys_id=ticket, communication_id=leg, caller_phone=None)
    outcome = await stage.finish(action_id)
    assert (outcome.kind, outcome.reason) == (K.FAILED, "genesys_refused")
    assert await scene.calls("PATCH") == []
    await stage.tell()
    (note,) = await stage.notes(ticket)
    assert "this service has no way to ask Genesys Cloud for this removal, so it was not sent." in note
    told = SHIPPED.advice((await stage.account(action_id)).action)
    assert "Nothing was sent" in told
    assert "has no call that removes one leg of chats" in told


def test_the_table_is_whole() -> None:
    """Every column knows every world, and every name that an answer can have is met."""
    assert all(ends.keys() == WORLDS.keys() for ends in ENDS.values())
    assert {answer.column for answer in ANSWERS.values()} == ENDS.keys()
    rules = [answer.rule or {} for answer in ANSWERS.values()]
    names = {name_of(m.Reply(rule.get("status"), rule.get("code", ""))) for rule in rules}
    # `forbidden` is a 403 with a code nobody knows, `no_route` never leaves, `unreadable` answers a look
    assert names == {row.name for row in TABLE} - {"forbidden", "no_route", "unreadable"}
