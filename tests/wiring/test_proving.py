"""What a source would send is signed, and what it sent is looked at: by the settings as they are, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest

from service.core.errors import Misconfigured
from service.sources.diagnosis import Cause
from service.wiring.proving import Examined, examine, sign
from service.wiring.secret import SANDBOX, throw_away_secret
from tests.wiring.running import own, stand
from tests.wiring.test_processes import OFFLINE

SECRET = OFFLINE["ONHOOK_SOURCES__DESK__SECRETS"]
AT = "2026-11-20T09:00:10Z"
CID = "0f9a1d4e-5b7c-4d21-9e3a-2c4b6d8e0f1a"
BATCHES = """
[sources.hook]
kind = "generic"
org = "acme"
secrets = ["no-real-secret-0123456789"]
reports = []
untimed = "accept"
[sources.hook.signature]
header = "X-Sign"
[sources.hook.ask]
form = "payload"
events = "/events"
conversation_id = "/c"
caller_phone = "/p"
when = [{ at = "/k", is = ["remove"] }]
"""
SHOWN = """
[sources.hook]
kind = "generic"
org = "acme"
secrets = ["no-real-secret-0123456789"]
reports = []
[sources.hook.signature]
scheme = "query"
parameter = "key"
"""


def wish(**data: object) -> bytes:
    """Return the body of a wish, clicked ten seconds before it arrives."""
    named = {"conversation_id": CID, "caller_phone": "+14155550123", **data}
    return json.dumps({"type": "caller.remove", "timestamp": "2026-11-20T09:00:00Z", "data": named}).encode()


def configured(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a settings file, and stand where it is read."""
    (folder / "onhook.toml").write_text(text)
    monkeypatch.setenv("ONHOOK_CONFIG", str(folder / "onhook.toml"))


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder with one configured source, and the sandbox's wired in."""
    stand(monkeypatch, own(tmp_path) | OFFLINE | {"ONHOOK_DOORS__PUBLIC_URL": "https://onhook.example/in/"})
    throw_away_secret(tmp_path)


async def looked_at(source: str, body: bytes, content_type: str = "") -> Examined:
    """Sign a body as this source, and look at it as it arrives."""
    signed = {**sign(source, body, "", AT).headers, **({"content-type": content_type} if content_type else {})}
    headers = tuple((name.encode(), value.encode()) for name, value in signed.items())
    return await examine(source, headers, body, AT)


@pytest.mark.parametrize("source", ["desk", SANDBOX])
async def test_what_is_signed_is_believed(source: str) -> None:
    """A configured source and the sandbox's can be signed for, at its address, and are believed."""
    assert sign(source, b"{}", "", "").url == f"https://onhook.example/in/webhooks/{source}"
    found = await looked_at(source, wish())
    assert (found.diagnosis.causes, found.warnings) == ((), ())
    assert found.diagnosis.verified
    assert SECRET not in repr(found)


def test_what_is_signed() -> None:
    """The id and the moment can be chosen; without them they are new each time; and nothing holds the secret."""
    one = sign("desk", b"{}", "click-1", AT)
    assert one.headers["webhook-id"] == "click-1"
    assert one.headers["webhook-timestamp"] == "1795165210"
    assert one.headers["content-type"] == "application/json"
    assert sign("desk", b"{}", "", "").headers["webhook-id"] != sign("desk", b"{}", "", "").headers["webhook-id"]
    assert SECRET.removeprefix("whsec_") not in repr(one)


async def test_other_sources_are_tried() -> None:
    """A delivery that another source signed is recognised, the sandbox's included."""
    signed = sign(SANDBOX, wish(), "", AT)
    headers = tuple((name.encode(), value.encode()) for name, value in signed.headers.items())
    found = await examine("desk", headers, wish(), AT)
    assert found.diagnosis.causes == (Cause.SOURCE,)
    assert f"of source {SANDBOX}" in found.diagnosis.sentences[0]


@pytest.mark.parametrize(
    "data, words",
    [
        ({}, "whoever has the number …0123 leaves conversation"),
        ({}, "clicked at 2026-11-20T09:00:00Z, 10 s before it arrived; it names no ticket."),
        ({"participant_id": CID}, f"the participant {CID}, who is to be whoever has the number …0123 as well, leaves"),
        ({"caller_phone": "", "purpose": "customer", "medium": "voice"}, "purpose customer with a leg of calls leaves"),
        ({"caller_phone": "", "communication_id": CID}, f"only the leg {CID} leaves"),
        ({"requested_by": "beth"}, f"{CID}, by beth, clicked"),
        ({"ticket": "T-1"}, "; the outcome is told to T-1."),
        ({"ticket": "T-1", "number": "INC1"}, "; the outcome is told to T-1 (INC1)."),
        ({"preview": True}, " It is a preview: nobody is removed."),
    ],
)
async def test_what_is_asked(data: dict[str, object], words: str) -> None:
    """What a body asks is said in words, a number by its last four."""
    found = await looked_at("desk", wish(**data))
    (asked,) = found.asked
    assert asked.what == "removal"
    assert words in asked.sentence
    assert "4155550123" not in asked.sentence


async def test_what_would_not_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """That it is too late, and that the source is in shadow, is said."""
    monkeypatch.setenv("ONHOOK_SOURCES__DESK__MODE", "shadow")
    monkeypatch.setenv("ONHOOK_SOURCES__DESK__MAX_AGE", "9")
    (asked,) = (await looked_at("desk", wish())).asked
    assert "10 s before it arrived; it is too late: 9 s are allowed, so it expires; it names" in asked.sentence
    assert asked.sentence.endswith(" The source is in shadow: nobody is removed.")


@pytest.mark.parametrize(
    "body, what, words",
    [
        (b'{"type": "ping"}', "ignored", "it is ignored: events of type ping are not for this service"),
        (b"{", "refused", "it is refused (400 malformed): the body is not JSON"),
        (wish(caller_phone=""), "refused", "it is refused (422 unreadable): nobody is named"),
    ],
)
async def test_what_asks_nothing(body: bytes, what: str, words: str) -> None:
    """What would be ignored or refused is said as the sender or the log is told it, also where it is believed."""
    found = await looked_at("desk", body)
    assert found.diagnosis.causes == ()
    (asked,) = found.asked
    assert asked.what == what
    assert asked.sentence.startswith(words)


async def test_what_is_not_believed_is_read_as_well() -> None:
    """A body is read also where its signature is wrong: its sender hears of everything that is wrong at once."""
    found = await examine("desk", (), wish(), AT)
    assert found.diagnosis.causes == (Cause.MISSING,)
    assert [asked.what for asked in found.asked] == ["removal"]


async def test_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a delivery of several events each is said; and a form is signed for as a form."""
    configured(BATCHES, tmp_path, monkeypatch)
    wanted = {"c": CID, "p": "+14155550123"}
    events = [{"k": "remove", **wanted}, {"k": "paint", **wanted}, {"k": "remove", "c": CID, "p": "nobody"}]
    body = urlencode({"payload": json.dumps({"events": events})}).encode()
    assert sign("hook", body, "", "").headers["content-type"] == "application/x-www-form-urlencoded"
    found = await looked_at("hook", body)
    assert (found.diagnosis.causes, found.warnings) == ((), ())
    assert [asked.what for asked in found.asked] == ["removal", "ignored", "refused"]


async def test_a_secret_in_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that shows its secret is not signed for, so that none is printed; what it shows is looked at."""
    configured(SHOWN, tmp_path, monkeypatch)
    with pytest.raises(Misconfigured, match="source hook shows its secret instead of signing, and no secret is print"):
        sign("hook", b"{}", "", "")
    right, wrong = [await examine("hook", (), wish(), AT, query) for query in ("key=no-real-secret-0123456789", "key=")]
    assert (right.diagnosis.causes, wrong.diagnosis.causes) == ((), (Cause.SECRET,))


@pytest.mark.parametrize(
    "content_type, size, words",
    [
        ("text/plain", 0, ["the content type is not one that this source takes (application/json): 415"]),
        ("application/json; charset=utf-8", 0, []),
        ("", 65_536, ["the body has 65761 bytes, and the door takes 65536: it is refused (413)"]),
    ],
)
async def test_what_the_door_would_not_take(content_type: str, size: int, words: list[str]) -> None:
    """What the door refuses before it looks at the signature is said besides."""
    body = wish(reason="x" * size)
    found = await looked_at("desk", body, content_type)
    assert found.diagnosis.causes == ()
    assert list(found.warnings) == [it.replace("65761", str(len(body))) for it in words]


@pytest.mark.parametrize(
    "source, name, at, why",
    [
        ("dusk", "", "", "there is no [sources.dusk]; there is desk, sandbox"),
        ("desk", "a.b", "", "--id: a webhook id is 1 to 255 printable ASCII"),
        ("desk", "", "soon", "--at: is a time with its offset"),
    ],
)
def test_what_cannot_be_signed(source: str, name: str, at: str, why: str) -> None:
    """A source that is not there, an id and a time that cannot be signed are said."""
    with pytest.raises(Misconfigured) as caught:
        sign(source, b"{}", name, at)
    assert caught.value.faults[0].startswith(why)
