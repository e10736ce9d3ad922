"""The table of explanations: each row is met, claims what the vendor's SDK shows, and survives whatever it is asked."""

from __future__ import annotations

import ast
import importlib.util
import json
import random
import re
import sys
from pathlib import Path

import pytest

from service.sandbox import diagnosis
from service.sandbox.diagnosis import ELSEWHERE, TABLE, Ground, explain
from service.sources.asking import Asked, asked_in, removal_in
from tests.needs import needs
from tests.sandbox.play import Play

API = "/api/v2/conversations"
CID, PID = "0f9a1d4e-0000-4000-8000-00000000c1d0", "0f9a1d4e-0000-4000-8000-00000000b1d0"
LEG, USER = "0f9a1d4e-0000-4000-8000-000000000de9", "0f9a1d4e-0000-4000-8000-0000000005e7"
ONE = f"{API}/{CID}/participants/{PID}"
OFF = '{"state":"disconnected"}'
LISTED = json.dumps({"participants": [{"participantId": PID, "action": "disconnect"}]})
BOTH = '{"participants":[{"participantId":"a","action":"update"},{"participantId":"b","action":"disconnect"}]}'

# (method, path, body, the row it must meet); the fields of the vendor's calls are in capitals
MET = [
    ("POST", "/oauth/token", "grant_type=client_credentials&scope=conversation%3Acall%3Awrite", "invented-scope"),
    ("GET", "https://login.mypurecloud.de/oauth/authorize?scope=conversations:write", "", "invented-scope"),
    ("GET", "/oauth/authorize?scope=conversation:participant:write", "", "invented-scope"),
    ("GET", "/oauth/authorize?scope=conference:control", "", "invented-scope"),
    ("GET", "/oauth/authorize?scope=openid+admin:conversation", "", "invented-scope"),
    ("POST", "/oauth/token", "grant_type=client_credentials&scope=conversations", "scope-for-a-client"),
    ("POST", "/oauth/token", "grant_type=client_credentials", "token"),
    ("POST", f"{API}/{CID}/disconnect", f'{{"participantIds":["{PID}"]}}', "everyone-named"),
    ("post", f"{API}/{CID}/disconnect/", f'{{"participantId": "{PID}"}}', "everyone-named"),
    ("POST", f"{API}/{CID}/disconnect", "", "everyone-post"),
    ("DELETE", f"https://api.mypurecloud.de{API}/{CID}?x=1", "", "everyone-delete"),
    ("PATCH", f"{API}/conversations/{CID}", BOTH, "update-and-disconnect"),
    ("PATCH", f"{API}/conversations/{CID}", LISTED, "conversation-twice"),
    ("PATCH", f"/conversations/calls/{CID}", LISTED, "list-on-the-call"),
    ("PATCH", f"{API}/calls/{CID}", OFF, "everyone-on-a-medium"),
    ("PATCH", f"{API}/emails/{CID}", '{"state" : "disconnected"}', "everyone-on-a-medium"),
    ("PATCH", f"{API}/calls/{CID}", '{"recordingState":"PAUSED"}', "whole-medium"),
    ("PATCH", f"{API}/{CID}", OFF, "whole-conversation"),
    ("PUT", f"{API}/phone/participants/{PID}", '{"status":"disconnected"}', "phone"),
    ("PATCH", f"{API}/phone/participants/{PID}", '{"status":"disconnected"}', "phone"),
    ("POST", f"{API}/voice/participants", f'{{"participantId":"{PID}","action":"disconnect"}}', "voice"),
    ("DELETE", f"{API}/conferences/{CID}/participants/{PID}", "", "conferences"),
    ("PATCH", f"{API}/{CID}/participants", LISTED, "list-of-participants"),
    ("POST", f"{ONE}/disconnect", "", "participant-disconnect"),
    ("DELETE", ONE, "", "wrong-verb"),
    ("PUT", f"{API}/calls/{CID}/participants/{PID}", OFF, "wrong-verb"),
    ("PATCH", f"{API}/chats/{CID}/participants/{PID}", OFF, "medium-without-a-call"),
    ("PATCH", f"{API}/videos/{CID}/participants/{PID}", OFF, "medium-without-a-call"),
    ("PATCH", ONE, '{"action":"disconnect"}', "invented-body"),
    ("PATCH", f"{API}/calls/{CID}/participants/{PID}", '{"status":"disconnected"}', "invented-body"),
    ("PATCH", ONE, '{"state":"disconnected","wrapupSkipped":true}', "several-commands"),
    ("PATCH", ONE, OFF, "one-participant"),
    ("PATCH", f"{API}/calls/{CID}/participants/{PID}", OFF, "one-participant-of-a-medium"),
    ("PATCH", f"{API}/calls/{CID}/participants/{PID}/user/{USER}", OFF, "on-behalf"),
    ("PATCH", f"{API}/messages/{CID}/participants/{PID}/communications/{LEG}", OFF, "one-leg"),
    ("GET", f"{API}/{CID}", "", "look"),
    ("GET", f"{API}/calls/{CID}", "", "look-at-a-medium"),
    ("GET", "/api/v2/users/me", "", ELSEWHERE),
    ("PATCH", f"{API}/calls", OFF, "whole-conversation"),
    ("BREW\n", "", "\x00", ELSEWHERE),
]  # fmt: skip


@pytest.mark.parametrize("method, path, body, name", MET)
def test_a_call_is_recognised(method: str, path: str, body: str, name: str) -> None:
    """Each call, however it is written down, meets its own row."""
    found = explain(method, path, body)
    assert found.row.name == name
    assert bool(found.webhook) == (API in path or path.startswith("/conversations"))


def test_each_row_is_met() -> None:
    """No row is there that no call meets, and none stands twice."""
    names = [row.name for row in TABLE]
    assert sorted(names) == sorted({name for *_, name in MET})


def test_the_right_calls_are_the_services_own() -> None:
    """What the table calls right, and no other call on a conversation, is what the service may send or look at."""
    right = {row.name for row in TABLE if row.is_right}
    media = {"one-participant-of-a-medium", "on-behalf", "one-leg", "look-at-a-medium"}
    assert right == {"token", "look", "one-participant"} | media
    assert all(row.ground is Ground.SEEN_LIVE for row in TABLE if row.name in {"look", "one-participant"})


SAID = {
    "everyone-named": '409 {"message":"Cannot disconnect participant p-12345678-90ab-cdef-1234-567890abcdef: '
    'Participant is not in a disconnectable state","errors":[]}',
    "update-and-disconnect": "400 an error about conflicting actions",
    "conversation-twice": "204 success, and the call ended for everyone",
    "list-on-the-call": "409 Participant is not in the conversation.",
    "phone": "404 ",
    "voice": '409 {"code":"conflict","message":"The requested action cannot be completed because of the current state '
    'of the resource."}',
}


def test_what_was_reported_is_marked() -> None:
    """The answers of the field reports stand there word for word, and why they came is never claimed."""
    assert {row.name: f"{row.status} {row.answer}" for row in TABLE if row.status} == SAID
    for row in TABLE:
        assert bool(row.status) == bool(row.tells)
    for method, path, body, name in MET:
        seen = explain(method, path, body).seen
        assert seen.startswith(f"Why you saw {SAID[name][:3]} is not confirmed; this tells you: ") if seen else True
        assert bool(seen) == (name in SAID)


def test_ids_get_a_sentence() -> None:
    """An id that cannot be one of Genesys' is told so, by what it is; a placeholder is none."""
    found = explain("PATCH", f"{API}/calls/xyz-456", '{"participants":[{"participantId":"abc-123"}]}')
    conversation, participant = found.remarks
    assert conversation.startswith("xyz-456 is not a Genesys conversation id; those are UUIDs like ")
    assert participant.startswith("abc-123 is not a Genesys participant id; those are UUIDs like ")
    assert participant.endswith("name the person by phone number, external contact or user.")
    (dashed,) = explain("POST", f"{API}/{CID}/disconnect", f'{{"participantIds":["p-{PID}"]}}').remarks
    assert dashed.startswith(f"p-{PID}: Genesys ids carry no “p-”")
    for placeholder in ("{conversationId}", ":id", "<id>"):
        assert explain("DELETE", f"{API}/{placeholder}").remarks == ()
    assert explain("GET", f"{API}/faxes/{CID}").remarks == ()
    (leg,) = explain("PATCH", f"{API}/calls/{CID}/participants/{PID}/communications/leg-1", OFF).remarks
    assert "communication id" in leg


def test_the_right_call_has_the_ids_in_it() -> None:
    """Ids that can be ids are put into the right call and the webhook; of several participants nobody is picked."""
    found = explain("POST", f"{API}/{CID}/disconnect", f'{{"participantIds":["{PID}"]}}')
    assert f"PATCH {API}/{CID}/participants/{PID} with {OFF} and nothing else" in found.right
    assert json.loads(found.webhook)["data"] == {"conversation_id": CID, "participant_id": PID}
    found = explain("POST", f"{API}/{CID}/disconnect", f'{{"participantIds":["{PID}","{USER}"]}}')
    assert f"PATCH {API}/{CID}/participants/{{participantId}} with" in found.right
    assert "participant_id" not in found.webhook


@pytest.mark.parametrize("method, path, body, name", [row for row in MET if API in row[1]])
def test_the_webhook_is_one(method: str, path: str, body: str, name: str) -> None:
    """The webhook that is shown is taken by the sources as it stands, its placeholders filled in."""
    shown = explain(method, path, body).webhook.replace("{now}", "2026-11-20T09:00:00Z")
    asked = asked_in(shown.replace("{conversationId}", CID).encode())
    assert isinstance(asked, Asked)
    assert removal_in(asked, None, None).conversation_id == CID


def test_whatever_is_asked() -> None:
    """Nothing that is asked raises, and what is said fits one header: one line of ASCII, of bounded length."""
    dice = random.Random(20261125)  # noqa: S311 -- the same calls each time
    odd = ["\r\n", "\x00", "é", "\ud800", "“", "[" * 5000, "%0d%0a", "//", "p-"]
    pieces = [*(piece for *call, _ in MET for piece in call), *odd]
    for _ in range(3000):
        method, path, body = ("".join(dice.choices(pieces, k=dice.randint(0, 4))) for _ in range(3))
        line = explain(method, path, body).line
        assert re.fullmatch(r"[\x20-\x7e]{40,2000}", line)
    hostile = json.dumps({"participantId": "é\u202e“\r\nSet-Cookie: a=b"}, ensure_ascii=False)
    line = explain("POST", f"{API}/{CID}/disconnect", hostile).line
    assert re.fullmatch(r"[\x20-\x7e]+", line)
    assert '??"??Set-Cookie: a=b is not a Genesys participant id' in line
    many = json.dumps({"participantIds": [f"{number}-{'x' * 50}" for number in range(200)]})
    assert len(explain("POST", f"{API}/{CID}/disconnect", many).line) < 2000
    assert explain("POST", f"{API}/{CID}/disconnect", "[" * 100_000).row.name == "everyone-post"
    assert explain("POST", f"{API}/{CID}/disconnect", '{"userId":7,"participantId":""}').remarks == ()


def _of_the_vendor() -> set[tuple[str, str]]:
    """Return every call on a conversation that the vendor's SDK has, ids as {}."""
    needs("PureCloudPlatformClientV2")
    spec = importlib.util.find_spec("PureCloudPlatformClientV2")
    assert spec
    assert spec.origin
    text = (Path(spec.origin).parent / "apis" / "conversations_api.py").read_text(encoding="utf-8")
    paths = re.findall(r"resource_path = '([^']+)'", text)
    verbs = re.findall(r"call_api\(resource_path, '([A-Z]+)'", text)
    assert len(paths) == len(verbs) > 100
    return {(verb, re.sub(r"\{\w+\}", "{}", path)) for verb, path in zip(verbs, paths, strict=True)}


NONE = "The vendor's SDK has no such call"


def test_the_vendors_sdk_agrees() -> None:
    """A row says that there is no such call where the vendor's SDK has none, and nowhere else."""
    has = _of_the_vendor()
    for method, path, body, name in MET:
        plain = re.sub(r"^https?://[^/]+|\?.*$|/$", "", path)
        if not plain.startswith((API, "/conversations")) or name == ELSEWHERE or plain == f"{API}/calls":
            continue
        plain = plain if plain.startswith("/api") else f"/api/v2{plain}"
        shape = re.sub(r"0f9a1d4e-[0-9a-f-]+", "{}", plain)
        assert ((method.upper(), shape) not in has) == (NONE in explain(method, path, body).row.does), (method, shape)


async def test_the_sandbox_explains(play: Play) -> None:
    """A foreign script is told by a header, and the log keeps it; who makes the right calls hears nothing."""
    scene = await play.begin("conference")
    wrong = await play.api("POST", f"/{scene.cid}/disconnect", {"participantIds": ["p-1"]})
    form = {"grant_type": "client_credentials", "scope": "conversation:call:write"}
    scoped = await play.http.post("/oauth/token", data=form)
    right = await scene.remove("customer")
    said = [answer.headers.get("Onhook-Explanation", "") for answer in (wrong, scoped, right)]
    assert said[0].startswith("You tried to remove one participant by the call that ends the conversation. ")
    assert 'p-1: Genesys ids carry no "p-"' in said[0]
    assert said[1].startswith("You asked for an OAuth scope that does not exist. ")
    assert said[2] == ""
    assert [call["explanation"] for call in await play.calls()] == ["", *said]


def test_it_stands_alone() -> None:
    """It needs the standard library and nothing else, so that anybody can take the file along."""
    tree = ast.parse(Path(diagnosis.__file__).read_text(encoding="utf-8"))
    rooms = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    rooms |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert {room.partition(".")[0] for room in rooms} <= set(sys.stdlib_module_names)
