"""The decide table of the design, row by row and border by border; and what else the rules say."""

from dataclasses import replace

import pytest

from service.core import model as m
from service.core.rules import (
    ROWS,
    Decision,
    Disconnect,
    LookAgain,
    Settle,
    decide,
    remember,
    situation_of,
)
from service.core.selection import Selection, View
from service.core.situation import Situation
from tests.core.scenes import (
    ACCEPTED,
    AGENT,
    BARE,
    CALLER_GONE,
    CALLER_THERE,
    ENDINGS,
    FOR_GOOD,
    FOR_NOW,
    NOW,
    OTHER,
    PIN,
    SUPERVISOR,
    TALK,
    UNCLEAR,
    absent,
    action,
    conversation,
    seen,
    sent,
)

V, K = View, m.OutcomeKind
UNPINNED = m.Progress(was_unpinned=True)
SHADOW = m.Terms(is_live=False)
NO_CUSTOMERS = m.Terms(m.Policy(purposes=frozenset({"external"})))
KEEP_PAIRS = m.Terms(m.Policy(last_pair="refuse"))
ONLY_BETH = m.Terms(m.Policy(requesters=frozenset({"beth.anglin"})))
ONE_QUEUE = m.Terms(narrowed_by=m.Limits(queues=frozenset({OTHER})))
ONE_DIVISION = m.Terms(narrowed_by=m.Limits(divisions=frozenset({"Sales"})))
DISCONNECT = ("disconnect", PIN)
UNPIN = ("unpin", 0.0)


def look(seconds: float) -> tuple[str, float]:
    """The decision to look again after `seconds`."""
    return ("look", seconds)


def said(decision: Decision) -> tuple[object, object]:
    """A decision in short, without its row."""
    match decision:
        case Settle(outcome):
            return (outcome.kind, outcome.reason)
        case LookAgain(after_seconds, unpin):
            return ("unpin" if unpin else "look", round(after_seconds, 3))
        case Disconnect(target):
            return ("disconnect", target)


# (row, what is seen and known, the decision)
TABLE: list[tuple[int, Situation, tuple[object, object]]] = [
    # poison: three claims in a row ended by lease expiry
    (0, seen(V.UNSEEN, lapses=3), (K.FAILED, "poison")),
    (0, seen(V.PRESENT, lapses=4), (K.FAILED, "poison")),
    (0, seen(V.PRESENT, *sent(BARE, ago=1), lapses=3), look(11.0)),
    (0, seen(V.UNSEEN, *sent(BARE, ago=11.999), lapses=3), look(0.001)),
    (0, seen(V.UNSEEN, *sent(BARE, ago=12), lapses=3), (K.UNKNOWN, "poison")),
    (0, seen(V.UNSEEN, *sent(FOR_NOW), lapses=3), (K.UNKNOWN, "poison")),
    # before any look
    (0, seen(V.UNSEEN), look(0.0)),
    (0, seen(V.UNSEEN, *sent(BARE), left=-1), look(0.0)),
    (0, seen(V.UNSEEN, lapses=2), look(0.0)),
    (0, seen(V.UNSEEN, left=0.001), look(0.0)),
    (1, seen(V.UNSEEN, left=0), (K.EXPIRED, "late")),
    (1, seen(V.PRESENT, left=0), (K.EXPIRED, "late")),
    (1, seen(V.UNSEEN, left=-1, progress=m.Progress(held_by="paused")), (K.EXPIRED, "paused")),
    (1, seen(V.UNSEEN, left=-1, progress=m.Progress(held_by="runaway")), (K.EXPIRED, "runaway")),
    (1, seen(V.UNSEEN, left=-1, progress=m.Progress(held_by="busy")), (K.EXPIRED, "busy")),
    (
        1,
        seen(V.CANNOT_SEE, left=-1, progress=m.Progress(held_by="genesys_unreachable")),
        (K.EXPIRED, "genesys_unreachable"),
    ),
    # nothing sent, and nothing to be seen: 1 s doubling to 30 s
    (2, seen(V.CANNOT_SEE, progress=m.Progress(blind_looks=1)), look(1.0)),
    (2, seen(V.NO_LEGS, progress=m.Progress(blind_looks=2)), look(2.0)),
    (2, seen(V.CANNOT_SEE, progress=m.Progress(blind_looks=5)), look(16.0)),
    (2, seen(V.CANNOT_SEE, progress=m.Progress(blind_looks=6)), look(30.0)),
    (2, seen(V.CANNOT_SEE, progress=m.Progress(blind_looks=10_000)), look(30.0)),
    (3, seen(V.FORBIDDEN), (K.FAILED, "forbidden")),
    (3, seen(V.REJECTED), (K.FAILED, "rejected")),
    # something sent, and nothing to be seen: a quarter of an hour
    (4, seen(V.CANNOT_SEE, *sent(ACCEPTED), progress=m.Progress(blind_looks=1)), look(1.0)),
    (4, seen(V.NO_LEGS, *sent(FOR_GOOD), progress=m.Progress(blind_looks=3)), look(4.0)),
    (4, seen(V.FORBIDDEN, *sent(BARE, ago=899.999), progress=m.Progress(blind_looks=9)), look(30.0)),
    (4, seen(V.REJECTED, *sent(UNCLEAR, ago=60), progress=m.Progress(blind_looks=9), left=-1), look(30.0)),
    *(
        (4, seen(view, *sent(ACCEPTED, ago=900)), (K.UNKNOWN, "cannot_see"))
        for view in (V.CANNOT_SEE, V.NO_LEGS, V.FORBIDDEN, V.REJECTED)
    ),
    # nobody found: two looks 3 s apart must agree
    (5, seen(V.NO_CONVERSATION, progress=absent(V.NO_CONVERSATION, 0)), look(3.0)),
    (5, seen(V.NOBODY, progress=absent(V.NOBODY, 2.999)), look(0.001)),
    (5, seen(V.NO_CONVERSATION, progress=absent(V.NOBODY, 60)), look(3.0)),
    (5, seen(V.NOBODY, progress=absent(V.NO_CONVERSATION, 60)), look(3.0)),
    (5, seen(V.NO_CONVERSATION, *sent(ACCEPTED, ago=1), progress=absent(V.NO_CONVERSATION, 1)), look(2.0)),
    (5, seen(V.NOBODY, *sent(FOR_NOW, ago=899.999), progress=absent(V.NO_CONVERSATION, 1)), look(2.0)),
    (6, seen(V.NO_CONVERSATION, progress=absent(V.NO_CONVERSATION, 3)), (K.NOT_FOUND, "conversation")),
    (6, seen(V.NOBODY, progress=absent(V.NOBODY, 3)), (K.NOT_FOUND, "participant")),
    (6, seen(V.NO_CONVERSATION, *sent(FOR_NOW), progress=absent(V.NO_CONVERSATION, 3)), (K.NOT_FOUND, "conversation")),
    (6, seen(V.NOBODY, *sent(FOR_NOW, ago=900), progress=absent(V.NO_CONVERSATION, 1)), (K.NOT_FOUND, "participant")),
    (7, seen(V.NO_CONVERSATION, *sent(ACCEPTED, ago=11.999), progress=absent(V.NO_CONVERSATION, 3)), look(2.4)),
    (7, seen(V.NO_CONVERSATION, *sent(BARE, ago=4), progress=absent(V.NO_CONVERSATION, 3)), look(2.4)),
    (
        7,
        seen(V.NO_CONVERSATION, *sent(ACCEPTED, ago=12), progress=absent(V.NO_CONVERSATION, 3)),
        (K.UNKNOWN, "conversation_not_found"),
    ),
    (8, seen(V.ONLY_GONE), (K.ALREADY_GONE, "gone")),
    (8, seen(V.ONLY_GONE, *sent(FOR_NOW), progress=UNPINNED), (K.ALREADY_GONE, "gone")),
    (9, seen(V.SEVERAL), (K.REFUSED, "ambiguous")),
    (9, seen(V.SEVERAL, *sent(FOR_NOW), progress=UNPINNED), (K.REFUSED, "ambiguous")),
    (9, seen(V.SEVERAL, preview=True, terms=SHADOW), (K.REFUSED, "ambiguous")),
    # no longer listed
    (10, seen(V.UNLISTED), UNPIN),
    (10, seen(V.UNLISTED, *sent(FOR_GOOD)), UNPIN),
    (11, seen(V.UNLISTED, progress=UNPINNED), (K.UNKNOWN, "participant_lost")),
    (11, seen(V.UNLISTED, *sent(ACCEPTED, ago=0.2)), look(0.1)),
    (11, seen(V.UNLISTED, *sent(ACCEPTED, ago=11.999), progress=UNPINNED), look(2.4)),
    (11, seen(V.UNLISTED, *sent(ACCEPTED, FOR_NOW, ago=12)), (K.UNKNOWN, "participant_lost")),
    (11, seen(V.ONLY_GONE, *sent(BARE, ago=1)), look(0.2)),
    (11, seen(V.SEVERAL, *sent(BARE, ago=12)), (K.UNKNOWN, "participant_lost")),
    # gone, or back
    (12, seen(V.GONE), (K.ALREADY_GONE, "gone")),
    (12, seen(V.BACK, *sent(FOR_NOW, FOR_NOW)), (K.ALREADY_GONE, "gone")),
    (12, seen(V.GONE, *sent(BARE)), (K.DISCONNECTED, "confirmed")),
    (12, seen(V.GONE, *sent(ACCEPTED, FOR_NOW), left=-1), (K.DISCONNECTED, "confirmed")),
    (12, seen(V.BACK, *sent(UNCLEAR)), (K.DISCONNECTED, "confirmed")),
    # there, and nothing sent yet
    # who may not ask, also too late or when nothing was seen; and where nobody may be removed
    (0, seen(V.UNSEEN, terms=ONLY_BETH), (K.REFUSED, "requester")),
    (0, seen(V.UNSEEN, terms=ONLY_BETH, left=-1), (K.REFUSED, "requester")),
    (0, seen(V.CANNOT_SEE, terms=ONLY_BETH, preview=True), (K.REFUSED, "requester")),
    (0, seen(V.NOBODY, terms=ONE_QUEUE, progress=absent(V.NOBODY, 3)), (K.REFUSED, "queue")),
    (0, seen(V.ONLY_GONE, terms=ONE_QUEUE), (K.REFUSED, "queue")),
    (0, seen(V.SEVERAL, terms=ONE_DIVISION), (K.REFUSED, "division")),
    (13, seen(V.PRESENT, terms=ONE_QUEUE), (K.REFUSED, "queue")),
    (13, seen(V.PRESENT, terms=ONE_DIVISION, preview=True), (K.REFUSED, "division")),
    (8, seen(V.ONLY_GONE, *sent(FOR_NOW), terms=ONE_QUEUE, progress=UNPINNED), (K.ALREADY_GONE, "gone")),
    (12, seen(V.GONE, *sent(BARE), terms=ONLY_BETH), (K.DISCONNECTED, "confirmed")),
    (17, seen(V.PRESENT, *sent(ACCEPTED, ago=8), terms=ONLY_BETH), look(2.4)),
    (18, seen(V.PRESENT, *sent(FOR_NOW), terms=ONLY_BETH), (K.FAILED, "requester")),
    (18, seen(V.PRESENT, *sent(FOR_NOW), terms=ONE_QUEUE), (K.FAILED, "queue")),
    (18, seen(V.PRESENT, *sent(FOR_NOW), terms=ONE_DIVISION), (K.FAILED, "division")),
    (13, seen(V.PRESENT, left=0.001), DISCONNECT),
    (13, seen(V.PRESENT, lapses=2), DISCONNECT),
    (13, seen(V.PRESENT, terms=NO_CUSTOMERS, preview=True), (K.REFUSED, "purpose")),
    (13, seen(V.PRESENT, terms=KEEP_PAIRS), DISCONNECT),
    (13, seen(V.PRESENT, preview=True), (K.PREVIEWED, "preview")),
    (13, seen(V.PRESENT, preview=True, terms=SHADOW), (K.PREVIEWED, "preview")),
    (13, seen(V.PRESENT, terms=SHADOW), (K.PREVIEWED, "shadow")),
    # there, and the last send is ours: 0.3, 0.6, 1.2, 2.4 s after it, then every 2.4 s
    (14, seen(V.PRESENT, *sent(ACCEPTED, ago=0)), look(0.3)),
    (14, seen(V.PRESENT, *sent(BARE, ago=0.3)), look(0.3)),
    (14, seen(V.PRESENT, *sent(UNCLEAR, ago=0.601)), look(0.599)),
    (14, seen(V.PRESENT, *sent(FOR_NOW, ACCEPTED, ago=1.2)), look(1.2)),
    (14, seen(V.PRESENT, *sent(ACCEPTED, ago=2.4)), look(2.4)),
    (14, seen(V.PRESENT, *sent(ACCEPTED, ago=7.999)), look(2.4)),
    # there, and another send is allowed: 1, 2, 4 s after a refusal, 8 s after one of ours
    (15, seen(V.PRESENT, *sent(FOR_NOW, ago=0)), look(1.0)),
    (15, seen(V.PRESENT, *sent(FOR_NOW, ago=0.999)), look(0.001)),
    (15, seen(V.PRESENT, *sent(FOR_NOW, FOR_NOW, ago=0.5)), look(1.5)),
    (15, seen(V.PRESENT, *sent(FOR_NOW, FOR_NOW, FOR_NOW, ago=3.999)), look(0.001)),
    (15, seen(V.PRESENT, *sent(ACCEPTED, FOR_NOW, ago=0)), look(1.0)),
    (16, seen(V.PRESENT, *sent(FOR_NOW, ago=1)), DISCONNECT),
    (16, seen(V.PRESENT, *sent(FOR_NOW, FOR_NOW, ago=2)), DISCONNECT),
    (16, seen(V.PRESENT, *sent(FOR_NOW, FOR_NOW, FOR_NOW, ago=4), left=0.001), DISCONNECT),
    (16, seen(V.PRESENT, *sent(ACCEPTED, ago=8)), DISCONNECT),
    (16, seen(V.PRESENT, *sent(ACCEPTED, BARE, ago=8)), DISCONNECT),
    # there, and none is allowed
    (17, seen(V.PRESENT, *sent(ACCEPTED, ago=8), left=0), look(2.4)),
    (17, seen(V.PRESENT, *sent(ACCEPTED, ago=8), terms=SHADOW), look(2.4)),
    (17, seen(V.PRESENT, *sent(ACCEPTED, ago=8), terms=NO_CUSTOMERS), look(2.4)),
    (17, seen(V.PRESENT, *sent(ACCEPTED, ago=8), preview=True), look(2.4)),
    (17, seen(V.PRESENT, *sent(BARE, BARE, BARE, ago=11.999)), look(2.4)),
    (17, seen(V.PRESENT, *sent(ACCEPTED, FOR_GOOD, ago=0.1)), look(0.2)),
    (18, seen(V.PRESENT, *sent(FOR_GOOD)), (K.FAILED, "genesys_refused")),
    (18, seen(V.PRESENT, *sent(FOR_NOW), left=0), (K.FAILED, "genesys_refused")),
    (18, seen(V.PRESENT, *sent(FOR_NOW, FOR_NOW, FOR_NOW, FOR_NOW, ago=60)), (K.FAILED, "genesys_refused")),
    (18, seen(V.PRESENT, *sent(FOR_NOW), terms=NO_CUSTOMERS), (K.FAILED, "purpose")),
    (18, seen(V.PRESENT, *sent(ACCEPTED, BARE, UNCLEAR, ago=12)), (K.FAILED, "no_effect")),
    (18, seen(V.PRESENT, *sent(FOR_NOW, ACCEPTED, ago=12), left=0), (K.FAILED, "no_effect")),
    (18, seen(V.PRESENT, *sent(ACCEPTED, ago=12), terms=SHADOW), (K.FAILED, "no_effect")),
]


@pytest.mark.parametrize(
    "row, situation, expected",
    [pytest.param(*case, id=f"row{case[0]}-{case[1].selection.view}-{at}") for at, case in enumerate(TABLE)],
)
def test_each_row(row: int, situation: Situation, expected: tuple[object, object]) -> None:
    """A situation gets the decision that the design's table names, from that row."""
    decision = decide(situation)
    assert (decision.row, said(decision)) == (row, expected)


def fitting(situation: Situation) -> list[int]:
    """The places in the table of all rows that fit, not of the first only."""
    return [
        at
        for at, row in enumerate(ROWS)
        if (not row.views or situation.selection.view in row.views)
        and row.sends.fits(situation)
        and row.when(situation)
    ]


def test_every_row_has_a_case() -> None:
    """No row of the table in the code goes without a case in the table above, and the numbers are the design's."""
    assert {fitting(situation)[0] for _, situation, _ in TABLE} == set(range(len(ROWS)))
    assert {row.number for row in ROWS} == set(range(19))
    ends = [decision.outcome for _, it, _ in TABLE if isinstance(decision := decide(it), Settle)]
    # have cases of their own
    own = {(kind, reason) for kind in (K.REFUSED, K.FAILED) for reason in ("last_pair", "supervisor")}
    own |= {(K.REFUSED, "contradictory"), (K.REFUSED, "requester_rate")}
    assert {(it.kind, it.reason) for it in ends} | own == ENDINGS
    numbered = [row.number for row in ROWS if row.number]
    assert numbered == sorted(numbered)


@pytest.mark.parametrize(
    "situation, first, later",
    [
        (seen(V.UNSEEN, left=-1, lapses=3), 0, 1),
        (seen(V.FORBIDDEN, left=-1), 1, 3),
        (seen(V.GONE, left=-1), 1, 12),
        (seen(V.PRESENT, left=-1), 1, 13),
        (seen(V.NO_CONVERSATION, left=-1, progress=absent(V.NO_CONVERSATION, 3)), 1, 6),
        (seen(V.NOBODY, progress=absent(V.NOBODY, 1)), 5, 6),
        (seen(V.SEVERAL), 9, 11),
        (seen(V.ONLY_GONE), 8, 11),
        (seen(V.UNLISTED), 10, 11),
        (seen(V.PRESENT, *sent(ACCEPTED, ago=1)), 14, 16),
        (seen(V.PRESENT, *sent(FOR_NOW, ago=0.5)), 15, 16),
        (seen(V.PRESENT, *sent(ACCEPTED, FOR_NOW, ago=4)), 16, 18),
        (seen(V.PRESENT, *sent(ACCEPTED, BARE, BARE, ago=8)), 17, 18),
    ],
)
def test_the_first_row_that_fits(situation: Situation, first: int, later: int) -> None:
    """Where two rows fit, the one that stands first decides."""
    numbers = [ROWS[at].number for at in fitting(situation)]
    assert later in numbers
    assert (numbers[0], decide(situation).row) == (first, first)


@pytest.mark.parametrize(
    "situation, expected",
    [
        (seen(V.PRESENT, *sent(ACCEPTED, ago=-0.005)), look(0.305)),
        (seen(V.PRESENT, *sent(ACCEPTED, ago=-600)), look(2.4)),
        (seen(V.PRESENT, *sent(FOR_NOW, ago=-0.005)), look(1.0)),
        (seen(V.PRESENT, *sent(FOR_NOW, ago=-600)), look(1.0)),
        (seen(V.NOBODY, progress=absent(V.NOBODY, -600)), look(3.0)),
        (seen(V.NO_CONVERSATION, progress=m.Progress()), look(3.0)),
    ],
)
def test_a_clock_that_differs(situation: Situation, expected: tuple[str, float]) -> None:
    """A mark, an answer or an absence that lies in the future makes a wait neither endless nor hot."""
    assert said(decide(situation)) == expected


@pytest.mark.parametrize("asked, waited", [(0.0, 1.0), (-5.0, 1.0), (0.9, 1.0), (77.0, 77.0)])
def test_what_genesys_asks_to_wait_is_a_floor(asked: float, waited: float) -> None:
    """A Retry-After lengthens the wait of a blind look, and never shortens it."""
    blind = m.CannotSee(m.Reply(429), retry_after_seconds=asked)
    for sends in ((), sent(ACCEPTED)):
        one = action(*sends, progress=m.Progress(blind_looks=1))
        assert said(decide(situation_of(one, blind, m.Terms(), NOW))) == look(waited)


def test_the_last_pair_is_kept_where_the_org_says_so() -> None:
    """With one other person left, or none, `last_pair = "refuse"` refuses, before and after a send."""
    for others in ((TALK.participants[1],), ()):
        pair = conversation(CALLER_THERE, *others)
        fresh = action(progress=m.Progress(pin=PIN))
        again = replace(fresh, sends=sent(FOR_NOW, ago=1))
        for one, kind in ((fresh, K.REFUSED), (again, K.FAILED)):
            assert said(decide(situation_of(one, pair, KEEP_PAIRS, NOW))) == (kind, "last_pair")
            assert said(decide(situation_of(one, pair, m.Terms(), NOW))) == DISCONNECT


def test_supervisors_are_kept_unless_the_org_says_otherwise() -> None:
    """Who monitors, coaches or barges in is refused though his purpose is allowed, before and after a send."""
    for role in ("monitor", "coach", "barge"):
        watched = conversation(replace(CALLER_THERE, media_roles=("full", role)), *TALK.participants[1:])
        fresh = action(progress=m.Progress(pin=PIN))
        again = replace(fresh, sends=sent(FOR_NOW, ago=1))
        free = m.Terms(m.Policy(supervisors="allow"))
        for one, kind in ((fresh, K.REFUSED), (again, K.FAILED)):
            assert said(decide(situation_of(one, watched, m.Terms(), NOW))) == (kind, "supervisor")
            assert said(decide(situation_of(one, watched, free, NOW))) == DISCONNECT


@pytest.mark.parametrize("left", [60, -1])
@pytest.mark.parametrize("rate", [0, 3])
def test_who_asked_too_often_is_refused_without_a_look(left: float, rate: int) -> None:
    """What `accept` found over the rate ends so, whatever the rate is by now, and names the setting."""
    over = replace(action(left=left), is_over_rate=True)
    decision = decide(situation_of(over, None, m.Terms(m.Policy(requester_rate=rate)), NOW))
    assert said(decision) == (K.REFUSED, "requester_rate")
    assert isinstance(decision, Settle)
    assert decision.outcome.allowed_by == "orgs.main.requester_rate"


@pytest.mark.parametrize(
    "asked, terms",
    [
        (action(), m.Terms(narrowed_by=m.Limits(is_live=False))),
        (replace(action(), is_shadow=True), m.Terms()),
        (replace(action(), is_shadow=True), m.Terms(is_live=False)),
    ],
)
def test_whatever_is_in_shadow_sends_nothing(asked: m.Action, terms: m.Terms) -> None:
    """A source in shadow, and a click made in shadow, stay so in a live org: before a send, and for another one."""
    assert said(decide(situation_of(asked, TALK, terms, NOW))) == (K.PREVIEWED, "shadow")
    again = replace(asked, sends=sent(FOR_NOW, ago=60), progress=m.Progress(pin=PIN))
    assert said(decide(situation_of(again, TALK, terms, NOW))) == (K.FAILED, "genesys_refused")


def test_a_present_view_without_a_person_is_a_fault_of_ours() -> None:
    """Nothing is sent at nobody: a view that says present and names no one raises."""
    nobody = Situation(action(), TALK, m.Terms(), NOW, Selection(V.PRESENT))
    with pytest.raises(AssertionError):
        decide(nobody)


def test_an_unpinned_person_is_sent_with_the_legs_that_are_there() -> None:
    """Where no pin was kept yet, the target is what this look resolved."""
    assert said(decide(situation_of(action(), TALK, m.Terms(), NOW))) == DISCONNECT


# (what is seen and known, what is kept of it)
KEPT: list[tuple[Situation, m.Progress]] = [
    (
        seen(V.UNSEEN, progress=m.Progress(held_by="paused", blind_looks=2)),
        m.Progress(PIN, held_by="paused", blind_looks=2),
    ),
    (seen(V.CANNOT_SEE), m.Progress(PIN, blind_looks=1, held_by="genesys_unreachable")),
    (
        replace(seen(V.CANNOT_SEE), sight=m.CannotSee(m.Reply(429), 1.0)),
        m.Progress(PIN, blind_looks=1, held_by="busy"),
    ),
    (seen(V.NO_LEGS, progress=m.Progress(held_by="busy", blind_looks=4)), m.Progress(PIN, blind_looks=5)),
    (seen(V.FORBIDDEN, progress=absent(V.NO_CONVERSATION, 1)), replace(absent(V.NO_CONVERSATION, 1), blind_looks=1)),
    (seen(V.NO_CONVERSATION, progress=m.Progress(held_by="busy", blind_looks=3)), absent(V.NO_CONVERSATION, 0)),
    (seen(V.NO_CONVERSATION, progress=absent(V.NO_CONVERSATION, 2)), absent(V.NO_CONVERSATION, 2)),
    (seen(V.NOBODY, progress=absent(V.NO_CONVERSATION, 2)), absent(V.NOBODY, 0)),
    (seen(V.UNLISTED, progress=absent(V.NO_CONVERSATION, 2)), m.Progress(PIN)),
    (seen(V.SEVERAL, progress=absent(V.NOBODY, 2)), m.Progress()),
    (seen(V.GONE, progress=m.Progress(bystanders={AGENT: "agent"})), m.Progress(PIN, bystanders={AGENT: "agent"})),
    (seen(V.PRESENT), m.Progress(PIN, bystanders={AGENT: "agent", SUPERVISOR: "user"})),
    (seen(V.PRESENT, *sent(FOR_NOW)), m.Progress(PIN, bystanders={AGENT: "agent", SUPERVISOR: "user"})),
    (
        seen(V.PRESENT, *sent(BARE), progress=m.Progress(bystanders={"x": "user"})),
        m.Progress(PIN, bystanders={"x": "user"}),
    ),
]


@pytest.mark.parametrize("situation, kept", KEPT)
def test_what_is_kept_of_a_look(situation: Situation, kept: m.Progress) -> None:
    """An action remembers its pin, the bystanders of its send, how nobody was found, and for how long it was blind."""
    assert remember(situation) == kept


def test_the_first_look_that_resolves_a_person_pins() -> None:
    """The pin names the participant and the legs that have not ended; a later look does not move it."""
    first = remember(situation_of(action(), TALK, m.Terms(), NOW))
    assert first.pin == PIN
    later = remember(situation_of(action(progress=first), conversation(CALLER_GONE), m.Terms(), NOW))
    assert later.pin == PIN


def test_a_contradiction_is_told_apart_from_ambiguity() -> None:
    """Named in two ways that do not mean the same one: nobody goes, and the ticket hears that, not "several fit"."""
    several = seen(V.SEVERAL)
    contradictory = replace(several, selection=replace(several.selection, is_contradictory=True))
    assert said(decide(contradictory)) == (K.REFUSED, "contradictory")
