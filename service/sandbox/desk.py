"""The play ticket desk: records with work notes, shaped like ServiceNow, and a receiver for our own webhooks."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

from service.sandbox.conversations import NewId
from service.sandbox.errors import desk_error, plain_error
from service.sandbox.exchange import Answer, Asked, Route, json_answer, read_json
from service.sandbox.login import Credentials, basic

_TABLE: Final = re.compile(r"/api/now/table/(?P<table>[a-z0-9_]{1,80})(?:/(?P<sys_id>[0-9a-f]{32}))?")
_JOURNAL: Final = "sys_journal_field"
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

    def record(self) -> dict[str, object]:
        """Return the record as the Table API shows it."""
        return {
            **self.fields,
            "sys_id": self.sys_id,
            "number": self.number,
            "sys_class_name": self.table,
            "sys_mod_count": str(self.changes),
            "sys_updated_on": _desk_time(self.changed_at),
            **dict.fromkeys(_JOURNALED, ""),
        }


class Desk:
    """All tickets, and every webhook that was received."""

    def __init__(self, credentials: Credentials, new_id: NewId) -> None:
        self._credentials = credentials
        self._new_id = new_id
        self.tickets: dict[tuple[str, str], Ticket] = {}
        self.deliveries: dict[str, list[dict[str, object]]] = {}

    def open(self, table: str, number: str | None, sys_id: str | None, at: float) -> Ticket:
        """Open a ticket; number and sys_id are made up when they are not given."""
        number = number or f"INC{10_000 + len(self.tickets):07d}"
        ticket = Ticket(table, sys_id or self._new_id().replace("-", ""), number, changed_at=at)
        self.tickets[table, ticket.sys_id] = ticket
        return ticket

    def route(self, asked: Asked) -> Route:
        """Return what the Table API does about a request."""
        is_user = basic(asked.headers) == (self._credentials.desk_user, self._credentials.desk_password)
        match = _TABLE.fullmatch(asked.path)
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
        try:
            given = read_json(asked.body)
        except ValueError:
            given = None
        if not isinstance(given, dict):
            return desk_error(400, None, None)
        for name, value in given.items():
            if name not in _JOURNALED:
                ticket.fields[name] = value
            elif value:
                by = self._credentials.desk_user
                sys_id = self._new_id().replace("-", "")
                ticket.journal.append(Note(sys_id, name, asked.at, by, str(value)))
        ticket.changes, ticket.changed_at = ticket.changes + 1, asked.at
        return _shown(ticket.record(), asked, effect=True)

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
