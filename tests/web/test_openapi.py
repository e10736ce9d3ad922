"""The document says what the door does: it is a golden file, and each part of it is compared with the real answers."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from service.core import model as m
from service.core.errors import TooMany
from service.sources.asking import Asked, asked_in, removal_in
from service.web import openapi
from service.web.accounts import account_json
from tests.sources.senders import CONVERSATION, PHONE
from tests.web.doors import PUBLIC, SIGNED, Desk
from tests.web.samples import ACTION, REPORTS, SETTLED, TIMELINE

GOLDEN = Path(__file__).with_name("openapi.json")
SERVED: dict[str, Any] = orjson.loads(orjson.dumps(openapi.document(PUBLIC)))
SCHEMAS = SERVED["components"]["schemas"]


def test_the_document_is_a_promise() -> None:
    """The document is the golden file: whoever changes one changes the other, and says so in the changelog."""
    assert json.loads(GOLDEN.read_text()) == SERVED


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
    if isinstance(value, list):
        return [fault for one in value for fault in faults(one, schema["items"], f"{at}[]")]
    if isinstance(value, dict) and "properties" in schema:
        odd = [f"{at}.{name}" for name in set(schema["required"]) ^ set(value)]
        inner = [faults(value[name], schema["properties"][name], f"{at}.{name}") for name in value if not odd]
        return odd + [fault for one in inner for fault in one]
    return []


def kind_of(value: object) -> str:
    """What JSON Schema calls a value."""
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


@pytest.mark.parametrize("action", [ACTION, SETTLED], ids=["pending", "settled"])
def test_an_account_is_what_it_says(action: m.Action) -> None:
    """An account has exactly the fields that the document names, of the kinds it names."""
    account = m.Account(action, "key", TIMELINE, REPORTS)
    assert faults(orjson.loads(orjson.dumps(account_json(account))), SCHEMAS["Action"]) == []


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


def test_the_comparison_finds_what_is_wrong() -> None:
    """The comparison above objects to a missing field, one too many, a wrong kind and a wrong word."""
    good = {"status": "ignored", "reason": "a ping"}
    for bad in ({"status": "ignored"}, {**good, "more": 1}, {**good, "reason": 1}, {**good, "status": "stored"}):
        assert faults(bad, SCHEMAS["Ignored"]) != []
    assert faults(good, SCHEMAS["Ignored"]) == []
