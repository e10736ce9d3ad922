"""The play ticket desk: records with work notes, shaped like ServiceNow, and a receiver for our own webhooks.

It has our Scripted REST resource too, and takes a password, a token or an API key, as the real one does.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

from service.sandbox.conversations import NewId
from service.sandbox.errors import desk_error, login_error, plain_error
from service.sandbox.exchange import Answer, Asked, Route, json_answer, read_json
from service.sandbox.login import Credentials, basic

_TABLE: Final = re.compile(r"/api/now/table/(?P<table>[a-z0-9_]{1,80})(?:/(?P<sys_id>[0-9a-f]{32}))?")
_JOURNAL: Final = "sys_journal_field"
_TOKEN: Final = "/oauth_token.do"  # noqa: S105 -- a path
OUTCOME_PATH: Final = "/api/x_play_onhook/onhook/outcome"  # where the play desk has our Scripted REST resource
OWN_PATHS: Final = (_TOKEN, OUTCOME_PATH)
TOKEN_SECONDS: Final = 1799  # as the real desk says it by default
_JOURNALED: Final = ("work_notes", "comments")  # they append, and read back as ""
_ROWS: Final = 10_000  # the real desk's default sysparm_limit
_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Note:
    """One entry of a journal."""

    sys_id: str
    element: str
    at: float
    by: str
    text: str


@dataclass(slots=True)
class Ticket:
    """One record: its plain fields, and its journal."""

    table: str
    sys_id: str
    number: str
    fields: dict[str, object] = field(default_factory=dict)
    journal: list[Note] = field(default_factory=list)
    changes: int = 0
    changed_at: float = 0.0
    changed_by: str = "beth.anglin"

    def note_of(self, mark: str) -> bool:
        """Say whether a work note holds this text."""
        return any(note.element == "work_notes" and mark in note.text for note in self.journal)

    def record(self) -> dict[str, object]:
        """Return the record as the Table API shows it."""
        return {
            **self.fields,
            "sys_id": self.sys_id,
            "number": self.number,
            "sys_class_name": self.table,
            "sys_mod_count": str(self.changes),
            "sys_updated_on": _desk_time(self.changed_at),
            "sys_updated_by": self.changed_by,
            **dict.fromkeys(_JOURNALED, ""),
        }


class Desk:
    """All tickets, and every webhook that was received."""

    def __init__(self, credentials: Credentials, new_id: NewId) -> None:
        self._credentials = credentials
        self._new_id = new_id
        self.tickets: dict[tuple[str, str], Ticket] = {}
        self.deliveries: dict[str, list[dict[str, object]]] = {}
        self._tokens: dict[str, float] = {}

    def open(self, table: str, number: str | None, sys_id: str | None, at: float) -> Ticket:
        """Open a ticket; number and sys_id are made up when they are not given."""
        number = number or f"INC{10_000 + len(self.tickets):07d}"
        ticket = Ticket(table, sys_id or self._new_id().replace("-", ""), number, changed_at=at)
        self.tickets[table, ticket.sys_id] = ticket
        return ticket

    def route(self, asked: Asked) -> Route:
        """Return what the desk's login, the Table API or our resource there does about a request."""
        if asked.path == _TOKEN:
            return Route("desk_token", lambda: self._give_token(asked), login_error, authorized=True)
        is_user, match = self._is_user(asked), _TABLE.fullmatch(asked.path)
        if is_user and asked.path == OUTCOME_PATH:
            return Route("note", lambda: self._take_outcome(asked), desk_error, is_user)
        if not is_user or match is None:
            status = 400 if is_user else 401
            return Route(None, lambda: desk_error(status, None, None), desk_error, is_user)
        table, sys_id = match["table"], match["sys_id"]
        if table == _JOURNAL and sys_id is None and asked.method == "GET":
            return Route("journal", lambda: self._search(asked), desk_error, is_user)
        ticket = self.tickets.get((table, sys_id or ""))

        def act() -> Answer:
            if sys_id is None or asked.method not in {"GET", "PATCH"}:
                return desk_error(405, None, None)
            if ticket is None:
                return desk_error(404, None, None)
            return self._change(ticket, asked) if asked.method == "PATCH" else _shown(ticket.record(), asked)

        return Route("note" if asked.method == "PATCH" else None, act, desk_error, is_user)

    def receive(self, name: str, asked: Asked) -> Route:
        """Return what the webhook receiver does about a delivery: it keeps everything but a credential."""

        def act() -> Answer:
            kept = {key: value for key, value in asked.headers.items() if key.lower() != "authorization"}
            delivery = {"at": asked.at, "headers": kept, "body": asked.body.decode("utf-8", "replace")}
            received = self.deliveries.setdefault(name, [])
            received.append(delivery)
            del received[:-_KEPT]
            return json_answer(200, {"received": True}, effect=True)

        return Route("hook", act, plain_error, authorized=True)

    def _change(self, ticket: Ticket, asked: Asked) -> Answer:
        given = _object(asked.body)
        if given is None:
            return desk_error(400, None, None)
        for name, value in given.items():
            if name not in _JOURNALED:
                ticket.fields[name] = value
            elif value:
                self._write(ticket, name, str(value), asked.at)
        self._stamp(ticket, asked.at)
        return _shown(ticket.record(), asked, effect=True)

    def _take_outcome(self, asked: Asked) -> Answer:
        """Write a note unless the record has one of that action, as our Scripted REST resource does."""
        if asked.method != "POST":
            return desk_error(405, None, None)
        told = {name: value for name, value in (_object(asked.body) or {}).items() if isinstance(value, str)}
        if told.keys() != {"action_id", "table", "sys_id", "work_notes"}:
            return desk_error(400, None, None)
        ticket = self.tickets.get((told["table"], told["sys_id"]))
        if ticket is None:
            return desk_error(404, None, None)
        is_new = not ticket.note_of(told["action_id"])
        if is_new:
            self._write(ticket, "work_notes", told["work_notes"], asked.at)
            self._stamp(ticket, asked.at)
        result: dict[str, object] = {"action_id": told["action_id"], "told": "written" if is_new else "already"}
        return _shown(result, asked, effect=is_new)

    def _write(self, ticket: Ticket, element: str, text: str, at: float) -> None:
        sys_id = self._new_id().replace("-", "")
        ticket.journal.append(Note(sys_id, element, at, self._credentials.desk_user, text))

    def _stamp(self, ticket: Ticket, at: float) -> None:
        ticket.changes, ticket.changed_at = ticket.changes + 1, at
        ticket.changed_by = self._credentials.desk_user

    def _is_user(self, asked: Asked) -> bool:
        """Say whether a request is our user's: by password, by a token that has not ended, or by key."""
        keys, (scheme, _, token) = self._credentials, asked.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return asked.at < self._tokens.get(token, 0.0)
        by_password = basic(asked.headers) == (keys.desk_user, keys.desk_password)
        return by_password or asked.headers.get("x-sn-apikey") == keys.desk_api_key

    def _give_token(self, asked: Asked) -> Answer:
        keys = self._credentials
        form = {name: values[-1] for name, values in parse_qs(asked.body.decode("utf-8", "replace")).items()}
        grant = form.pop("grant_type", "")
        wanted = {"client_id": keys.desk_client_id, "client_secret": keys.desk_client_secret}
        if grant == "password":
            wanted |= {"username": keys.desk_user, "password": keys.desk_password}
        if asked.method != "POST" or grant not in {"client_credentials", "password"} or form != wanted:
            return login_error(401, "server_error", "access_denied")
        token = f"{self._new_id()}{self._new_id()}".replace("-", "")
        self._tokens[token] = asked.at + TOKEN_SECONDS
        given = {"access_token": token, "scope": "useraccount", "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        return json_answer(200, given)

    def _search(self, asked: Asked) -> Answer:
        """Answer the journal entries that fit an encoded query of `field=value` and `fieldLIKEtext` parts."""
        query = parse_qs(asked.query)
        parts = [
            re.fullmatch(r"(?P<name>[a-z_]+)(?P<operator>=|LIKE)(?P<value>.*)", part, re.DOTALL)
            for part in query.get("sysparm_query", [""])[-1].split("^")
            if part and not part.startswith("ORDERBY")
        ]
        limit = query.get("sysparm_limit", [str(_ROWS)])[-1]
        if None in parts or not limit.isdecimal():
            return desk_error(400, None, None)
        rows = [row for row in self._rows() if all(part and _fits(row, part) for part in parts)]
        return _shown(rows[: int(limit)], asked)

    def _rows(self) -> list[dict[str, object]]:
        return [
            {
                "sys_id": note.sys_id,
                "name": ticket.table,
                "element_id": ticket.sys_id,
                "element": note.element,
                "value": note.text,
                "sys_created_on": _desk_time(note.at),
                "sys_created_by": note.by,
            }
            for ticket in self.tickets.values()
            for note in ticket.journal
        ]


def _object(body: bytes) -> dict[str, object] | None:
    try:
        content = read_json(body)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _fits(row: dict[str, object], part: re.Match[str]) -> bool:
    value, wanted = str(row.get(part["name"], "")), part["value"]
    return value == wanted if part["operator"] == "=" else wanted.lower() in value.lower()


def _shown(result: dict[str, object] | list[dict[str, object]], asked: Asked, *, effect: bool | None = None) -> Answer:
    """Answer a record or rows, only with the fields `sysparm_fields` names if it does."""
    names = [name for given in parse_qs(asked.query).get("sysparm_fields", []) for name in given.split(",")]

    def narrowed(row: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in row.items() if name in names} if names else row

    shown = narrowed(result) if isinstance(result, dict) else [narrowed(row) for row in result]
    return json_answer(200, {"result": shown}, effect=effect)


def _desk_time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
