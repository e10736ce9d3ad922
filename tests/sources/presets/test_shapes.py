"""What only some systems want: bare lists, HTML, the moment or our user in a body, a key for a name, another try."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from starlette.responses import JSONResponse

from service.core import model as m
from service.core.errors import EgressRefused, Malformed, Rejected, Unclear, Unreadable
from service.outbound import Asked
from service.sources.generic import Generic, Options
from tests.sources.presets.vendors import KEY
from tests.sources.senders import ACTION_ID, REPORT, SETTLED, VERIFIED, Outdoors, PlayDesk

BODY = {"text": "{note}"}
TICKET = replace(REPORT, ticket=m.Ticket("42"))


def options(ask: Mapping[str, Any] | None = None, tell: Mapping[str, Any] | None = None, **more: object) -> Options:
    """Return the options of a source that reads and tells so."""
    given: dict[str, Any] = {"kind": "generic", "org": "acme", "secrets": [KEY], "signature": {"header": "x-mac"}}
    if ask is not None:
        given["ask"] = {"conversation_id": "/c", "caller_phone": "/p", "timestamp": "/t"} | dict(ask)
    if tell is not None:
        given |= {"tell": {"path": "/t/{ticket}", "body": BODY} | dict(tell), "desk_url": "http://127.0.0.1:8090"}
    return Options.model_validate(given | more)


def parse(ask: Mapping[str, Any], body: object) -> m.Removal | m.Ignored | m.Batch:
    """Return what a body asks."""
    source = Generic("desk", options(ask), Outdoors().outside)
    return source.parse(m.Delivery("desk", (), json.dumps(body).encode(), 0), VERIFIED)


def desk(tell: Mapping[str, Any], status: int = 201, **more: object) -> tuple[PlayDesk, Outdoors, Generic]:
    """Return a desk that always answers so, and a source that tells it."""
    play = PlayDesk(lambda: JSONResponse({}, status))
    outdoors = Outdoors(play.app)
    return play, outdoors, Generic("desk", options(None, tell, **more), outdoors.outside)


EVENT = {"c": "0f9a1d4e-6a0e-4c2c-8d43-8b7f6c1f2a10", "p": "+14155550123", "t": "2026-11-20T09:00:00Z", "tries": 1}


@pytest.mark.parametrize("body", [[EVENT], EVENT])
def test_a_list_at_the_top(body: object) -> None:
    """A body may be the list of events itself, or the one event, where the settings say that it is the whole."""
    found = parse({"events": "", "changing": ["tries"]}, body)
    assert isinstance(found, m.Batch)
    (part,) = found.parts
    assert isinstance(part.asked, m.Removal)
    assert "tries" not in json.loads(part.body)


@pytest.mark.parametrize("body", [[], "x", 1, None])
def test_no_list_at_the_top(body: object) -> None:
    """What is neither an event nor a list of them is refused, and the sentence says where one was looked for."""
    with pytest.raises(Unreadable, match="no list of events at the top of the body"):
        parse({"events": ""}, body)


def test_a_list_only_where_it_is_said() -> None:
    """Everywhere else a body is an object."""
    with pytest.raises(Malformed, match="not an object"):
        parse({}, [EVENT])


def test_what_changes_is_of_events() -> None:
    """Names that change are said with events: a body that is taken as it came is known by all of its bytes."""
    with pytest.raises(ValidationError, match='say events = "" too'):
        options({"changing": ["tries"]})


@pytest.mark.parametrize("text", ["2026-11-20", "09:00", "2026-11-20T09Z", 5, "x"])
def test_no_minute(text: object) -> None:
    """What is no time of that form is refused in words."""
    with pytest.raises(Unreadable, match="timestamp"):
        parse({"timestamp_form": "minutes"}, EVENT | {"t": text})


def test_a_minute_without_an_offset() -> None:
    """A minute in nobody's zone is refused, as every time is."""
    with pytest.raises(Unreadable, match="says no offset"):
        parse({"timestamp_form": "minutes"}, EVENT | {"t": "2026-11-20 09:00"})


async def test_what_stands_in_a_body() -> None:
    """A desk's body may have the note as HTML, the moment of the end, our user, the ticket and the action."""
    body = {"html": "<p>{html}</p>", "at": "{moment}", "by": "{user}", "on": "/t({ticket})", "id": "{action}"}
    play, _, source = desk({"body": body}, desk_user="7")
    await source.tell(TICKET, SETTLED, 'Gone: <img src="x"> & more.')
    assert json.loads(play.heard[0].body) == {
        "html": f'<p>Gone: &lt;img src="x"&gt; &amp; more. [{ACTION_ID}]</p>',
        "at": "2026-11-20T09:00:01.500Z",
        "by": "7",
        "on": "/t(42)",
        "id": ACTION_ID,
    }


async def test_nothing_else_leaves() -> None:
    """Only the note's own places vary in what leaves: our user's does not."""
    play, outdoors, _ = desk({"body": BODY | {"by": "{user}"}}, desk_user="7")
    caller = outdoors.caller(outdoors.rules)
    url = "http://127.0.0.1:8090/t/42"
    with pytest.raises(EgressRefused):
        await caller.send(Asked("POST", url, {}, b'{"text":"x","by":"8"}'))
    await caller.send(Asked("POST", url, {}, b'{"text":"x","by":"7"}'))
    assert len(play.heard) == 1


def test_who_we_are_is_said() -> None:
    """A body that names our user wants one in the settings."""
    with pytest.raises(ValidationError, match="desk_user"):
        options(None, {"body": BODY | {"by": "{user}"}})


async def test_a_ticket_in_the_body() -> None:
    """A note that says its ticket only in the body goes nowhere without one."""
    play, _, source = desk({"path": "/notes", "body": BODY | {"on": "{ticket}"}})
    with pytest.raises(Rejected, match="no ticket"):
        await source.tell(replace(REPORT, ticket=None), SETTLED, "Gone.")
    assert play.heard == []


async def test_a_key_for_a_name() -> None:
    """A key stands where HTTP Basic has the user's name; it alone is wanted."""
    play, _, source = desk({"auth": "key"}, desk_secret="a-play-key")
    await source.tell(TICKET, SETTLED, "Gone.")
    assert httpx.BasicAuth("a-play-key", "X")._auth_header == play.heard[0].headers["authorization"]
    with pytest.raises(ValidationError, match="desk_secret"):
        options(None, {"auth": "key"})


@pytest.mark.parametrize("status, error", [(409, Unclear), (422, Rejected)])
async def test_another_time(status: int, error: type[Exception]) -> None:
    """A status that the settings name is no last word: the note is looked for and tried again."""
    _, _, source = desk({"again": [409]}, status)
    with pytest.raises(error):
        await source.tell(TICKET, SETTLED, "Gone.")


ERRORS = {
    "pagerduty": {"error": {"message": "Requester User Not Found", "code": 1008}},
    "dynamics": {"error": {"code": "0x80040217", "message": "incident does not exist"}},
    "jira": {"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}},
    "jsm": {"errorMessage": "The request could not be found.", "i18nErrorMessage": {}},
    "freshdesk": {
        "description": "Validation failed",
        "errors": [{"field": "body", "message": "It should be a String"}],
    },
    "intercom": {"type": "error.list", "errors": [{"code": "not_found", "message": "Resource Not Found"}]},
    "salesforce": [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}],
    "hubspot": {"status": "error", "message": "ticket does not exist", "category": "VALIDATION_ERROR"},
    "zendesk": {"error": "RecordNotFound", "description": "Not found"},
}


@pytest.mark.parametrize("name", sorted(ERRORS))
async def test_what_a_desk_says_of_its_refusal(name: str) -> None:
    """A desk's own sentence, wherever its errors have it, stands behind ours, which says what to mend."""
    play = PlayDesk(lambda: JSONResponse(ERRORS[name], 404))
    source = Generic("desk", options(None, {}), Outdoors(play.app).outside)
    with pytest.raises(Rejected, match=r"^404: the ticket is missing.*\(it said: [A-Za-z ]{9,}.*\)$"):
        await source.tell(TICKET, SETTLED, "Gone.")


async def test_what_a_desk_says_of_its_yes_is_not_kept() -> None:
    """What a desk answers when it did what was asked is the note again, or a ticket: none of that is ours to keep."""
    play = PlayDesk(lambda: JSONResponse({"message": "Gone.", "description": "about a person"}, 201))
    source = Generic("desk", options(None, {}), Outdoors(play.app).outside)
    assert await source.tell(TICKET, SETTLED, "Gone.") == m.Reply(201)
