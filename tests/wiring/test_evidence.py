"""What a trial leaves behind answers the open questions, says what to write, and gives nothing away."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from service.core import model as m
from service.core.errors import Misconfigured
from service.wiring.evidence import Scene, answers_in, document, lines_of, opened, route_of, settings_for
from service.wiring.trial import Asked, Found, Preview
from service.wiring.witness import Overheard
from tests.genesys.peers import CID, PID

USER = "be700000-0000-4000-8000-00000000be70"
GENERIC = f"/api/v2/conversations/{CID}/participants/{PID}"
MEDIUM = f"/api/v2/conversations/calls/{CID}/participants/{PID}"
HEADERS = {
    "inin-ratelimit-count": "8",
    "inin-ratelimit-allowed": "300",
    "inin-correlation-id": "abc",
    "x-odd": "tel:+14155550123",
}
SCENE = Scene("0.1.0", "acme", "eu_central_1", 1_795_165_200_000)


def call(path: str, status: int | None = 202, fault: Exception | None = None) -> Overheard:
    """One PATCH that was overheard."""
    url = f"https://api.mypurecloud.de{path}"
    return Overheard("removal", "PATCH", url, status, SCENE.began_at + 5, SCENE.began_at + 47, HEADERS, fault=fault)


def asked(*calls: Overheard, kind: str = "accepted", status: int = 202, code: str = "", message: str = "") -> Asked:
    """One removal, with these requests sent for it."""
    return Asked(kind, m.Reply(status, code, message, "abc"), calls, 100.0)


STAYS = {"a": "agent", "b": "agent", "c": "external"}
PREVIEW = Preview(CID, m.Target(PID, ("leg",), "customer"), "connected", ("calls",), STAYS, ends_call=False)
GOOD = Found(PREVIEW, asked(call(GENERIC)), 0.2, 0.31, {}, STAYS, True, asked(call(GENERIC)))


def test_the_questions() -> None:
    """All eight open questions about a live org have an answer in words."""
    assert answers_in(GOOD, GOOD.removal.sent) == {
        "route": "generic works with these client credentials; asked in this order: generic (202)",
        "permission": "Conversation > Communication > Disconnect (conversation:communication:disconnect) is given, or "
        "is not asked for",
        "status": "a removal is answered 202",
        "lag": "still shown 200 ms after the answer, gone at 310 ms",
        "ended_participant": "a removal of a participant that has left is answered 202",
        "others": "before: 2 agent, 1 external; now: 2 agent, 1 external; nobody else left; whether it goes on with "
        "one left was not tried: take a call of two, and --may-end-call",
        "rate_headers": "inin-ratelimit-count: 8, inin-ratelimit-allowed: 300",
        "correlation_header": "inin-correlation-id",
    }
    assert len(list(lines_of(GOOD, GOOD.removal.sent))) == 8


def test_another_route() -> None:
    """Where the first route needs a user, the one that worked is named, with the order, and is what to write."""
    found = replace(GOOD, removal=asked(call(GENERIC, 400), call(MEDIUM)))
    assert answers_in(found, ())["route"].endswith("asked in this order: generic (400), medium (202)")
    assert settings_for("acme", found)[:2] == ["[orgs.acme]", 'route = "medium"']
    assert route_of(call(f"{MEDIUM}/user/{USER}")) == "on_behalf"
    assert route_of(call(f"{MEDIUM}/communications/{USER}")) == "leg"


@pytest.mark.parametrize(
    "removal, question, words",
    [
        (asked(kind="unreachable", status=0), "route", "no removal left this machine: unreachable"),
        (asked(call(GENERIC, 400), kind="refused_for_good", status=400, code="not.a.user"), "route", "it needs a user"),
        (asked(call(GENERIC, 400), kind="refused_for_good", status=400, code="x"), "route", "the last said 400 x"),
        (asked(call(GENERIC, 403), kind="refused_for_good", status=403), "permission", "give a role of the OAuth"),
        (asked(call(GENERIC, 409), kind="refused_for_now", status=409), "permission", "not known"),
        (asked(call(GENERIC, None), kind="unclear", status=0), "status", "answered with nothing"),
        (asked(call(GENERIC, None), kind="unclear", status=0), "route", "generic (no answer)"),
    ],
)
def test_what_did_not_work(removal: Asked, question: str, words: str) -> None:
    """What was not accepted is answered by what was said instead; nothing is advised to be written then."""
    found = Found(PREVIEW, removal)
    assert words in answers_in(found, ())[question]
    assert settings_for("acme", found) == []
    answers = answers_in(found, ())
    assert (answers["lag"], answers["rate_headers"]) == ("the participant was not seen to go", "none")
    assert answers["correlation_header"] == "none"
    assert answers["ended_participant"].startswith("not asked")
    assert answers["others"].startswith("not known")


def test_others() -> None:
    """Who left as well is counted, and nothing is advised then; with one left it is said how that went."""
    found = replace(GOOD, vanished={"c": "external"}, remaining={"a": "agent", "b": "agent"})
    assert "1 external left at the same time" in answers_in(found, ())["others"]
    assert settings_for("acme", found) == []
    pair = replace(GOOD, preview=replace(PREVIEW, stays={"a": "agent"}, ends_call=True), remaining={"a": "agent"})
    assert answers_in(pair, ())["others"].endswith("with one left the conversation goes on")
    pair = replace(pair, remaining={}, vanished={"a": "agent"}, present_seconds=None)
    assert answers_in(pair, ())["others"].endswith("with one left the conversation ends")
    assert answers_in(pair, ())["lag"] == "gone at the first look, 310 ms after the answer"
    assert settings_for("acme", pair)


def test_the_document() -> None:
    """The file holds every call and answer in stable names; numbers are masked, whatever carries them."""
    removal = asked(call(GENERIC, None, OSError("canary")), message="ask +1 415 555-0123")
    found = replace(GOOD, removal=removal, repeat=None)
    content = document(SCENE, found, removal.sent)
    written = json.dumps(content)
    assert "4155550123" not in written.replace(" ", "").replace("-", "")
    assert "canary" not in written
    assert content["removal"] == {
        "kind": "accepted",
        "routes": ["generic"],
        "status": 202,
        "code": "",
        "message": "ask …0123",
        "correlation_id": "abc",
    }
    assert content["lag_ms"] == {"still_present": 200, "gone": 310}
    assert content["began_at"] == "2026-11-20T09:00:00.000Z"
    (first,) = content["calls"] if isinstance(content["calls"], list) else []
    assert (first["path"], first["after_ms"], first["took_ms"], first["fault"]) == (GENERIC, 5, 42, "OSError")
    assert first["headers"]["x-odd"] == "tel:…0123"
    assert document(SCENE, Found(PREVIEW, removal), ())["lag_ms"] == {"still_present": None, "gone": None}


def test_the_file(tmp_path: Path) -> None:
    """The file is new, and for its owner alone; where it cannot be made, that is said before anything is sent."""
    path = tmp_path / "proof.json"
    with opened(path) as file:
        file.write("{}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(Misconfigured, match="File exists; nobody was removed"):
        opened(path)
    with pytest.raises(Misconfigured, match="No such file"):
        opened(tmp_path / "no" / "proof.json")
