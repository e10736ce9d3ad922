"""The control under /sandbox/: how tests, the demo and people set the scene and ask what really happened."""

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Final
from urllib.parse import parse_qs

from service.sandbox import views
from service.sandbox.calls import SERVICES, CallLog
from service.sandbox.casting import fill, read_divisions
from service.sandbox.conversations import Conversation, Division, World
from service.sandbox.desk import Desk, Ticket
from service.sandbox.events import Events
from service.sandbox.exchange import UUID, Answer, Asked, json_answer, read_json
from service.sandbox.fields import Fields, Unusable
from service.sandbox.login import Login
from service.sandbox.page import page
from service.sandbox.scenarios import PHONE, SCENARIOS, cast_of

_NOT_FOUND: Final = 404
_SHOWN, _SHOWN_CALLS = 20, 40  # conversations and tickets, and calls: what a page holds without a search
Names = dict[str, str]


class Control:
    """The control of one sandbox; it needs no login, for nothing in here is real."""

    def __init__(self, world: World, login: Login, desk: Desk, calls: CallLog, events: Events) -> None:
        self._world, self._login, self._desk, self._calls = world, login, desk, calls
        self._events, self._first_world = events, world.switches.world

    def answer(self, asked: Asked) -> Answer:
        """Do what is asked and answer in JSON; what cannot be done gets a sentence."""
        try:
            for method, path, act in _WAYS:
                if asked.method == method and (match := path.fullmatch(asked.path)):
                    return act(self, asked, match.groupdict())
        except Unusable as unusable:
            return json_answer(unusable.status, {"error": str(unusable)})
        return json_answer(_NOT_FOUND, {"error": "the sandbox's control has no such call."})

    def page(self, _asked: Asked, names: Names) -> Answer:
        """Show a person what happens here, as it happens."""
        return page(names["file"] or "page.html")

    def state(self, asked: Asked, _: Names) -> Answer:
        """Tell what the page shows: who is where, the latest calls, and what was written on the tickets."""
        conversations = [views.truth(one, asked.at) for one in self._world.conversations.values()]
        state = {
            "at": asked.at,
            "world": self._world.switches.world,
            "conversations": conversations[: -_SHOWN - 1 : -1],
            "calls": self._calls.latest(_SHOWN_CALLS),
            "tickets": [_written(ticket) for ticket in self._desk.tickets.values()][: -_SHOWN - 1 : -1],
        }
        return json_answer(200, state)

    def health(self, _asked: Asked, _: Names) -> Answer:
        """Say that this is a sandbox."""
        return json_answer(200, {"sandbox": True, "calls": len(self._calls), "world": self._world.switches.world})

    def credentials(self, _asked: Asked, _: Names) -> Answer:
        """Tell the play credentials."""
        return json_answer(200, asdict(self._login.credentials))

    def scenarios(self, _asked: Asked, _: Names) -> Answer:
        """List the scenarios."""
        listed = [
            {
                "name": name,
                "sentence": scenario.sentence,
                "cast": [f"{one.get('name')} ({one.get('purpose')})" for one in scenario.cast],
            }
            for name, scenario in SCENARIOS.items()
        ]
        return json_answer(200, {"scenarios": listed})

    def create(self, asked: Asked, _: Names) -> Answer:
        """Begin a conversation from a scenario or from participants described one by one."""
        known = ("scenario", "caller_phone", "participants", "conversation_id", "divisions")
        fields = Fields(_read(asked), "a conversation", known)
        name, described = fields.text("scenario", tuple(SCENARIOS)), fields.items("participants")
        phone = fields.matching("caller_phone", PHONE, "a number like +14155550123")
        cid = fields.uuid("conversation_id")
        if (name is None) == (described is None) or (phone and name is None):
            raise Unusable("a conversation needs either a scenario (with a caller_phone, if you like) or participants.")
        if self._world.find(cid):
            raise Unusable("there is a conversation with this id already.")
        scenario = SCENARIOS[name] if name else None
        cast = cast_of(name, phone) if name else described or []
        fresh = Conversation(cid or self._world.new_id(), asked.at, scenario=name)
        if scenario:
            fresh.switches.change(scenario.switches)
            fresh.divisions = [Division(one["id"], one["name"]) for one in scenario.divisions] or fresh.divisions
        divisions = read_divisions(fields.items("divisions"), self._world.new_id)
        fresh.divisions = fresh.divisions if divisions is None else divisions
        people = fill(fresh, cast, asked.at, self._world.new_id)
        self._world.conversations[fresh.id] = fresh
        told = [views.introduction(person) for person in people]
        return json_answer(201, {"conversation_id": fresh.id, "participants": told})

    def conversations(self, asked: Asked, _: Names) -> Answer:
        """List every conversation as it really is."""
        listed = [views.truth(one, asked.at) for one in self._world.conversations.values()]
        return json_answer(200, {"conversations": listed})

    def truth(self, asked: Asked, names: Names) -> Answer:
        """Tell who is really in a conversation."""
        return json_answer(200, views.truth(self._conversation(names), asked.at))

    def event(self, asked: Asked, names: Names) -> Answer:
        """Let something happen in a conversation."""
        return json_answer(200, self._events.happen(self._conversation(names), _read(asked), asked.at))

    def switches(self, asked: Asked, _: Names) -> Answer:
        """Tell the global switches, after changing what a PUT gives."""
        switches = self._world.switches
        if asked.method == "PUT":
            given = _read(asked)
            switches.change(given)
            if isinstance(given, dict) and "token_seconds" in given:
                self._login.shorten(asked.at, switches.token_seconds)
        return json_answer(200, asdict(switches))

    def own_switches(self, asked: Asked, names: Names) -> Answer:
        """Tell the switches of a conversation, after changing what a PUT gives."""
        switches = self._conversation(names).switches
        if asked.method == "PUT":
            switches.change(_read(asked))
        return json_answer(200, asdict(switches))

    def calls(self, asked: Asked, _: Names) -> Answer:
        """List the calls received."""
        query = {name: values[-1] for name, values in parse_qs(asked.query).items()}
        since, service = query.get("since", "0"), query.get("service")
        if not re.fullmatch(r"[0-9]{1,15}", since):
            raise Unusable("since must be the number of a call.")
        if service is not None and service not in SERVICES:
            raise Unusable(f"service must be one of {', '.join(SERVICES)}.")
        return json_answer(200, {"calls": self._calls.listed(int(since), query.get("conversation"), service)})

    def reset(self, _asked: Asked, _: Names) -> Answer:
        """Empty everything but the credentials and the tokens given for them."""
        self._world.conversations.clear()
        self._world.switches.reset(self._first_world)
        self._login.refresh_budgets()
        self._desk.tickets.clear()
        self._desk.deliveries.clear()
        self._calls.clear()
        return json_answer(200, {"reset": True})

    def open_ticket(self, asked: Asked, _: Names) -> Answer:
        """Open a ticket."""
        fields = Fields(_read(asked), "a ticket", ("table", "number", "sys_id"))
        table = fields.matching("table", r"[a-z0-9_]{1,80}", "a table's name") or "incident"
        sys_id = fields.matching("sys_id", r"[0-9a-f]{32}", "32 hexadecimal digits")
        if (table, sys_id) in self._desk.tickets:
            raise Unusable("there is a ticket with this sys_id already.")
        ticket = self._desk.open(table, fields.text("number"), sys_id, asked.at)
        return json_answer(201, _named(ticket))

    def tickets(self, _asked: Asked, _: Names) -> Answer:
        """List the tickets."""
        return json_answer(200, {"tickets": [_named(ticket) for ticket in self._desk.tickets.values()]})

    def ticket(self, _asked: Asked, names: Names) -> Answer:
        """Tell what was written on a ticket."""
        ticket = self._desk.tickets.get((names["table"], names["sys_id"]))
        if ticket is None:
            raise Unusable("there is no such ticket.", _NOT_FOUND)
        return json_answer(200, _written(ticket))

    def deliveries(self, _asked: Asked, names: Names) -> Answer:
        """List what the webhook receiver of this name received."""
        return json_answer(200, {"deliveries": self._desk.deliveries.get(names["name"], [])})

    def _conversation(self, names: Names) -> Conversation:
        conversation = self._world.find(names["cid"])
        if conversation is None:
            raise Unusable("there is no such conversation.", _NOT_FOUND)
        return conversation


_Act = Callable[[Control, Asked, Names], Answer]


def _way(method: str, path: str, act: _Act) -> tuple[str, re.Pattern[str], _Act]:
    return method, re.compile("/sandbox" + path.replace("{cid}", f"(?P<cid>{UUID})")), act


_WAYS: Final = (
    _way("GET", "(?:/(?P<file>page\\.css|page\\.js)?)?", Control.page),
    _way("GET", "/state", Control.state),
    _way("GET", "/health", Control.health),
    _way("GET", "/credentials", Control.credentials),
    _way("GET", "/scenarios", Control.scenarios),
    _way("GET", "/conversations", Control.conversations),
    _way("POST", "/conversations", Control.create),
    _way("GET", "/conversations/{cid}", Control.truth),
    _way("POST", "/conversations/{cid}/events", Control.event),
    _way("GET", "/conversations/{cid}/switches", Control.own_switches),
    _way("PUT", "/conversations/{cid}/switches", Control.own_switches),
    _way("GET", "/switches", Control.switches),
    _way("PUT", "/switches", Control.switches),
    _way("GET", "/calls", Control.calls),
    _way("POST", "/reset", Control.reset),
    _way("GET", "/desk/tickets", Control.tickets),
    _way("POST", "/desk/tickets", Control.open_ticket),
    _way("GET", "/desk/tickets/(?P<table>[a-z0-9_]+)/(?P<sys_id>[0-9a-f]{32})", Control.ticket),
    _way("GET", "/desk/hooks/(?P<name>[A-Za-z0-9._-]+)", Control.deliveries),
)


def _read(asked: Asked) -> object:
    try:
        return read_json(asked.body)
    except ValueError:
        raise Unusable("the body must be JSON.") from None


def _named(ticket: Ticket) -> dict[str, object]:
    return {"table": ticket.table, "sys_id": ticket.sys_id, "number": ticket.number}


def _written(ticket: Ticket) -> dict[str, object]:
    notes = [
        {"at": note.at, "by": note.by, "text": note.text} for note in ticket.journal if note.element == "work_notes"
    ]
    return {**_named(ticket), "fields": ticket.fields, "work_notes": notes}
