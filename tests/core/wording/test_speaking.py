"""What a ticket and an operator read: true, whole sentences in their language, for every way an action can end."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.core import model as m
from service.core.wording import SHIPPED, Wording
from service.core.wording.english import SENTENCES
from tests.core.scenes import ACCEPTED, ACTION, BARE, FOR_GOOD, NOW, action, sent
from tests.core.wording.endings import ALL, ANSWERED

K = m.OutcomeKind
ORDERED = sorted(ALL)
explanation, note, advice = SHIPPED.explanation, SHIPPED.note, SHIPPED.advice
FULL = m.Outcome(
    K.DISCONNECTED,
    "confirmed",
    reply=m.Reply(409, "general.conflict", "busy", "corr-1"),
    state_seen="gone",
    purpose="customer",
    candidates=("customer 3f2a", "external 77aa"),
    remaining={"agent": 2, "external": 1},
    vanished={"user": 1},
    is_back=True,
    allowed_by="orgs.main.purposes",
)
# as little as an ending can come with: what a policy refuses names its setting
BARE_END = m.Outcome(K.REFUSED, "", allowed_by="orgs.main.purposes")

WORD = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ["{who}", "{0}", "{", "customer", "\\1", ""]
)
ROLES = WORD | st.sampled_from(["customer", "external", "agent", "user", "acd", "coach", "people", "CUSTOMER"])
COUNTS = st.dictionaries(ROLES, st.integers(0, 20), max_size=4)
# codes as Genesys writes them; what is no code is no bare code either
CODES = st.sampled_from(["", "not.a.user", "missing.any.permissions", "general.conflict", "timeout", "brand.new-code"])
REPLIES = st.builds(
    m.Reply,
    st.none() | st.integers(100, 599),
    CODES,
    WORD,
    st.sampled_from(["", "4e9a-corr"]),
    st.lists(WORD | st.just("conversation:communication:view"), max_size=3).map(tuple),
    WORD,
)
OUTCOMES = st.builds(
    lambda end, **more: m.Outcome(*end, **more),
    st.sampled_from(ORDERED) | st.tuples(st.sampled_from(K), WORD),
    reply=st.none() | REPLIES,
    state_seen=st.sampled_from(["", "gone", "connected", "alerting"]),
    purpose=ROLES,
    candidates=st.lists(WORD, max_size=3).map(tuple),
    remaining=COUNTS,
    vanished=COUNTS,
    is_back=st.booleans(),
    allowed_by=st.sampled_from(["", "orgs.main.purposes", "sources.desk.queues + orgs.main.queues"]),
    rehearsed=st.sampled_from(["", "shadow", "preview"]),
)
LANGUAGES = st.sampled_from([*SHIPPED.languages, "xx", ""]) | WORD


def settled(outcome: m.Outcome, *sends: m.Send) -> m.Action:
    """An action that ended so."""
    return replace(action(*sends), outcome=outcome, settled_at=NOW, state=m.ActionState.SETTLED)


@example(m.Outcome(K.REFUSED, "ambiguous", candidates=("{who} {0}", "}{ {")), "de")
@given(OUTCOMES, LANGUAGES)
def test_whatever_ended_is_told(outcome: m.Outcome, language: str) -> None:
    """Any outcome, in any language, with any roles: a note in words, without a hole, a brace or a bare code."""
    told = note(settled(outcome), language)
    assert len(told) > 40
    assert not set(told) & set("{}\n")
    said = explanation(outcome, language)
    reply = outcome.reply
    if reply is not None:
        assert not re.search(r"\b[1-5]\d\d\b", re.sub("[“„][^“”]*[“”]", "", said)) or "{" in str(outcome.candidates)
        ours = " ".join(
            [*outcome.candidates, outcome.purpose, outcome.allowed_by, *outcome.remaining, *outcome.vanished]
        )
        assert not reply.code or reply.code not in said or reply.code in ours
        assert not reply.correlation_id or reply.correlation_id not in said


@given(OUTCOMES, LANGUAGES)
def test_whatever_ended_an_operator_hears_of_it(outcome: m.Outcome, language: str) -> None:
    """An operator is always told something, with Genesys' own code and id wherever there are any."""
    told = advice(settled(outcome), language)
    assert len(told) > 20
    assert not set(told) & set("{}\n")
    reply = outcome.reply
    if reply is not None and (reply.code or reply.status):
        assert reply.code in told
        assert str(reply.status or "") in told
    assert reply is None or reply.correlation_id in told


@pytest.mark.parametrize("language", SHIPPED.languages)
@pytest.mark.parametrize("kind, reason", ORDERED)
@pytest.mark.parametrize("purpose", ["customer", "external", "agent", "brand_new", "{evil}", ""])
def test_every_ending_reads_well(kind: m.OutcomeKind, reason: str, purpose: str, language: str) -> None:
    """Each ending is told in whole sentences, without holes, braces, doubled spaces or empty quotations."""
    for outcome in (
        replace(BARE_END, kind=kind, reason=reason, purpose=purpose),
        replace(FULL, kind=kind, reason=reason, purpose=purpose),
    ):
        said = explanation(outcome, language)
        assert re.fullmatch(r"[A-Z].{40,}\.", said)
        assert not re.search(r"  |“”|„“|\( ?\)|The  |None| ,| \.(?: |$)|\ba [aeiou]|[{}]", said)
        assert len(said.partition(". ")[0].split()) > 5


@pytest.mark.parametrize("language", SHIPPED.languages)
@pytest.mark.parametrize("kind, reason, name", ANSWERED)
def test_every_answer_that_ends_an_action_reads_well(
    kind: m.OutcomeKind, reason: str, name: str, language: str
) -> None:
    """Whatever Genesys said, its sentence or the reason's own speaks, never the kind's alone."""
    keys = [f"{kind}.{reason}.{name}", f"{kind}.{reason}"]
    said = SHIPPED.sentence(language, *keys)
    assert said
    assert said != SHIPPED.sentence(language, kind.value)


def test_a_kind_speaks_where_a_reason_has_no_sentence() -> None:
    """A reason that a later version writes is told by its kind's own sentence."""
    for kind in K:
        told = explanation(m.Outcome(kind, "a_reason_of_tomorrow", purpose="customer"))
        assert told.startswith(SENTENCES[kind].replace("{who}", "the caller").replace("{Who}", "The caller"))


def test_people_are_called_what_people_call_them() -> None:
    """A customer is the caller, an unknown purpose is shown as a role, none at all is a person."""
    said = [explanation(m.Outcome(K.ALREADY_GONE, "gone", purpose=it)) for it in ("customer", "co_ach", "")]
    assert ["the caller" in said[0], "the participant with the role “co ach”" in said[1], "the person" in said[2]] == [
        True
    ] * 3


@pytest.mark.parametrize(
    "people, english, german",
    [
        ({"agent": 2, "external": 1}, "2 agents, 1 external participant", "2 Agenten, 1 externer Teilnehmer"),
        ({"agent": 1, "external": 2}, "1 agent, 2 external participants", "1 Agent, 2 externe Teilnehmer"),
        ({"customer": 2, "user": 3}, "2 callers, 3 internal participants", "2 Anrufer, 3 interne Teilnehmer"),
        ({"coach": 2}, "2 participants with the role “coach”", "2 Teilnehmer mit der Rolle „coach“"),
        ({"": 2}, "2 people", "2 Personen"),
    ],
)
def test_others_are_counted_by_purpose(people: Mapping[str, int], english: str, german: str) -> None:
    """Who is there is counted in words, one and several told apart, in both languages."""
    gone = m.Outcome(K.ALREADY_GONE, "gone", remaining=people)
    assert f"Still there: {english}." in explanation(gone)
    assert f"Noch da: {german}." in explanation(gone, "de")


def test_everything_known_is_told() -> None:
    """Who came back, who vanished and who stays follow the sentence; what Genesys said is the operator's."""
    said = explanation(FULL)
    assert "The same person is in the conversation again and was not removed a second time" in said
    assert "Gone at the same time: 1 internal participant; call back whoever should not have left." in said
    assert said.endswith("In the conversation at the last look: 2 agents, 1 external participant.")
    assert "409" not in said
    told = advice(settled(FULL))
    assert "409 general.conflict" in told
    assert told.endswith("correlation id corr-1.")


@pytest.mark.parametrize(
    "changes, last",
    [
        ({}, "There is nothing more to do."),
        ({"is_back": True, "remaining": {}}, "Nobody else is there."),
        ({"remaining": {}}, "Nobody else is left: the conversation has ended. There is nothing more to do."),
        ({"vanished": {"agent": 1}}, "1 agent; call back whoever should not have left. Still there: 1 agent."),
        (
            {"vanished": {"agent": 1}, "remaining": {}},
            "same time: 1 agent. Nobody else is left: the conversation has ended. There is nothing more to do.",
        ),
        (
            {"kind": K.PREVIEWED, "reason": "preview"},
            "A real click would remove the caller. Would still be there: 1 agent.",
        ),
        ({"kind": K.PREVIEWED, "reason": "preview", "remaining": {}}, "the conversation would end."),
        ({"kind": K.FAILED, "reason": "no_effect", "state_seen": "connected"}, "by hand. Also there: 1 agent."),
        (
            {"kind": K.FAILED, "reason": "no_effect", "state_seen": "connected", "vanished": {"user": 1}},
            "Gone meanwhile: 1 internal participant; call back whoever should not have left. Also there: 1 agent.",
        ),
        ({"kind": K.FAILED, "reason": "no_effect", "remaining": {}}, "Remove the person by hand."),
        ({"kind": K.ALREADY_GONE, "rehearsed": "preview"}, "Still there: 1 agent. This was only a preview."),
        ({"kind": K.NOT_FOUND, "remaining": {}, "rehearsed": "shadow"}, "only watches so far (shadow mode)."),
        ({"kind": K.NOT_FOUND, "reason": "participant"}, "In the conversation at the last look: 1 agent."),
    ],
)
def test_who_is_there_now(changes: dict[str, object], last: str) -> None:
    """A note ends with who is there, as far as it was seen, and claims nobody's absence that was not."""
    outcome = m.Outcome(K.DISCONNECTED, "confirmed", purpose="customer", remaining={"agent": 1})
    assert explanation(replace(outcome, **changes)).endswith(last)  # type: ignore[arg-type] # fields of an outcome


def test_candidates_are_listed() -> None:
    """An ambiguous wish names who could be meant, by role and id."""
    assert "(caller 3f2a; external participant 77aa)" in explanation(replace(FULL, kind=K.REFUSED, reason="ambiguous"))
    assert "(nobody is listed)" in explanation(m.Outcome(K.REFUSED, "ambiguous"))


@pytest.mark.parametrize("language", ["xx", "", "EN"])
def test_an_unknown_language_is_english(language: str) -> None:
    """A language that there are no words for falls back to English."""
    assert explanation(FULL, language) == explanation(FULL)
    assert advice(settled(FULL), language) == advice(settled(FULL))


def test_a_missing_key_is_said_in_english() -> None:
    """A language that lacks a sentence, or a role, says that part in English."""
    wording = Wording({"it": {"also.still_there": "Ancora presenti: {people}."}})
    said = wording.explanation(replace(FULL, is_back=False, vanished={}), "it")
    assert said.startswith("The caller was removed")
    assert "Ancora presenti: 2 agents" in said


@pytest.mark.parametrize(
    "reply, said",
    [
        (
            m.Reply(403, "missing.any.permissions", "", "", ("conversation:communication:disconnect",), "Sales"),
            (
                "Genesys answered 403 missing.any.permissions: give the OAuth client's role "
                "Conversation > Communication > Disconnect in the division 'Sales'."
            ),
        ),
        (
            m.Reply(403, "missing.any.permissions", "", "", ("a:b:c", "d:e:*")),
            "give the OAuth client's role one of A > B > C, D > E > *.",
        ),
        (
            m.Reply(403, "missing.permissions", "", "", ("a:b:c", "d:e:f")),
            "give the OAuth client's role A > B > C, D > E > F.",
        ),
        (
            m.Reply(403, "missing.division.permission"),
            "role Conversation > Communication > Disconnect in the division of the conversation.",
        ),
        (m.Reply(400, "not.a.user"), "Genesys answered 400 not.a.user: it wants a user"),
        (m.Reply(400, "not.a.user"), "Set orgs.main.route to auto"),
        (m.Reply(401, "bad.credentials", "", "c1"), "check orgs.main.client_id and .client_secret"),
        (m.Reply(401, "bad.credentials", "", "c1"), "For the vendor's support: correlation id c1."),
        (m.Reply(None, "timeout"), "Genesys gave no answer (timeout)"),
    ],
)
def test_an_operator_hears_what_to_mend(reply: m.Reply, said: str) -> None:
    """What Genesys said is cited with its code, and followed by the permission or the setting that mends it."""
    told = advice(settled(m.Outcome(K.FAILED, "genesys_refused", reply=reply), *sent(FOR_GOOD)))
    assert told.startswith("Sent once; the last was refused")
    assert said in told


def test_a_look_that_is_forbidden_wants_another_permission() -> None:
    """Where no permission is named, it is the one of the step that was refused."""
    told = advice(settled(m.Outcome(K.FAILED, "forbidden", reply=m.Reply(403, "missing.permissions"))))
    assert "Conversation > Communication > View" in told


def test_the_last_send_speaks_where_the_outcome_has_no_answer() -> None:
    """Without an answer of its own an outcome is told with what the last send was answered; nobody's is nothing."""
    nothing = m.Outcome(K.FAILED, "no_effect", purpose="customer")
    assert "Genesys answered 202, which only says" in advice(settled(nothing, *sent(ACCEPTED, ACCEPTED)))
    assert "Sent 2 times" in advice(settled(nothing, *sent(ACCEPTED, ACCEPTED)))
    assert "Genesys" not in advice(settled(nothing, *sent(BARE)))
    guarded = advice(settled(m.Outcome(K.FAILED, "guarded", reply=m.Reply(message="an id that is no UUID"))))
    assert "Genesys" not in guarded
    assert guarded.endswith("It says: an id that is no UUID.")


def test_what_was_never_sent_is_not_said_to_be_refused() -> None:
    """A removal that there is no call for was not sent: the ticket says so, and the operator why."""
    reply = m.Reply(None, "no_route", "Genesys Cloud has no call that removes one leg of chats")
    ended = settled(m.Outcome(K.FAILED, "genesys_refused", reply=reply, purpose="customer"), *sent(FOR_GOOD))
    assert "has no way to ask Genesys Cloud for this removal, so it was not sent." in note(ended)
    told = advice(ended)
    assert told.startswith("Nothing was sent;")
    assert told.endswith("There is no call for this removal: Genesys Cloud has no call that removes one leg of chats.")


def test_an_operator_hears_nothing_before_the_end() -> None:
    """An action that has not ended has nothing to tell."""
    assert advice(action()) == ""
    with pytest.raises(ValueError, match="no outcome yet"):
        note(action())


@pytest.mark.parametrize("language, title", [("en", "Remove Caller"), ("de", "Anrufer entfernen")])
def test_a_note_is_found_again(language: str, title: str) -> None:
    """The note on a ticket carries the explanation, the moment in UTC and the action's id; never its key."""
    moment = datetime.fromtimestamp(NOW / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    assert note(settled(FULL), language) == f"{title}: {explanation(FULL, language)} [{moment}, {ACTION}]"


def test_what_is_put_into_a_sentence_brings_no_marks() -> None:
    """Braces and control characters of a setting's name are left out of a note, and nothing stands in their place."""
    outcome = m.Outcome(m.OutcomeKind.REFUSED, "purpose", purpose="customer", allowed_by="orgs.{a}\x00\u2028b.purposes")
    assert "“orgs.ab.purposes”" in Wording().explanation(outcome)
