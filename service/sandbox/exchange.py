"""What was asked and what is answered: the few types that pass between the front and the services behind it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

JSON: Final = "application/json"
UUID: Final = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived: `path` is raw, so an encoded path is simply another path."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; `effect` says whether something changed, None when nothing was meant to."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: bool | None = None


Failing = Callable[[int, str | None, str | None], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request leads: the kind rules are matched by (None: no rule applies), and what to do about it.

    `act` does it and answers; `fail(status, code, message)` makes an error body in this service's own shape;
    `headers` go on every answer, whoever made it.
    """

    kind: str | None
    act: Callable[[], Answer]
    fail: Failing
    authorized: bool
    conversation_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def to_json(content: object) -> bytes:
    """Return the content as compact JSON, ASCII only, so that no odd text can break an answer."""
    return json.dumps(content, separators=(",", ":")).encode()


def json_answer(
    status: int, content: object, *, effect: bool | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return an answer with a JSON body."""
    return Answer(status, to_json(content), JSON, headers or {}, effect)


def read_json(body: bytes) -> object:
    """Return the body as JSON, or raise ValueError, also for nesting too deep to read."""
    try:
        content: object = json.loads(body)
    except RecursionError as error:
        raise ValueError from error
    return content
