"""The page of one action tells all that is known of it, and names nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace

import pytest

from service.core import model as m
from service.core.wording import SHIPPED
from service.web.pages.one import Around, One, one_of
from tests.web.doors import CONVERSATION, NOW, PHONE
from tests.web.samples import ACTION, OUTCOME, REPORTS, SETTLED, TIMELINE

AROUND = Around(NOW, SHIPPED, lambda source: "de" if source == "desk" else "en", "https://api.test", "https://in.test")
TARGET = m.Target("3f2a1d4e-6a0e-4c2c-8d43-8b7f6c1f2a10", ("leg",), "customer", communication_id="c1")


def shown(
    action: m.Action = ACTION,
    timeline: Sequence[m.Entry] = (),
    reports: Sequence[m.Report] = (),
    kin: Sequence[m.Action] = (),
) -> One:
    """Return an action as its page shows it."""
    return one_of(m.Account(action, "canary-key", tuple(timeline), tuple(reports)), kin, AROUND)


def texts(value: object) -> list[str]:
    """Return every text in a view."""
    if isinstance(value, str):
        return [value]
    if is_dataclass(value):
        return [text for field in fields(value) for text in texts(getattr(value, field.name))]
    return [text for one in value for text in texts(one)] if isinstance(value, list | tuple) else []


def test_an_open_action() -> None:
    """What has not ended says what it waits for, and has neither an explanation nor a note."""
    one = shown(reports=[replace(REPORTS[0], state=m.ReportState.WAITING, tries=0)])
    assert (one.outcome.word, one.explanation, one.advice, one.reason) == ("open", "", "", "")
    assert one.waits == "It is being worked on, or waits for a worker."
    assert (one.may_drop, one.is_moving, one.settled) == (True, True, None)
    assert (one.told[0].state.word, one.told[0].note, one.told[0].at) == ("waits for the end", "", None)
    assert (one.present.target, one.present.before) == ("", "")


@pytest.mark.parametrize(
    "action, words",
    [
        (replace(ACTION, progress=m.Progress(held_by="paused")), "its org or source is paused"),
        (replace(ACTION, progress=m.Progress(held_by="runaway")), "more than people click"),
        (replace(ACTION, progress=m.Progress(held_by="busy")), "call budget"),
        (replace(ACTION, progress=m.Progress(held_by="genesys_unreachable")), "Genesys could not be asked"),
        (replace(ACTION, not_after=NOW - 1), "past its not-after"),
        (replace(ACTION, sends=(m.Send(1, NOW, NOW + 2000),)), "The removal was sent"),
    ],
)
def test_why_it_waits(action: m.Action, words: str) -> None:
    """Each reason to wait has its words."""
    assert words in shown(action).waits


def test_it_waits_for_a_pause_that_no_worker_met_yet() -> None:
    """An action that came while its source is paused says so at once."""
    one = one_of(m.Account(ACTION, "", (), ()), (), replace(AROUND, is_paused=True))
    assert "its org or source is paused" in one.waits


def test_what_was_sent_is_not_dropped() -> None:
    """An action of which something was sent cannot be dropped any more; its bystanders are known."""
    progress = m.Progress(pin=TARGET, bystanders={"p1": "agent", "p2": "agent"})
    one = shown(replace(ACTION, sends=(m.Send(1, NOW, NOW + 2000),), progress=progress))
    assert not one.may_drop
    assert one.present.before == "2 agent"
    assert one.pin == f"customer {TARGET.participant_id}, its leg c1"
    assert [(send.answer.word, send.said) for send in one.sends] == [("no answer is known", "")]


def test_a_pin_without_a_purpose() -> None:
    """Whoever was found without a role is a participant."""
    progress = m.Progress(pin=replace(TARGET, purpose="", communication_id=""))
    assert shown(replace(ACTION, progress=progress)).pin == f"participant {TARGET.participant_id}"


def test_an_action_that_ended() -> None:
    """What ended tells how, why, who was there, what was sent, and what each ticket reads, in its own language."""
    one = shown(SETTLED, [*TIMELINE, m.Entry("report", NOW + 9500, note="INC1: told")], REPORTS)
    assert one.explanation.startswith("The caller is still in the conversation")
    assert "Genesys answered 409 conflict" in one.advice
    assert (one.waits, one.may_drop, one.is_moving, one.reason) == ("", False, False, "genesys refused")
    assert (one.present.target, one.present.before) == ("customer", "1 agent, 2 external")
    assert (one.present.after, one.present.vanished, one.present.is_back) == ("1 agent", "2 external", True)
    assert one.present.candidates == ["customer 3f2a"]
    assert [(send.answer.word, send.said) for send in one.sends] == [
        ("refused for now", "409 conflict …0123 is busy"),
        ("no answer is known", ""),
    ]
    told, dead = one.told
    assert told.note.startswith("Anrufer entfernen") or "acme.1" in told.note
    assert told.at is not None
    assert (told.state.word, dead.state.word, dead.is_dead, dead.error) == ("told", "dead letter", True, "said …0123")
    assert (dead.ticket, dead.at) == ("", None)


def test_a_ticket_that_is_still_to_be_told() -> None:
    """An action that ended goes on moving while one of its tickets waits."""
    assert shown(SETTLED, reports=[replace(REPORTS[0], state=m.ReportState.DUE)]).is_moving


def test_an_end_without_a_send() -> None:
    """Where nothing was sent or seen, who was there is not known, and nothing is made up."""
    end = m.Outcome(m.OutcomeKind.EXPIRED, "late")
    one = shown(replace(SETTLED, sends=(), outcome=end))
    assert (one.present.before, one.present.after, one.present.vanished) == ("", "", "")
    alone = replace(SETTLED, sends=(), outcome=m.Outcome(m.OutcomeKind.ALREADY_GONE, ""), seen_at=NOW)
    assert shown(alone).present.after == "nobody"


def test_an_accepted_send() -> None:
    """A send that Genesys took says so."""
    answer = m.Answer(m.AnswerKind.ACCEPTED, m.Reply(202, correlation_id="c1"), NOW)
    (send,) = shown(replace(SETTLED, sends=(m.Send(1, NOW, NOW + 1, answer),))).sends
    assert (send.answer.tone, send.said, send.correlation_id) == ("good", "202", "c1")


def test_duplicates() -> None:
    """Deliveries that joined are counted; the first acceptance is none of them."""
    entries = [m.Entry("accept", NOW), m.Entry("accept", NOW + 60_000, note="joined by intent")]
    assert len(shown(timeline=entries).joined) == 1


def test_kin() -> None:
    """Others on the same conversation say what they are to this one; it is none of them itself."""
    kin = [
        ACTION,
        replace(ACTION, id="acme.2", replay_of="acme.1"),
        replace(ACTION, id="acme.3"),
        replace(ACTION, id="acme.4", removal=replace(ACTION.removal, preview=True)),
    ]
    assert [(one.id, one.how) for one in shown(kin=kin).kin] == [
        ("acme.2", "asks this one again"),
        ("acme.3", ""),
        ("acme.4", "a preview"),
    ]
    replay = replace(ACTION, replay_of="acme.3")
    assert [one.how for one in shown(replay, kin=kin[2:3]).kin] == ["was asked again by this one"]


def test_what_is_copied_opens_nothing() -> None:
    """The commands to copy ask for the key and the token; neither stands in them."""
    one = shown()
    assert one.curl_status == "curl -sS 'https://in.test/actions/acme.1?key='\"$KEY\""
    assert one.curl_look == (
        f"curl -sS -H \"Authorization: Bearer $TOKEN\" 'https://api.test/api/v2/conversations/{CONVERSATION}'"
    )
    assert one_of(m.Account(ACTION, "", (), ()), (), replace(AROUND, place="")).curl_look == ""


def test_nobody_is_named() -> None:
    """No text of the page holds a whole number or the key, whatever was written by others."""
    said = f"call {PHONE}\u202e now"
    removal = replace(ACTION.removal, requester=said, reason=said, ticket=m.Ticket(said, said))
    action = replace(SETTLED, removal=removal, source=said, outcome=replace(OUTCOME, purpose=said, candidates=(said,)))
    reports = [replace(REPORTS[1], error=said, channel=said, ticket=m.Ticket(said))]
    everything = texts(shown(action, [m.Entry(said, NOW, 1.0, said, 200, said, said)], reports, [action]))
    assert not [text for text in everything if PHONE in text or "canary" in text or "\u202e" in text]
    assert any("…0123" in text for text in everything)


def test_an_action_without_a_ticket() -> None:
    """Where no ticket is named, none is shown."""
    one = shown(replace(ACTION, removal=replace(ACTION.removal, ticket=None)))
    assert (one.ticket, one.reference) == ("", "")
    assert one.max_age_seconds == 120
