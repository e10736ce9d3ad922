"""The numbers that decisions are measured by, and what an outcome says beside its kind."""

from dataclasses import replace

import pytest

from service.core import model as m
from service.core.rules import Settle, decide, remember, situation_of
from service.core.selection import View
from service.core.situation import Situation
from tests.core.scenes import (
    ACCEPTED,
    AGENT,
    AGENT_THERE,
    BARE,
    BY_ID,
    CALLER_BACK,
    CALLER_GONE,
    CALLER_THERE,
    FOR_GOOD,
    FOR_NOW,
    NOW,
    OTHER,
    OTHER_THERE,
    PIN,
    SUPERVISOR_THERE,
    TALK,
    UNCLEAR,
    absent,
    action,
    conversation,
    gone,
    leg,
    legless,
    person,
    seen,
    send,
    sent,
)

V, K = View, m.OutcomeKind
SHADOW = m.Terms(is_live=False)


def outcome_of(situation: Situation) -> m.Outcome:
    """The outcome of a situation that ends its action."""
    decision = decide(situation)
    assert isinstance(decision, Settle)
    return decision.outcome


def after(*sends: m.Send, sight: m.Sight, bystanders: dict[str, str] | None = None) -> m.Outcome:
    """The outcome when `sends` were made among `bystanders` and a look then shows `sight`."""
    asked = action(*sends, selector=BY_ID, progress=m.Progress(PIN, bystanders=bystanders or {}))
    return outcome_of(situation_of(asked, sight, m.Terms(), NOW))


def test_whose_sends_count() -> None:
    """A bare mark, an accepted and an unclear send are ours; refusals are not."""
    situation = seen(V.PRESENT, *sent(BARE, ACCEPTED, FOR_NOW, UNCLEAR, FOR_GOOD))
    assert [it.number for it in situation.ours] == [1, 2, 4]
    assert [it.number for it in situation.refused] == [3, 5]


@pytest.mark.parametrize(
    "sends, quiet",
    [
        ((), True),
        (sent(FOR_NOW), True),
        (sent(ACCEPTED, ago=11.999), False),
        (sent(ACCEPTED, ago=12), True),
        (sent(BARE, FOR_NOW, ago=3.999), False),
        (sent(BARE, FOR_NOW, ago=4), True),
        ((send(1, ACCEPTED, 1), send(2, BARE, 20)), False),
    ],
)
def test_quiet(sends: tuple[m.Send, ...], quiet: bool) -> None:
    """Quiet is ten seconds after the last deadline of those that may land, whatever order they stand in."""
    assert seen(V.PRESENT, *sends).is_quiet is quiet


def test_late() -> None:
    """At not-after it is late, a millisecond before it is not."""
    assert seen(V.PRESENT, left=0).is_late
    assert not seen(V.PRESENT, left=0.001).is_late


@pytest.mark.parametrize(
    "sends, left",
    [
        ((), 0.0),
        (sent(BARE), 0.0),
        (sent(ACCEPTED), 0.0),
        (sent(FOR_NOW, ago=0.25), 0.75),
        (sent(FOR_NOW, ago=1), 0.0),
        (sent(FOR_NOW, FOR_NOW, ago=0.5), 1.5),
        (sent(FOR_NOW, FOR_NOW, FOR_NOW, FOR_NOW, ago=0), 4.0),
        (sent(FOR_NOW, ago=-5), 1.0),
    ],
)
def test_back_off(sends: tuple[m.Send, ...], left: float) -> None:
    """1, 2, 4 s after the first, second and any later refusal; none after a send that is ours."""
    assert seen(V.PRESENT, *sends).back_off_left_seconds == left


def test_agreement() -> None:
    """Two looks agree when both missed the same thing, three seconds apart."""
    assert seen(V.NOBODY, progress=absent(V.NOBODY, 3)).is_agreed
    assert not seen(V.NOBODY, progress=absent(V.NOBODY, 2.999)).is_agreed
    assert not seen(V.NOBODY, progress=absent(V.NO_CONVERSATION, 3)).is_agreed
    assert not seen(V.NO_CONVERSATION, progress=m.Progress()).is_agreed


def test_a_refusal_names_the_setting() -> None:
    """What the policy refuses says which setting would allow it; nobody is refused who is not there."""
    by_purpose = seen(V.PRESENT, terms=m.Terms(m.Policy(frozenset({"agent"})))).forbidden_by
    assert by_purpose is not None
    assert (by_purpose.reason, by_purpose.allowed_by) == ("purpose", "orgs.main.purposes")
    pair = conversation(CALLER_THERE, AGENT_THERE, person(OTHER, "ivr"))
    kept = situation_of(action(), pair, m.Terms(m.Policy(last_pair="refuse")), NOW).forbidden_by
    assert kept is not None
    assert (kept.reason, kept.allowed_by) == ("last_pair", "orgs.main.last_pair")
    assert seen(V.CANNOT_SEE, terms=m.Terms(m.Policy(frozenset()))).forbidden_by is None


@pytest.mark.parametrize(
    "situation, rehearsed",
    [
        (seen(V.PRESENT), ""),
        (seen(V.PRESENT, preview=True), "preview"),
        (seen(V.GONE, terms=SHADOW), "shadow"),
        (seen(V.GONE, terms=SHADOW, preview=True), "preview"),
        (seen(V.GONE, *sent(ACCEPTED), terms=SHADOW), ""),
        (seen(V.NOBODY, terms=m.Terms(narrowed_by=m.Limits(is_live=False))), "shadow"),
    ],
)
def test_an_outcome_says_whether_it_was_meant(situation: Situation, rehearsed: str) -> None:
    """Where nothing would have been sent whatever was found, the outcome says why; what was sent counts."""
    assert situation.end(m.OutcomeKind.ALREADY_GONE, "gone").rehearsed == rehearsed


@pytest.mark.parametrize(
    "sends, left, terms, preview, allowed",
    [
        (sent(FOR_NOW), 1, m.Terms(), False, True),
        (sent(FOR_NOW), 0, m.Terms(), False, False),
        (sent(FOR_NOW), 1, SHADOW, False, False),
        (sent(FOR_NOW), 1, m.Terms(), True, False),
        (sent(FOR_NOW), 1, m.Terms(m.Policy(frozenset())), False, False),
        (sent(FOR_GOOD), 1, m.Terms(), False, False),
        (sent(FOR_NOW, FOR_NOW, FOR_NOW), 1, m.Terms(), False, True),
        (sent(FOR_NOW, FOR_NOW, FOR_NOW, FOR_NOW), 1, m.Terms(), False, False),
        (sent(BARE, ACCEPTED), 1, m.Terms(), False, True),
        (sent(BARE, ACCEPTED, UNCLEAR), 1, m.Terms(), False, False),
        (sent(BARE, FOR_NOW, ACCEPTED, FOR_NOW, FOR_NOW), 1, m.Terms(), False, True),
    ],
)
def test_another_send(sends: tuple[m.Send, ...], left: float, terms: m.Terms, preview: bool, allowed: bool) -> None:
    """In time, live, no preview, within policy, not refused for good, fewer than four refused and three ours."""
    assert seen(V.PRESENT, *sends, left=left, terms=terms, preview=preview).may_send_again is allowed


@pytest.mark.parametrize(
    "situation, state",
    [
        (seen(V.PRESENT, preview=True), "connected"),
        (seen(V.GONE), "gone"),
        (seen(V.BACK, *sent(ACCEPTED)), "gone"),
        (seen(V.ONLY_GONE), "gone"),
        (seen(V.NO_LEGS, *sent(ACCEPTED, ago=900)), ""),
        (seen(V.NO_CONVERSATION, progress=absent(V.NO_CONVERSATION, 3)), ""),
        (seen(V.UNSEEN, left=0), ""),
    ],
)
def test_the_state_seen(situation: Situation, state: str) -> None:
    """An outcome carries the target's state, also alerting and unknown ones, and none where there was none."""
    assert outcome_of(situation).state_seen == state


def test_the_state_seen_is_the_first_open_leg() -> None:
    """Ended legs of the target do not speak for it."""
    alerting = person(PIN.participant_id, "customer", leg("voice-0", "terminated"), leg("voice-1", "alerting"))
    shadow = situation_of(action(selector=BY_ID), conversation(alerting), SHADOW, NOW)
    assert outcome_of(shadow).state_seen == "alerting"


def test_who_would_go_and_who_would_stay() -> None:
    """A preview says whom it means and counts the others."""
    told = outcome_of(seen(V.PRESENT, preview=True))
    assert (told.purpose, dict(told.remaining), told.is_back) == ("customer", {"agent": 1, "user": 1}, False)


def test_the_pinned_purpose_is_told_when_nobody_is_seen() -> None:
    """Who was meant is known from the pin where the last look did not show the person."""
    assert outcome_of(seen(V.CANNOT_SEE, *sent(ACCEPTED, ago=900))).purpose == "customer"
    assert outcome_of(seen(V.UNSEEN, lapses=3)).purpose == "customer"
    assert outcome_of(seen(V.SEVERAL)).purpose == ""


def test_candidates_are_named() -> None:
    """An ambiguous wish lists who it could mean, by purpose and id, and counts everybody there."""
    told = outcome_of(seen(V.SEVERAL))
    assert told.candidates == (f"customer {PIN.participant_id}", f"customer {OTHER}")
    assert told.remaining == {"agent": 1, "customer": 2}


def test_vanished() -> None:
    """Bystanders of our send who are gone with the target, or no longer listed, are told; others are not."""
    here = {AGENT: "agent", SUPERVISOR_THERE.id: "user", OTHER: "customer"}
    left = conversation(CALLER_GONE, gone(AGENT_THERE), legless(SUPERVISOR_THERE))
    told = after(*sent(ACCEPTED), sight=left, bystanders=here)
    assert (told.kind, dict(told.vanished), dict(told.remaining)) == (K.DISCONNECTED, {"agent": 1, "customer": 1}, {})
    assert dict(told.bystanders) == {"agent": 1, "customer": 1, "user": 1}
    assert after(sight=left, bystanders=here).vanished == after(sight=left, bystanders=here).bystanders == {}
    assert after(*sent(FOR_NOW), sight=left, bystanders=here).vanished == {}


@pytest.mark.parametrize("view", [V.NO_LEGS, V.CANNOT_SEE, V.NO_CONVERSATION, V.UNLISTED])
def test_nobody_vanished_from_a_look_that_saw_no_target(view: View) -> None:
    """Where the target itself is not seen, the bystanders are not said to be gone."""
    progress = replace(absent(view, 3), bystanders={OTHER: "customer"})
    told = outcome_of(seen(view, *sent(ACCEPTED, ago=900), progress=progress))
    assert (told.kind, told.vanished) == (K.UNKNOWN, {})


def test_who_vanished_before_the_target_is_told_too() -> None:
    """A bystander who went first, while the target still showed, is not forgotten by the looks between."""
    asked = action(selector=BY_ID)
    for sends, sight in (
        ((), TALK),
        (sent(ACCEPTED), conversation(CALLER_THERE, gone(AGENT_THERE), SUPERVISOR_THERE)),
        (sent(ACCEPTED, ago=1), conversation(CALLER_GONE, gone(AGENT_THERE), SUPERVISOR_THERE)),
    ):
        asked = replace(asked, sends=sends)
        asked = replace(asked, progress=remember(situation_of(asked, sight, m.Terms(), NOW)))
    told = outcome_of(situation_of(asked, sight, m.Terms(), NOW))
    assert (told.kind, dict(told.vanished)) == (K.DISCONNECTED, {"agent": 1})


def test_who_is_there_under_another_id_did_not_vanish() -> None:
    """A bystander who left one entry and is present in another is counted as there, and alarms nobody."""
    again = replace(AGENT_THERE, id="bbbbbbbb-0000-4000-8000-000000000009")
    left = conversation(CALLER_GONE, gone(AGENT_THERE), again, gone(SUPERVISOR_THERE))
    told = after(*sent(ACCEPTED), sight=left, bystanders={AGENT: "agent", SUPERVISOR_THERE.id: "user"})
    assert (dict(told.vanished), dict(told.remaining)) == ({"user": 1}, {"agent": 1})


def test_is_back() -> None:
    """On a new leg or under a new id the same person is back; a second one behind the same number is not."""
    assert after(*sent(ACCEPTED), sight=conversation(CALLER_BACK, AGENT_THERE)).is_back
    assert after(sight=conversation(CALLER_BACK, AGENT_THERE)).is_back
    again = conversation(CALLER_GONE, OTHER_THERE, AGENT_THERE)
    assert after(*sent(ACCEPTED), sight=again, bystanders={AGENT: "agent"}).is_back
    assert not after(*sent(ACCEPTED), sight=again, bystanders={AGENT: "agent", OTHER: "customer"}).is_back
    assert not after(*sent(ACCEPTED), sight=conversation(CALLER_GONE, AGENT_THERE)).is_back


def test_who_is_there_did_not_come_back() -> None:
    """While the target stands there, a second one with the same number makes nobody come back."""
    two = conversation(CALLER_THERE, OTHER_THERE, AGENT_THERE)
    asked = action(selector=BY_ID, preview=True)
    told = outcome_of(situation_of(asked, two, m.Terms(), NOW))
    assert (told.kind, told.is_back) == (K.PREVIEWED, False)


@pytest.mark.parametrize(
    "situation, status",
    [
        (seen(V.FORBIDDEN), 403),
        (seen(V.REJECTED), 401),
        (seen(V.PRESENT, *sent(FOR_GOOD)), 409),
        (seen(V.PRESENT, *sent(ACCEPTED, FOR_NOW, ago=60), left=0), 409),
        (seen(V.PRESENT, *sent(FOR_NOW, ACCEPTED, ago=60), left=0), None),
        (seen(V.GONE), None),
    ],
)
def test_the_reply_that_is_the_reason(situation: Situation, status: int | None) -> None:
    """Genesys' own words stand beside an outcome that rests on them, with the correlation id, and beside no other."""
    reply = outcome_of(situation).reply
    assert (reply.status if reply else None) == status
    if reply and status in {403, 409}:
        assert reply.correlation_id.startswith("corr-")
