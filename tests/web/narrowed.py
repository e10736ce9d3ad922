"""The document as ServiceNow imports it: OpenAPI 3.0, without what its OpenAPI and REST steps do not read.

By the vendor's pages these take 2.0 and 3.0, make an input of every parameter, and know neither oneOf nor anyOf, no
Example and Link Objects, security, tags, servers, licence or recursive references. So: two calls, each shape in place,
null by `nullable`, and of what may be several shapes the one that a ServiceNow sends or gets. `python -m
tests.web.narrowed` writes deploy/servicenow/openapi.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from service.web import openapi

FILE: Final = Path(__file__).parents[2] / "deploy" / "servicenow" / "openapi.json"
SERVER: Final = "https://onhook.example.com"
_SIGNED: Final = {"webhook-id", "webhook-timestamp", "webhook-signature"}
_NOTE: Final = (
    " The signature covers the very bytes that are sent: make the body as text in the script step that signs it, and "
    "give that text to the request body as it is. The base address and TLS are the connection's."
)
_UNREAD: Final = {"additionalProperties", "examples"}
Json = dict[str, Any]


def narrowed() -> Json:
    """Return the document."""
    whole: Json = orjson.loads(orjson.dumps(openapi.document(SERVER)))
    schemas = whole["components"]["schemas"]
    post = whole["paths"]["/webhooks/{source}"]["post"]
    show = whole["paths"]["/actions/{id}"]["get"]
    post["description"] += _NOTE
    post["parameters"] = [{**one, "required": True} if one["name"] in _SIGNED else one for one in post["parameters"]]
    post["requestBody"]["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}}
    for responses in (post["responses"], show["responses"]):
        del responses["500"]  # nothing that a flow could read of it
    post["responses"].pop("201")
    return {
        "openapi": "3.0.3",
        "info": {
            "title": whole["info"]["title"],
            "version": whole["info"]["version"],
            "description": whole["info"]["summary"],
        },
        "servers": whole["servers"],
        "paths": {
            "/webhooks/{source}": {"post": _plain(post, schemas)},
            "/actions/{id}": {"get": _plain(show, schemas)},
        },
    }


def _plain(part: Any, schemas: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(part, list):
        return [_plain(one, schemas) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _plain(schemas[part["$ref"].rpartition("/")[2]], schemas)
    for several in ("oneOf", "anyOf"):
        if several in part:
            return _chosen(part, part[several], schemas)
    if "allOf" in part:
        merged: Json = {"type": "object", "required": [], "properties": {}}
        for one in part["allOf"]:
            merged["required"] += one["required"]
            merged["properties"] |= one["properties"]
        return _plain(merged, schemas)
    plain = {
        key: _plain(value, schemas) for key, value in part.items() if key not in {"additionalProperties", "examples"}
    }
    if isinstance(kinds := plain.get("type"), list):
        (plain["type"],) = [kind for kind in kinds if kind != "null"]
        plain["nullable"] = True
    return plain


def _chosen(part: Json, several: list[Json], schemas: Mapping[str, Any]) -> Json:
    """Return the first of several shapes, as the document has them: null beside it makes it nullable."""
    first: Json = {**{key: value for key, value in part.items() if key == "description"}, **_plain(several[0], schemas)}
    return first | ({"nullable": True} if {"type": "null"} in several else {})


def printed() -> str:
    """Return it as it lies in the file."""
    return json.dumps(narrowed(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(printed(), encoding="utf-8")
