"""What a noun says where nobody said anything, and the words by which nouns are kept and told."""

from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum

import pytest

from service.core import model as m
from service.core.selection import View

NOTHING: frozenset[str] = frozenset()
UNSAID: dict[type, dict[str, object]] = {
    m.Ticket: {"label": "", "reply_to": ""},
    m.Ignored: {"answer": None},
    m.Removal: {
        "identity": None,
        "medium": None,
        "preview": False,
        "ticket": None,
        "requester": "",
        "reason": "",
        "event_at": None,
        "event_id": "",
    },
    m.Refusal: {"secret_fingerprint": ""},
    m.Bounds: {"rate": 0, "backlog": 0, "runaway": 0, "clicker": ""},
    m.Receipt: {"outcome": None, "is_runaway": False, "trace_id": ""},
    m.Report: {"tries": 0, "error": "", "first_due_at": 0},
    m.Entry: {"duration_ms": 0.0, "worker": "", "status": None, "correlation_id": "", "note": ""},
    m.Leg: {"began_at": 0},
    m.Division: {"name": ""},
    m.Conversation: {"divisions": (), "reply": m.Reply(200)},
    m.CannotSee: {"retry_after_seconds": 0.0},
    m.Target: {"purpose": "", "medium": None, "user_id": "", "communication_id": ""},
    m.Answer: {"route": ""},
    m.Send: {"answer": None},
    m.Reply: {"status": None, "code": "", "message": "", "correlation_id": "", "permissions": (), "division": ""},
    m.Progress: {
        "pin": None,
        "was_unpinned": False,
        "bystanders": {},
        "absence": None,
        "absent_at": 0,
        "blind_looks": 0,
        "held_by": "",
    },
    m.Participant: {
        "user_id": "",
        "external_contact_id": "",
        "phone": None,
        "has_ended": False,
        "joined_at": 0,
        "queue_id": "",
        "attributes": (),
        "media_roles": (),
        "left_at": 0,
    },
    m.Outcome: {
        "reply": None,
        "state_seen": "",
        "purpose": "",
        "candidates": (),
        "bystanders": {},
        "remaining": {},
        "vanished": {},
        "is_back": False,
        "allowed_by": "",
        "rehearsed": "",
    },
    m.Action: {
        "state": "pending",
        "sends": (),
        "progress": m.Progress(),
        "lapses": 0,
        "outcome": None,
        "settled_at": 0,
        "seen_at": 0,
        "replay_of": "",
        "is_shadow": False,
        "is_over_rate": False,
        "asked_in": None,
    },
    m.Limits: {
        "purposes": None,
        "last_pair": "allow",
        "queues": NOTHING,
        "divisions": NOTHING,
        "requesters": NOTHING,
        "supervisors": "allow",
        "requester_rate": 0,
        "is_live": True,
    },
}
WORDS: dict[type[StrEnum], str] = {
    m.Medium: "calls callbacks chats cobrowsesessions emails messages internalMessages screenMonitorings screenshares "
    "socialExpressions videos",
    m.SelectorKind: "participant_id phone user_id external_contact_id communication_id purpose attribute",
    m.AnswerKind: "accepted unclear refused_for_now refused_for_good",
    m.Absence: "conversation participant",
    View: "unseen cannot_see no_legs forbidden rejected no_conversation nobody only_gone several unlisted gone back "
    "present",
}


@pytest.mark.parametrize("noun", UNSAID)
def test_what_is_not_said_is_nothing(noun: type) -> None:
    """Nobody is gone, sent to, previewed or allowed by default, and no time has passed: whoever knows more says so."""
    assert is_dataclass(noun)
    left = {field.name: field.default for field in fields(noun) if field.default is not MISSING}
    left |= {it.name: it.default_factory() for it in fields(noun) if it.default_factory is not MISSING}
    assert left == UNSAID[noun]


@pytest.mark.parametrize("noun", WORDS)
def test_the_words_that_are_kept(noun: type[StrEnum]) -> None:
    """Redis and metrics keep these words, and Genesys' paths are made of the media: another word is another format."""
    assert " ".join(noun) == WORDS[noun]
