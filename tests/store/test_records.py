"""Nouns as Redis keeps them: what goes in comes out, and what a newer version wrote is not guessed at."""

from __future__ import annotations

import dataclasses
import re
from collections import ChainMap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import model as m
from service.core.errors import Reply, StoreDown, UnknownVersion
from service.store import records
from service.store.script import FOLDER, PROLOGUE
from tests.fixtures.redis import CountingDice
from tests.store.stories import ORG, PHONE, TICKET, offered, uuid

# what strict JSON lets in: no lone surrogates
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SELECTORS = st.builds(m.Selector, st.sampled_from(m.SelectorKind), TEXT)
# JSON as orjson writes it has 64 bits for a number
NUMBERS = st.integers(-(2**53), 2**53)
REPLIES = st.builds(Reply, st.none() | st.integers(100, 599), TEXT, TEXT, TEXT, st.lists(TEXT).map(tuple), TEXT)
REMOVALS = st.builds(
    m.Removal,
    conversation_id=TEXT,
    selector=SELECTORS,
    identity=st.none() | SELECTORS,
    medium=st.none() | st.sampled_from(m.Medium),
    preview=st.booleans(),
    ticket=st.none() | st.builds(m.Ticket, TEXT, TEXT),
    requester=TEXT,
    reason=TEXT,
    event_at=st.none() | NUMBERS,
    event_id=TEXT,
)
OUTCOMES = st.builds(
    m.Outcome,
    kind=st.sampled_from(m.OutcomeKind),
    reason=TEXT,
    reply=st.none() | REPLIES,
    state_seen=TEXT,
    purpose=TEXT,
    candidates=st.lists(TEXT).map(tuple),
    remaining=st.dictionaries(TEXT, NUMBERS),
    vanished=st.dictionaries(TEXT, NUMBERS),
    is_back=st.booleans(),
    allowed_by=TEXT,
)
PROGRESSES = st.builds(
    m.Progress,
    pin=st.none()
    | st.builds(m.Target, TEXT, st.lists(TEXT).map(tuple), TEXT, st.none() | st.sampled_from(m.Medium), TEXT, TEXT),
    was_unpinned=st.booleans(),
    bystanders=st.dictionaries(TEXT, TEXT),
    absence=st.none() | st.sampled_from(m.Absence),
    absent_at=NUMBERS,
    blind_looks=NUMBERS,
    held_by=TEXT,
)
ENTRIES = st.builds(m.Entry, TEXT, NUMBERS, st.floats(0, 1e6), TEXT, st.none() | st.integers(100, 599), TEXT, TEXT)


@given(REMOVALS)
def test_a_removal_comes_back(removal: m.Removal) -> None:
    """A removal is read as it was written."""
    assert records.removal_in(records.json_of(removal)) == removal


@given(st.none() | OUTCOMES)
def test_an_outcome_comes_back(outcome: m.Outcome | None) -> None:
    """An outcome is read as it was written, and so is that there is none."""
    assert records.outcome_in(records.json_of(outcome)) == outcome


@given(PROGRESSES)
def test_a_progress_comes_back(progress: m.Progress) -> None:
    """A progress is read as it was written, with the newest reason why it waits."""
    text = records.json_of(progress)
    assert records.progress_in(text, progress.held_by) == progress
    assert records.progress_in(text, "paused") == dataclasses.replace(progress, held_by="paused")


@given(ENTRIES)
def test_an_entry_comes_back(entry: m.Entry) -> None:
    """A line of the timeline is read as it was written."""
    count, verb, line = records.lines_of([entry], "")
    assert (count, verb, *records.timeline_in("", [line])) == ("1", entry.verb, entry)


@given(TEXT)
def test_a_line_that_a_script_begins(note: str) -> None:
    """A line whose beginning a script writes is a line, whatever stands in its note."""
    line = f'["report",{records.note_of(note)},5,0,"w1"]'
    assert list(records.timeline_in("", [line])) == [m.Entry("report", 5, worker="w1", note=note)]


def test_a_mapping_of_another_kind_is_written() -> None:
    """A mapping that is no dict is written like one; what is no noun is refused."""
    outcome = m.Outcome(m.OutcomeKind.UNKNOWN, "x", remaining=ChainMap({"agent": 1}))
    assert records.outcome_in(records.json_of(outcome)) == dataclasses.replace(outcome, remaining={"agent": 1})
    with pytest.raises(TypeError):
        records.json_of(object())


def test_no_entries() -> None:
    """That there are no entries is said too."""
    assert records.lines_of([], "") == ["0"]


def test_masking() -> None:
    """Phone numbers and attributes keep their last four characters, ids stay whole."""
    by_id = m.Selector(m.SelectorKind.PARTICIPANT_ID, uuid(1))
    removal = m.Removal(uuid(1), by_id, identity=PHONE, requester="Anna")
    masked = records.masked(removal)
    assert masked == dataclasses.replace(removal, identity=m.Selector(m.SelectorKind.PHONE, "…0123"))
    assert records.masked(m.Removal(uuid(1), PHONE)).selector.value == "…0123"
    assert records.masked(m.Removal(uuid(1), by_id)).identity is None
    by_attribute = m.Selector(m.SelectorKind.ATTRIBUTE, "callback=+14155550123")
    cut = m.Selector(m.SelectorKind.ATTRIBUTE, "callback=…0123")
    assert records.masked(m.Removal(uuid(1), by_attribute, by_attribute)) == m.Removal(uuid(1), cut, cut)


def test_where_a_click_is_answered() -> None:
    """That is kept with the report alone, shows nowhere, makes no other ticket, and was not there once."""
    ticket = m.Ticket("C1/1.2", "", "/commands/T1/2/canary")
    assert records.ticket_in(records.json_of(ticket)).reply_to == ticket.reply_to  # type: ignore[union-attr] # not None
    kept = records.masked(m.Removal(uuid(1), PHONE, ticket=ticket)).ticket
    assert (kept, kept and kept.reply_to) == (ticket, "")
    assert "canary" not in repr(ticket)
    assert records.ticket_in('{"reference":"C1/1.2","label":""}') == ticket


def test_forgetting() -> None:
    """Of a removal only when it was clicked and by which medium stays; it is read again as it was written."""
    removal = m.Removal(
        uuid(1), PHONE, PHONE, m.Medium.VOICE, True, m.Ticket("incident/1"), "Anna", "she was rude", 5, "evt"
    )
    gone = records.forgotten(removal)
    assert gone == m.Removal(records.NOWHERE, PHONE.forgotten, medium=m.Medium.VOICE, preview=True, event_at=5)
    assert records.removal_in(records.json_of(gone)) == gone == records.forgotten(gone)


def test_what_genesys_said_is_forgotten() -> None:
    """Outcome and answers lose the words of Genesys and who was meant; where there are none, none appear."""
    reply = Reply(404, "not.found", "Anna is not here", "corr")
    outcome = m.Outcome(m.OutcomeKind.REFUSED, "ambiguous", reply, candidates=("customer 1",))
    answer = m.Answer(m.AnswerKind.UNCLEAR, reply, 5, "generic")
    fields = {"outcome": records.json_of(outcome), "sends": "2", "answer_1": records.json_of(answer), "answer_2": ""}
    without = dataclasses.replace(reply, message="")
    assert records.impersonal(fields) == {
        "outcome": records.json_of(dataclasses.replace(outcome, reply=without, candidates=())),
        "answer_1": records.json_of(dataclasses.replace(answer, reply=without)),
    }
    plain = records.json_of(m.Outcome(m.OutcomeKind.EXPIRED, "late"))
    assert records.impersonal({"outcome": plain, "sends": "0"}) == {"outcome": plain}
    assert records.impersonal({"sends": "0"}) == {}


def test_a_report_has_one_id() -> None:
    """Another source, channel or ticket is another report; the label of a ticket makes no difference."""
    ids = {
        records.report_suffix(source, channel, ticket)
        for source in ("desk", "chat")
        for channel in ("ticket", "webhook")
        for ticket in (None, TICKET, m.Ticket("incident/2"))
    }
    assert len(ids) == 12
    assert records.report_suffix("a", "bc", None) != records.report_suffix("ab", "c", None)
    assert records.report_suffix("desk", "ticket", TICKET) == records.report_suffix(
        "desk", "ticket", m.Ticket(TICKET.reference, "another label")
    )


def test_reports_of_an_offer() -> None:
    """An offer names its reports by suffix, channel and ticket; none for a ticket that it has not."""
    dice = CountingDice()
    suffix = records.report_suffix("desk", "webhook", None)
    offer = offered(dice, ticket=None, channels=("ticket", "webhook"))
    assert records.reports_of(offer) == ["1", suffix, "webhook", ""]


def test_what_has_no_ticket() -> None:
    """A report without a ticket is read as such."""
    assert records.ticket_in("") is None
    assert records.ticket_in(records.json_of(TICKET)) == TICKET


@pytest.mark.parametrize("fields", [{}, {"v": "2"}, {"v": ""}])
def test_an_unknown_version(fields: dict[str, str]) -> None:
    """A record of another schema is an error of its own, which says that the store cannot answer now."""
    for read, noun_id in ((records.action_in, f"{ORG}.x"), (records.report_in, f"{ORG}.x.y")):
        with pytest.raises(UnknownVersion, match="schema") as caught:
            read(noun_id, fields)
        assert isinstance(caught.value, StoreDown)


@pytest.mark.parametrize("flat", [["v", "2"], ["v", "1"], ["v"], ["v", "1", "source", "desk", "removal", "{"]])
def test_an_odd_record_is_left_out(flat: list[str]) -> None:
    """A claimed record that nobody can read is left out."""
    assert records.readable(records.action_in, f"{ORG}.x", flat) is None


def test_the_same_versions() -> None:
    """The scripts read the versions that are read here; the one they write is among them."""
    text = (FOLDER / f"{PROLOGUE}.lua").read_text(encoding="utf-8")
    ((written, read),) = re.findall(r"^local V = '(\d+)'\nlocal READS = \{ (.+) \}$", text, re.MULTILINE)
    assert {word.replace("V", f"'{written}'") for word in read.split(", ")} == {
        f"['{version}'] = true" for version in records.READ
    }


def test_an_older_pin_is_read() -> None:
    """A pin that was written before pins knew their medium is the same participant, and takes the generic route."""
    older = '{"pin":{"participant_id":"p1","leg_ids":["l1"],"purpose":"customer"},"absence":null}'
    assert records.progress_in(older, "").pin == m.Target("p1", ("l1",), "customer")


def test_an_older_answer_is_read() -> None:
    """An answer that was kept before answers named permissions reads as one that names none."""
    older = '{"status":403,"code":"missing.permissions","message":"no","correlation_id":"c1"}'
    text = records.json_of(m.Outcome(m.OutcomeKind.FAILED, "forbidden"))
    read = records.outcome_in(f'{text[:-1]},"reply":{older}}}')
    assert read is not None
    assert read.reply == Reply(403, "missing.permissions", "no", "c1")
