"""Notes as a reader gets them, with what is true of each: whoever knows only the note must be able to say that.

`python -m tests.core.wording.reading` prints the notes and the three questions, and nothing else: that is what a reader
is given. `python -m tests.core.wording.reading ANSWERS.json` writes what he answered, and how it was judged against the
truth, to tests/evidence/wording_reader.json. The file is a list with one entry for each note, in order:
`{"happened": …, "still_there": …, "next": …, "is_right": true}`, the last by whoever judges.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from service.core import model as m
from service.core.wording import SHIPPED
from tests.core.scenes import NOW, action, sent
from tests.findings import FOLDER, write_evidence

K = m.OutcomeKind
NAME = "wording_reader"
QUESTIONS = (
    "What happened to the removal that was asked for?",
    "Is the person who was to be removed still in the conversation? (yes, no, or nobody knows; and who else is there)",
    "What should the reader do next?",
)
_ONE, _OTHER = "3f2a0b7c-1d2e-4f3a-8b4c-5d6e7f809a1b", "77aa0b7c-5d6e-4f3a-9b4c-1d2e7f809a1b"
_ALLOWED = ("conversation:communication:disconnect",)


class Case(NamedTuple):
    """One end of an action, and what is true of it."""

    outcome: m.Outcome
    happened: str
    still_there: str
    next: str


def _end(kind: m.OutcomeKind, reason: str, **more: Any) -> m.Outcome:  # noqa: ANN401 - fields of an outcome
    return m.Outcome(kind, reason, **{"purpose": "customer", **more})


CASES: tuple[Case, ...] = (
    Case(
        _end(K.DISCONNECTED, "confirmed", state_seen="gone", remaining={"agent": 2, "external": 1}),
        "The caller was removed, and that was checked.",
        "No. Two agents and one external participant are.",
        "Nothing.",
    ),
    Case(
        _end(K.DISCONNECTED, "confirmed", state_seen="gone", remaining={"agent": 1, "customer": 1}, is_back=True),
        "The caller was removed, came back, and was not removed again.",
        "Yes, again; an agent is there too.",
        "Click again if the caller has to leave again.",
    ),
    Case(
        _end(K.DISCONNECTED, "confirmed", state_seen="gone", remaining={"agent": 1}, vanished={"external": 1}),
        "The caller was removed; an external participant went at the same time.",
        "No. One agent is.",
        "See to the external participant who dropped out, if need be.",
    ),
    Case(
        _end(K.ALREADY_GONE, "gone", state_seen="gone"),
        "Nothing was done, the caller had left before.",
        "No, and nobody else is: the conversation has ended.",
        "Nothing.",
    ),
    Case(
        _end(K.NOT_FOUND, "participant", purpose="", remaining={"agent": 1, "customer": 1}),
        "Nobody was removed: whom the ticket names is not in this conversation.",
        "The person named is not there; one agent and one caller are.",
        "Check the number or id on the ticket, and click again.",
    ),
    Case(
        _end(K.REFUSED, "ambiguous", purpose="", candidates=(f"customer {_ONE}", f"customer {_OTHER}")),
        "Nobody was removed: two callers fit what the ticket says.",
        "Yes, both of them.",
        "Name the right one by its participant id, and click again.",
    ),
    Case(
        _end(
            K.REFUSED,
            "purpose",
            purpose="agent",
            state_seen="connected",
            remaining={"agent": 1, "customer": 1},
            allowed_by="orgs.acme.purposes",
        ),
        "Nobody was removed: the service is not allowed to remove agents.",
        "Yes; another agent and a caller are there too.",
        "Remove the agent by hand if it has to be, or have an administrator change the setting.",
    ),
    Case(
        _end(K.EXPIRED, "paused", purpose=""),
        "Nobody was removed: the service is paused and the click got too old meanwhile.",
        "Perhaps; nobody looked.",
        "Look, and remove the person by hand; clicking again is of no use before the pause ends.",
    ),
    Case(
        _end(
            K.FAILED,
            "genesys_refused",
            reply=m.Reply(403, "missing.any.permissions", "", "4e9a", _ALLOWED, "Sales"),
            state_seen="connected",
            remaining={"agent": 2},
        ),
        "The caller was not removed: the service lacks a permission in Genesys Cloud.",
        "Yes; two agents are there too.",
        "Remove the caller by hand, and show the note to an administrator.",
    ),
    Case(
        _end(K.FAILED, "no_effect", state_seen="connected", remaining={"agent": 1}, vanished={"external": 1}),
        "The removal was sent and did nothing; an external participant left meanwhile.",
        "Yes; one agent is there too.",
        "Remove the caller by hand.",
    ),
    Case(
        _end(K.UNKNOWN, "cannot_see", reply=m.Reply(503, "not_json")),
        "The removal was sent, and whether it worked is not known.",
        "Nobody knows.",
        "Look in Genesys Cloud, and remove the caller by hand if he is still there.",
    ),
    Case(
        _end(K.UNKNOWN, "participant_lost", remaining={"agent": 2}),
        "It is not known what became of the caller, who is no longer listed, perhaps after a merge.",
        "Nobody knows; two agents are in this conversation.",
        "Look in Genesys Cloud, and remove the caller by hand if he is still connected.",
    ),
    Case(
        _end(K.PREVIEWED, "shadow", state_seen="connected", remaining={"agent": 1}),
        "Nobody was removed: the service only watches for now, and would have removed the caller.",
        "Yes; one agent would have stayed.",
        "Remove the caller by hand if he has to leave.",
    ),
    Case(
        _end(K.FAILED, "forbidden", reply=m.Reply(403, "missing.division.permission"), purpose=""),
        "Nobody was removed: the service may not look into conversations of this division.",
        "Nobody looked, so it is not known; presumably yes.",
        "Remove the person by hand, and show the note to an administrator.",
    ),
)


def notes() -> list[str]:
    """Return the notes, as they stand on a ticket."""
    moment = NOW + 9_000
    return [SHIPPED.note(replace(action(*sent()), outcome=case.outcome, settled_at=moment)) for case in CASES]


def record(answers: Sequence[Mapping[str, object]]) -> None:
    """Write down what a reader answered, beside the notes and the truth."""
    read = [
        {"note": note, "truth": {"happened": case.happened, "still_there": case.still_there, "next": case.next}}
        | {"answer": {key: answer[key] for key in ("happened", "still_there", "next")}, "is_right": answer["is_right"]}
        for note, case, answer in zip(notes(), CASES, answers, strict=True)
    ]
    wrong = [f"misread: {one['note']}" for one in read if one["is_right"] is not True]
    counters = {"notes": len(read), "right": len(read) - len(wrong)}
    command = "python -m tests.core.wording.reading ANSWERS.json"
    write_evidence(NAME, command=command, counters=counters, findings=wrong, questions=list(QUESTIONS), read=read)


def kept() -> dict[str, Any] | None:
    """Return what was written down, or None: nobody has read the notes yet."""
    path = FOLDER / f"{NAME}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


if __name__ == "__main__":
    if sys.argv[1:]:
        record(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    else:
        for number, written in enumerate(notes(), start=1):
            sys.stdout.write(f"{number}. {written}\n\n")
        sys.stdout.write("\n".join(("Of each note:", *QUESTIONS, "")))
