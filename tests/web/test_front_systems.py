"""What each system wants to hear: its own answer, quiet instead of errors, each event of a list, and greetings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from service.core import model as m
from service.core.errors import Conflicting, Malformed, Unreadable
from service.sources.generic import Generic, Options
from tests.sources.layouts import arriving
from tests.sources.senders import Outdoors
from tests.web.doors import CONVERSATION, NOW, PHONE, PUBLIC, SIGNED, Desk, ToySource, counted

JSON = {"content-type": "application/json"}
ACTION = f"acme.{1:026}"
LINK = f"{PUBLIC}/actions/{ACTION}?key={1:032x}"


@dataclass
class System(ToySource):
    """A system with an answer of its own, or that is not to hear of what cannot be read, and that sends lists."""

    unreadable_status: int = 422
    answer: Mapping[str, object] | None = None

    @property
    def terms(self) -> m.SourceTerms:
        return replace(super().terms, unreadable_status=self.unreadable_status, answer=self.answer)

    def parse(self, delivery: m.Delivery, verified: m.Verified) -> m.Removal | m.Ignored | m.Batch:
        if delivery.body.startswith(b'{"hello"'):
            return m.Ignored("a greeting", json.loads(delivery.body))
        if not delivery.body.startswith(b"["):
            return super().parse(delivery, verified)
        return m.Batch(tuple(self._part(json.dumps(one).encode()) for one in json.loads(delivery.body)))

    def _part(self, body: bytes) -> m.Part:
        try:
            asked = super().parse(m.Delivery("desk", (), body, NOW), m.Verified("", None, ""))
        except Unreadable as refused:
            return m.Part(body, refused.sentence)
        assert not isinstance(asked, m.Batch)
        return m.Part(body, asked)


def system(desk: Desk, **said: object) -> None:
    """Put a system in the place of the desk's source."""
    desk.sources["desk"] = System(**said)  # type: ignore[arg-type]  # the fields of a dataclass, by name


QUIET = [
    ("nobody named", b"{}", "unreadable", "Say whom to remove."),
    ("not JSON", b"{", "malformed", "The body is not JSON."),
]


@pytest.mark.parametrize("body, code, words", [pytest.param(*row[1:], id=row[0]) for row in QUIET])
async def test_what_is_authentic_and_unreadable_may_be_a_200(desk: Desk, body: bytes, code: str, words: str) -> None:
    """A system that would repeat it for days hears 200, and what was wrong; an operator hears of it as ever."""
    system(desk, unreadable_status=200)
    before = counted("desk", code)
    answer = await desk.post(body)
    assert (answer.status_code, answer.json()) == (200, {"status": "rejected", "reason": words})
    assert answer.headers["cache-control"] == "no-store"
    assert counted("desk", code) == before + 1
    assert [(one.code, one.reason, one.secret_fingerprint) for one in desk.refused.noted] == [(code, words, "abcd1234")]
    assert desk.shelf.offers == []


async def test_a_conflict_may_be_a_200(desk: Desk) -> None:
    """So may a delivery whose id came before with another body: a repeat of it will not help."""
    system(desk, unreadable_status=200)
    await desk.post(x_id="one")
    answer = await desk.post({"remove": "+19"}, x_id="one")
    assert (answer.status_code, answer.json()["status"]) == (200, "rejected")
    assert [one.code for one in desk.refused.noted] == ["delivery_conflict"]


LOUD = [
    ("no signature", b"{}", JSON, "desk", 401),
    ("a wrong one", b"{}", {**JSON, "x-toy": "wrong"}, "desk", 401),
    ("an old one, though signed", b"{}", {**JSON, "x-toy": "old"}, "desk", 401),
    ("no such source", b"{}", SIGNED, "nobody", 401),
    ("unsigned, and no JSON", b"{", JSON, "desk", 401),
    ("too large", b"x" * 70_000, SIGNED, "desk", 413),
    ("another media type", b"{}", {**SIGNED, "content-type": "text/plain"}, "desk", 415),
    ("encoded", b"{}", {**SIGNED, "content-encoding": "gzip"}, "desk", 415),
    ("a bug of ours", b'{"bug": 1}', SIGNED, "desk", 500),
]


@pytest.mark.parametrize("body, headers, source, status", [pytest.param(*row[1:], id=row[0]) for row in LOUD])
async def test_nothing_else_is_a_200(
    desk: Desk, body: bytes, headers: dict[str, str], source: str, status: int
) -> None:
    """What is not proved, not to be read at all, or our own fault has its status whatever the settings say."""
    system(desk, unreadable_status=200, answer={"text": "{text}"})
    answer = await desk.post(body, headers, source)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_store_that_is_down_is_a_503(desk: Desk) -> None:
    """What is not stored is never a 200, also of a list half of which is."""
    system(desk, unreadable_status=200)
    desk.shelf.is_down = True
    for body in (b'{"remove": "+14155550123"}', b'[{"remove": "+14155550123"}, {}]'):
        answer = await desk.post(body)
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


async def test_a_systems_own_answer(desk: Desk) -> None:
    """A system that shows our answer to people gets it in its own shape, around a sentence, whatever became of it."""
    shape = {"type": "message", "text": "{text}", "more": {"is": "{status}", "id": "{action}", "keep": "{other}"}}
    system(desk, answer=shape, unreadable_status=200, success_status=200)
    told = [(await desk.post(body)).json() for body in ({"remove": PHONE}, {"remove": PHONE}, {"ping": 1}, {"x": 1})]
    assert [one["more"]["is"] for one in told] == ["accepted", "duplicate", "ignored", "rejected"]
    assert [one["more"]["id"] for one in told] == [ACTION, ACTION, "", ""]
    assert [one["text"] for one in told[2:]] == ["a ping", "Say whom to remove."]
    assert told[0]["text"] == told[1]["text"] != ""
    assert {(one["type"], one["more"]["keep"]) for one in told} == {("message", "{other}")}
    desk.shelf.settle(ACTION)
    again = await desk.post()
    assert again.json()["text"].startswith("The caller was removed")
    assert again.headers["location"] == LINK
    assert "key" not in again.json()


async def test_each_event_of_a_list_is_answered(desk: Desk) -> None:
    """A list has the source's success status, and for each event what became of it, in its order."""
    system(desk, success_status=200)
    events = [{"remove": PHONE}, {}, {"ping": 1}, {"remove": PHONE}, {"remove": "+14155550199"}]
    results = ["accepted", "unreadable", "ignored", "duplicate", "accepted"]
    before = {name: counted("desk", name) for name in results}
    answer = await desk.post(json.dumps(events).encode())
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    second = f"acme.{3:026}"
    assert answer.json() == {
        "status": "batch",
        "results": [
            {"status": "accepted", "action": ACTION, "links": {"self": LINK}},
            {"status": "rejected", "reason": "Say whom to remove."},
            {"status": "ignored", "reason": "a ping"},
            {"status": "duplicate", "action": ACTION, "links": {"self": LINK}},
            {"status": "accepted", "action": second, "links": {"self": f"{PUBLIC}/actions/{second}?key={3:032x}"}},
        ],
    }
    for name in results:
        assert counted("desk", name) == before[name] + results.count(name)
    assert [line["event"] for line in desk.lines()] == [
        "delivery.accepted", "delivery.refused", "delivery.ignored", "delivery.accepted", "delivery.accepted",
    ]  # fmt: skip
    assert [(one.code, one.secret_fingerprint) for one in desk.refused.noted] == [("unreadable", "abcd1234")]
    assert PHONE.encode() not in desk.log.getvalue()


async def test_a_conflict_in_a_list_is_one_of_its_parts(desk: Desk) -> None:
    """A part whose id came before with another body is refused in its place, noted and counted as itself."""
    system(desk)
    await desk.post(b'[{"remove": "+14155550123"}]', x_id="one")
    before = counted("desk", "delivery_conflict")
    answer = await desk.post(b'[{"remove": "+14155550199"}, {"remove": "+14155550188"}]', x_id="one")
    assert [one["status"] for one in answer.json()["results"]] == ["rejected", "accepted"]
    assert (
        answer.json()["results"][0]["reason"] == Conflicting("This delivery id came before with another body.").sentence
    )
    assert counted("desk", "delivery_conflict") == before + 1
    assert [one.code for one in desk.refused.noted] == ["delivery_conflict"]


async def test_a_greeting_has_its_own_answer(desk: Desk) -> None:
    """A system that greets reads exactly what it asked for, whatever shape its other answers have."""
    system(desk, answer={"text": "{text}"})
    answer = await desk.post({"hello": "c-1"})
    assert (answer.status_code, answer.json()) == (200, {"hello": "c-1"})
    assert (await desk.post({"hello": "c-1"}, JSON)).status_code == 401
    assert desk.shelf.offers == []


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
async def test_a_greeting_by_method_tells_no_names(desk: Desk, method: str) -> None:
    """Whoever asks before he sends hears the same of every name, configured or not, signed or not, draining or not."""
    told = set()
    for name in ("desk", "nobody", "x" * 300, "%00", "chat"):
        for headers in ({}, SIGNED):
            answer = await desk.http.request(method, f"/webhooks/{name}", headers=headers)
            told.add((answer.status_code, answer.content, tuple(answer.headers.items())))
    desk.is_draining = True
    answer = await desk.http.request(method, "/webhooks/desk")
    told.add((answer.status_code, answer.content, tuple(answer.headers.items())))
    assert len(told) == 1
    assert answer.status_code == 200
    assert answer.headers["allow"] == "POST, HEAD, OPTIONS"
    assert "webhook-allowed-origin" not in answer.headers
    assert desk.lines() == []


@pytest.mark.parametrize(
    "origins, allowed",
    [
        (["eventemitter.example.com"], "eventemitter.example.com"), (["a"], "a"), ([], None), (["*"], None),
        (["a b"], None), (["a\u00e9"], None), (["a/b"], None), (["https://a"], None), (["x" * 254], None),
        (["a", "b"], None), ([""], None),
    ],
)  # fmt: skip
async def test_who_asks_for_an_origin(desk: Desk, origins: list[str], allowed: str | None) -> None:
    """CloudEvents is told that its origin may send, and at which rate; what is no name of a host is not repeated."""
    headers = [(b"WebHook-Request-Origin", origin.encode("latin-1")) for origin in origins]
    answer = await desk.http.request("OPTIONS", "/webhooks/desk", headers=headers)
    assert answer.headers.get("webhook-allowed-origin") == allowed
    assert ("webhook-allowed-rate" in answer.headers) is (allowed is not None)


async def test_a_secret_in_a_query_reaches_its_source_and_nobody_else(desk: Desk) -> None:
    """A source whose secret stands in the query proves it there; no log, refusal or answer has it."""
    key = "canary-secret-of-a-query"
    given = {"kind": "generic", "org": "acme", "secrets": [key], "signature": {"scheme": "query", "parameter": "key"}}
    desk.sources["query"] = Generic("query", Options.model_validate(given | {"untimed": "accept"}), Outdoors().outside)
    body = {"conversationId": CONVERSATION, "caller_phone": PHONE, "action": "disconnect"}
    good = await desk.http.post(f"/webhooks/query?key={key}", json=body)
    bad = [
        await desk.http.post(f"/webhooks/query{query}", json=body)
        for query in ("", f"?key={key}x", f"?key={key}&key={key}", f"?Key={key}", "?key")
    ]
    unreadable = await desk.http.post(f"/webhooks/query?key={key}", json={**body, "conversationId": ".."})
    assert good.status_code == 202
    assert {answer.status_code for answer in bad} == {401}
    assert unreadable.status_code == 422
    assert key.encode() not in desk.log.getvalue()
    assert key not in repr(desk.refused.noted) + good.text + unreadable.text
    assert key not in repr(arriving({}, b"", NOW, f"key={key}".encode()))


class Careless(System):
    """A system that reads before it proves."""

    def verify(self, delivery: m.Delivery) -> m.Verified:
        raise Malformed("The body is not JSON.")


async def test_no_proof_is_never_a_200(desk: Desk) -> None:
    """Where no secret is known to have signed, what cannot be read is an error, whoever refuses it."""
    desk.sources["desk"] = Careless(unreadable_status=200)
    answer = await desk.post(b"{")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
