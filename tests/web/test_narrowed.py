"""ServiceNow can import the file in deploy/servicenow: OpenAPI 3.0, of our own document, no word it cannot read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from service.core import model as m
from service.sources import KINDS
from tests.sources.senders import NOW, OPTIONS, Outdoors
from tests.web.narrowed import FILE, SERVER, narrowed, printed
from tests.web.test_openapi import SERVED

# what a Schema Object of OpenAPI 3.0 may say, as far as we do; `properties` is walked by itself
SCHEMA_WORDS = {"type", "format", "enum", "nullable", "description", "items", "properties", "required", "pattern"}
SCHEMA_WORDS |= {"minLength", "maxLength"}
UNREAD = {"oneOf", "anyOf", "allOf", "$ref", "additionalProperties", "examples", "links", "callbacks", "discriminator"}
UNREAD |= {"security", "securitySchemes", "tags", "externalDocs", "license", "termsOfService", "contact", "webhooks"}


def keys(part: object) -> Iterator[str]:
    """Every word in a document that is its own, and no field's name."""
    if isinstance(part, dict):
        yield from part
        part = {**part, "properties": list(part["properties"].values())} if "properties" in part else part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from keys(inner)


def schemas(part: object) -> Iterator[dict[str, Any]]:
    """Every schema in a document, with those inside."""
    if isinstance(part, dict):
        if isinstance(part.get("schema"), dict):
            yield from nested(part["schema"])
        for name, inner in part.items():
            if name != "schema":
                yield from schemas(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from schemas(inner)


def nested(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and those of its fields and items."""
    yield schema
    for inner in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
        yield from nested(inner)


def test_the_file_is_made_of_the_document() -> None:
    """The file is what the document is narrowed to, to the byte; `python -m tests.web.narrowed` writes it anew."""
    assert FILE.read_text(encoding="utf-8") == printed()


def test_nothing_that_is_not_read() -> None:
    """It is 3.0, has nothing that the steps do not read, and no reference: each shape stands in its place."""
    document = narrowed()
    assert document["openapi"] == "3.0.3"
    assert set(document) == {"openapi", "info", "servers", "paths"}
    assert set(document["info"]) == {"title", "version", "description"}
    assert UNREAD.isdisjoint(keys(document))


def test_every_schema_is_of_3_0() -> None:
    """A schema says one type, and only what 3.0 knows; a list says its items, and what is required is there."""
    found = list(schemas(narrowed()))
    assert len(found) > 50
    for schema in found:
        assert set(schema) <= SCHEMA_WORDS
        assert schema["type"] in {"string", "integer", "number", "boolean", "array", "object"}
        assert ("items" in schema) == (schema["type"] == "array")
        assert set(schema.get("required", [])) <= set(schema.get("properties", {}))


@pytest.mark.parametrize("path, method", [("/webhooks/{source}", "post"), ("/actions/{id}", "get")])
def test_every_call_is_whole(path: str, method: str) -> None:
    """A call has the document's operationId, each part of its path as a parameter, https, and answers that it says."""
    document = narrowed()
    call = document["paths"][path][method]
    assert call["operationId"] == SERVED["paths"][path][method]["operationId"]
    assert {"{" + one["name"] + "}" for one in call["parameters"] if one["in"] == "path"} == {
        part for part in path.split("/") if part.startswith("{")
    }
    assert all(one.get("required") is True for one in call["parameters"] if one["in"] == "path")
    assert len({(one["in"], one["name"]) for one in call["parameters"]}) == len(call["parameters"])
    assert document["servers"] == [{"url": SERVER}]
    assert SERVER.startswith("https://")
    assert all(answer["description"] for answer in call["responses"].values())
    assert set(call["responses"]) <= set(SERVED["paths"][path][method]["responses"])


def test_signatures_are_inputs() -> None:
    """What the script step signs has inputs, and must be given."""
    post = narrowed()["paths"]["/webhooks/{source}"]["post"]
    needed = {one["name"] for one in post["parameters"] if one.get("required")}
    assert needed == {"source", "webhook-id", "webhook-timestamp", "webhook-signature"}
    assert list(post["requestBody"]["content"]) == ["application/json"]


def test_what_its_body_says_is_taken() -> None:
    """A body with the fields that it names is read by a ServiceNow source."""
    body = narrowed()["paths"]["/webhooks/{source}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    wish = SERVED["paths"]["/webhooks/{source}"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    value = wish["servicenow"]["value"]
    assert set(value) <= set(body["properties"])
    assert set(body["required"]) <= set(value)
    assert set(value["data"]) <= set(body["properties"]["data"]["properties"])
    options = KINDS["servicenow"].options.model_validate(OPTIONS["servicenow"])
    source = KINDS["servicenow"].build("desk", options, Outdoors().outside)
    found = source.parse(m.Delivery("desk", (), json.dumps(value).encode(), NOW), m.Verified("", NOW, ""))
    assert isinstance(found, m.Removal)
