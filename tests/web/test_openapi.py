"""The document says what the door does: it is a golden file, and each part of it is compared with the real answers."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.responses import Response

from service.core import model as m
from service.core.errors import TooMany
from service.sources.asking import Asked, asked_in, removal_in
from service.web import openapi
from service.web.accounts import account_json
from tests.sources.senders import CONVERSATION, NOTE, OWN, PHONE, Outdoors, PlayDesk, built
from tests.sources.senders import REPORT as OUTCOME_REPORT
from tests.sources.senders import SETTLED as OUTCOME_ACTION
from tests.web.doors import PUBLIC, SIGNED, Desk, ToySource
from tests.web.samples import ACTION, OUTCOME, REPORTS, SETTLED, TIMELINE

GOLDEN = Path(__file__).with_name("openapi.json")
SERVED: dict[str, Any] = orjson.loads(orjson.dumps(openapi.document(PUBLIC)))
SCHEMAS = SERVED["components"]["schemas"]


def test_the_document_is_a_promise() -> None:
    """The document is the golden file: whoever changes one changes the other, and says so in the changelog."""
    said = deepcopy(SERVED)
    for content in said["paths"]["/webhooks/{source}"]["post"]["requestBody"]["content"].values():
        assert content.pop("examples") is not None  # they are held by the sources that must take them, and may be more
    assert json.loads(GOLDEN.read_text()) == said


async def test_the_document_is_served(desk: Desk) -> None:
    """The door shows its own document, with the address senders know it by."""
    answer = await desk.http.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == SERVED
    assert answer.json()["servers"] == [{"url": PUBLIC}]


def references(part: object) -> Iterator[str]:
    """Every reference in a part of the document."""
    match part:
        case {"$ref": str(name)}:
            yield name
        case dict():
            for inner in part.values():
                yield from references(inner)
        case list():
            for inner in part:
                yield from references(inner)
        case _:
            pass


def test_every_reference_leads_somewhere() -> None:
    """No reference dangles, and no schema stands there unused."""
    assert set(references(SERVED)) == {f"#/components/schemas/{name}" for name in SCHEMAS}


def faults(value: object, schema: Mapping[str, Any], at: str = "") -> list[str]:
    """Compare a value with the few words of JSON Schema that the document uses; also: nothing it does not name."""
    if "$ref" in schema:
        return faults(value, SCHEMAS[schema["$ref"].rpartition("/")[2]], at)
    if "oneOf" in schema:
        found = [faults(value, one, at) for one in schema["oneOf"]]
        return [] if [] in found else [fault for one in found for fault in one]
    if "allOf" in schema:
        merged: dict[str, Any] = {"type": "object", "required": [], "properties": {}}
        for one in schema["allOf"]:
            merged["required"] += one["required"]
            merged["properties"] |= one["properties"]
        return faults(value, merged, at)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if kind_of(value) not in kinds and not (kind_of(value) == "integer" and "number" in kinds):
        return [f"{at} is {value!r}, not {kinds}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at} is {value!r}"]
    return list(inner_faults(value, schema, at))


def inner_faults(value: object, schema: Mapping[str, Any], at: str) -> Iterator[str]:
    """Compare what is inside a list or an object; also: no field is missing, and none is there that is not named."""
    if isinstance(value, list):
        for one in value:
            yield from faults(one, schema["items"], f"{at}[]")
    elif isinstance(value, dict) and "additionalProperties" in schema:
        for one in value.values():
            yield from faults(one, schema["additionalProperties"], f"{at}.*")
    elif isinstance(value, dict) and "properties" in schema:
        yield from (f"{at}.{name}" for name in set(schema["required"]) ^ set(value))
        for name in set(schema["properties"]) & set(value):
            yield from faults(value[name], schema["properties"][name], f"{at}.{name}")


def kind_of(value: object) -> str:
    """What JSON Schema calls a value."""
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


@pytest.mark.parametrize("action", [ACTION, SETTLED], ids=["pending", "settled"])
def test_an_account_is_what_it_says(action: m.Action) -> None:
    """An account has exactly the fields that the document names, of the kinds it names."""
    account = m.Account(action, "key", TIMELINE, REPORTS)
    assert faults(orjson.loads(orjson.dumps(account_json(account))), SCHEMAS["Action"]) == []


class Batching(ToySource):
    """A system that says three things at once."""

    def parse(self, delivery: m.Delivery, verified: m.Verified) -> m.Batch:
        removal = super().parse(delivery, verified)
        assert isinstance(removal, m.Removal)
        return m.Batch((m.Part(b"1", removal), m.Part(b"2", m.Ignored("a ping")), m.Part(b"3", "nobody is named")))


class Forgiving(ToySource):
    """A system that would give up if it heard that it cannot be read."""

    @property
    def terms(self) -> m.SourceTerms:
        return replace(super().terms, unreadable_status=200)


async def test_receipts_and_problems_are_what_it_says(desk: Desk) -> None:
    """Each answer to a webhook, good or bad, stands in the document with its status, its headers and its form."""
    responses = SERVED["paths"]["/webhooks/{source}"]["post"]["responses"]
    desk.waiter.meanwhile = lambda: desk.shelf.settle(f"acme.{1:026}")
    answers = [
        await desk.post(prefer="wait=1"),
        await desk.post({"remove": "+2"}),
        await desk.post({"ping": 1}),
        await desk.post(b"{"),
        await desk.post(b"{}", {**SIGNED, "x-toy": "wrong"}),
        await desk.post(b" " * 70_000),
        await desk.post(b"{}", {"x-toy": "right"}),
        await desk.post(b"{}"),
        await desk.post({"bug": 1}),
    ]
    desk.source.success_status = 201
    answers.append(await desk.post({"remove": "+3"}))
    desk.sources["desk"] = Batching()
    answers.append(await desk.post({"remove": "+4"}))
    desk.sources["desk"] = Forgiving()
    answers.append(await desk.post(b"{}"))
    assert [answer.json()["status"] for answer in answers[-2:]] == ["batch", "rejected"]
    desk.shelf.refuses = TooMany("too much", retry_after_seconds=1)
    answers.append(await desk.post())
    desk.is_draining = True
    answers.append(await desk.post())
    assert {str(answer.status_code) for answer in answers} == set(responses)
    for answer in answers:
        described = responses[str(answer.status_code)]
        assert faults(answer.json(), described["content"][answer.headers["content-type"]]["schema"]) == []
        for header in ("location", "retry-after", "preference-applied"):
            assert header not in answer.headers or header in {name.lower() for name in described["headers"]}


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
async def test_greetings_are_what_it_says(desk: Desk, method: str) -> None:
    """Who asks before it sends gets the headers that the document names, and no others of their kind."""
    described = SERVED["paths"]["/webhooks/{source}"][method.lower()]["responses"]["200"]["headers"]
    answer = await desk.http.request(method, "/webhooks/desk", headers={"WebHook-Request-Origin": "desk.example"})
    wanted = {name.lower() for name in described} if method == "OPTIONS" else {"allow"}
    assert answer.status_code == 200
    assert {name for name in answer.headers if name in wanted} == wanted


def test_every_method_is_named() -> None:
    """The document has each method that the path of webhooks takes."""
    allowed = {name.lower() for name in ("POST", "HEAD", "OPTIONS")}
    assert set(SERVED["paths"]["/webhooks/{source}"]) == allowed


async def test_an_outcome_is_what_it_says() -> None:
    """An outcome that is posted has exactly the fields that the document names, and the headers that prove it."""
    heard = []
    for reply in (m.Reply(409, "conflict", "busy", "c0ffee"), None):
        hook = PlayDesk(lambda: Response(status_code=204))
        action = replace(OUTCOME_ACTION, outcome=replace(OUTCOME, reply=reply))
        await built("standard", Outdoors(hook.app)).tell(replace(OUTCOME_REPORT, channel="webhook"), action, NOTE)
        heard += hook.heard
    described = SERVED["webhooks"]["removal.settled"]["post"]
    for one in heard:
        assert faults(json.loads(one.body), SCHEMAS["Settled"]) == []
        assert {it["name"] for it in described["parameters"]} <= set(one.headers)
    assert len(heard) == 2


def test_a_wish_is_what_sources_take() -> None:
    """Each way to name the person stands in the document under the name that a source reads, and a source takes it."""
    ways: dict[str, object] = dict.fromkeys(("communication_id", "participant_id", "external_contact_id"), CONVERSATION)
    ways |= {"user_id": CONVERSATION, "caller_phone": PHONE, "attribute": "a=b", "purpose": "customer"}
    taken = []
    for name, value in ways.items():
        asked = asked_in(
            json.dumps({"type": "caller.remove", "data": {"conversation_id": CONVERSATION, name: value}}).encode()
        )
        assert isinstance(asked, Asked)
        taken.append(removal_in(asked, None, None).selector.kind)
    assert set(taken) == set(m.SelectorKind)
    assert set(ways) <= set(SCHEMAS["Wish"]["properties"])
    assert set(OWN) - {"instance", "sys_mod_count"} <= set(SCHEMAS["Wish"]["properties"])


def test_the_comparison_finds_what_is_wrong() -> None:
    """The comparison above objects to a missing field, one too many, a wrong kind and a wrong word; also in a count."""
    assert faults({"agent": "1"}, {"type": "object", "additionalProperties": {"type": "integer"}}) != []
    good = {"status": "ignored", "reason": "a ping"}
    for bad in ({"status": "ignored"}, {**good, "more": 1}, {**good, "reason": 1}, {**good, "status": "stored"}):
        assert faults(bad, SCHEMAS["Ignored"]) != []
    assert faults(good, SCHEMAS["Ignored"]) == []
