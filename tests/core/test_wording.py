"""What a ticket reads: true, whole sentences with what to do next, for every way an action can end."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from service.core import model as m
from service.core.wording import ENGLISH, LANGUAGES, counted, explanation, note
from tests.core.scenes import ACTION, ENDINGS, NOW, action

K = m.OutcomeKind
# beside the endings of the table: what the flow ends by itself
ALL = ENDINGS | {(K.FAILED, "guarded")}
ORDERED = sorted(ALL)
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
BARE = m.Outcome(K.REFUSED, "", allowed_by="orgs.main.purposes")


@pytest.mark.parametrize("kind, reason", ORDERED)
@pytest.mark.parametrize("purpose", ["customer", "external", "agent", "brand new", "{evil}", ""])
def test_every_ending_reads_well(kind: m.OutcomeKind, reason: str, purpose: str) -> None:
    """Each ending is told in whole sentences, without holes, braces, doubled spaces or a bare code."""
    for outcome in (
        replace(BARE, kind=kind, reason=reason, purpose=purpose),
        replace(FULL, kind=kind, reason=reason, purpose=purpose),
    ):
        said = explanation(outcome)
        assert re.fullmatch(r"[A-Z].{40,}\.", said)
        assert not re.search(r"  |“”|\( ?\)|The  |None| ,| \.(?: |$)|\ba [aeiou]", said.replace("{evil}", "evil"))
        assert not re.search(r"[{}]", said.replace("{evil}", "evil"))
        sentence = said.partition(". ")[0]
        assert len(sentence.split()) > 5
        assert reason.replace("_", " ") != sentence


def test_every_sentence_is_used_and_every_ending_has_one() -> None:
    """The words know each kind, and no reason that nothing can give."""
    assert {kind for kind, reason in ENGLISH if not reason} | {kind for kind, _ in ENGLISH} == set(K)
    assert {key for key in ENGLISH if key[1]} <= ALL
    assert all(key in ENGLISH or (key[0], "") in ENGLISH for key in ALL)


@pytest.mark.parametrize("kind", [K.NOT_FOUND, K.REFUSED, K.EXPIRED, K.PREVIEWED])
def test_where_nobody_was_removed_it_says_so_first(kind: m.OutcomeKind) -> None:
    """A ticket's reader learns from the first three words that nobody was removed."""
    for reason in [reason for one, reason in ORDERED if one is kind]:
        assert explanation(m.Outcome(kind, reason)).startswith("Nobody was removed")


@pytest.mark.parametrize("kind, reason", [ending for ending in ORDERED if ending[0] is K.UNKNOWN])
def test_what_is_not_known_is_not_claimed(kind: m.OutcomeKind, reason: str) -> None:
    """An unknown end says that it is unknown, and to look before anything else."""
    said = explanation(m.Outcome(kind, reason))
    assert said.startswith("It is not known")
    assert "Look at the conversation" in said


def test_nothing_is_said_to_be_sent_that_was_not() -> None:
    """A pinned person lost to a merge may be lost before any send: the sentence claims none."""
    assert "sent" not in explanation(m.Outcome(K.UNKNOWN, "participant_lost"))
    assert "several times" not in explanation(m.Outcome(K.FAILED, "no_effect"))
    assert "reached us" not in explanation(m.Outcome(K.EXPIRED, "late"))


def test_a_kind_speaks_where_a_reason_has_no_sentence() -> None:
    """A reason that a later version writes is told by its kind's own sentence."""
    for kind in K:
        told = explanation(m.Outcome(kind, "a_reason_of_tomorrow", purpose="customer"))
        assert told.startswith(ENGLISH[kind, ""].format(who="caller"))


def test_people_are_called_what_people_call_them() -> None:
    """A customer is the caller, an unknown purpose is shown as it is, none at all is a person."""
    said = [explanation(m.Outcome(K.ALREADY_GONE, "gone", purpose=it)) for it in ("customer", "coach", "")]
    assert ["the caller" in said[0], "the coach" in said[1], "the person" in said[2]] == [True] * 3
    assert counted({"agent": 2, "": 1}) == "2 agent, 1 person"
    assert counted({}) == ""


def test_a_role_without_a_name_is_unknown() -> None:
    """A refusal of somebody whose purpose Genesys left out does not print an empty quotation."""
    assert "the role “unknown”" in explanation(m.Outcome(K.REFUSED, "purpose", allowed_by="x"))


def test_everything_known_is_told() -> None:
    """Who came back, who vanished, who stays and what Genesys said follow the sentence, with the id for support."""
    said = explanation(FULL)
    assert "The same person is in the conversation again and was left alone." in said
    assert "Gone at the same time: 1 user." in said
    assert "Still there: 2 agent, 1 external." in said
    assert said.endswith("Genesys Cloud said: 409 general.conflict, correlation id corr-1.")


@pytest.mark.parametrize(
    "reply, said",
    [
        (m.Reply(), ""),
        (m.Reply(message="only a message"), ""),
        (m.Reply(403), "Genesys Cloud said: 403."),
        (m.Reply(None, "timeout"), "Genesys Cloud said: timeout."),
        (m.Reply(None, "timeout", "", "c1"), "Genesys Cloud said: timeout, correlation id c1."),
    ],
)
def test_what_genesys_said(reply: m.Reply, said: str) -> None:
    """A status, a code and a correlation id are cited as far as there are any."""
    told = explanation(m.Outcome(K.FAILED, "genesys_refused", reply=reply))
    assert told.partition("by hand. ")[2] == said


def test_who_would_stay() -> None:
    """A preview says who would go and who would stay, and that the call would end if nobody did."""
    preview = m.Outcome(K.PREVIEWED, "preview", purpose="customer", remaining={"agent": 1})
    assert explanation(preview).endswith("would have removed the caller. Would stay: 1 agent.")
    assert explanation(replace(preview, remaining={})).endswith("the conversation would end.")


def test_an_empty_conversation_has_ended_unless_the_person_is_back() -> None:
    """That the conversation has ended is said only where nobody is there."""
    alone = m.Outcome(K.DISCONNECTED, "confirmed", purpose="customer")
    assert explanation(alone).endswith("Nobody else is left: the conversation has ended.")
    assert explanation(replace(alone, is_back=True)).endswith("Nobody else is there.")


def test_candidates_are_listed() -> None:
    """An ambiguous wish names who could be meant."""
    assert "(customer 3f2a; external 77aa)" in explanation(replace(FULL, kind=K.REFUSED, reason="ambiguous"))
    assert "(none listed)" in explanation(m.Outcome(K.REFUSED, "ambiguous"))


@pytest.mark.parametrize("language", ["xx", "", "EN"])
def test_an_unknown_language_is_english(language: str) -> None:
    """A language that there are no words for falls back to English."""
    assert explanation(FULL, language) == explanation(FULL)


@pytest.mark.parametrize("language, sentences", LANGUAGES.items())
def test_every_language_fills_the_same_holes(language: str, sentences: Mapping[tuple[m.OutcomeKind, str], str]) -> None:
    """A translation knows no ending and no placeholder that English does not."""
    for key, text in sentences.items():
        assert key in ENGLISH, language
        assert set(re.findall(r"{\w+}", text)) <= {"{who}", "{candidates}", "{purpose}", "{allowed_by}"}


def test_a_note_is_found_again() -> None:
    """The note on a ticket carries the explanation, the kind, the moment in UTC and the action's id; never its key."""
    settled = replace(action(), outcome=FULL, settled_at=NOW, state=m.ActionState.SETTLED)
    moment = datetime.fromtimestamp(NOW / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    assert note(settled) == f"Remove Caller: {explanation(FULL)} [disconnected, {moment}, {ACTION}]"


def test_there_is_no_note_before_the_end() -> None:
    """An action that has not ended has nothing to tell."""
    with pytest.raises(ValueError, match="no outcome yet"):
        note(action())
