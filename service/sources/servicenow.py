"""ServiceNow: its script signs by Standard Webhooks, and is told in the work notes of the record it sent."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlencode

from pydantic import SecretStr, field_validator, model_validator

from service.core import model as m
from service.core.errors import Refused, Rejected, Unclear, Unreadable
from service.outbound import Asked, Rule, origin_in
from service.sources.asking import asked_in, clicked_at, removal_in
from service.sources.desk import Outside, reply_in
from service.sources.options import SourceOptions
from service.sources.reading import Fields, json_object

_TABLE_CHARS: Final = 80  # as long as the desk lets a table's name be
_NUMBER_CHARS: Final = 40  # and a record's number
_RECORD: Final = re.compile(r"([a-z][a-z0-9_]{0,79})/([0-9a-f]{32})", re.ASCII)
_API: Final = "/api/now/table/"
_JOURNAL: Final = _API + "sys_journal_field"
# Text between these tags is shown as HTML in a journal.
_CODE_TAG: Final = re.compile(r"\[(/?code)\]", re.IGNORECASE)
_ADVICE: Final[Mapping[int, str]] = {
    400: "ServiceNow cannot read the request: is there such a table, and is it open to the Table API?",
    401: "ServiceNow does not know the user: check username and password, and that the user is active and not locked",
    403: "ServiceNow does not let our user write there: an ACL or a business rule; the user needs write on work_notes",
    404: "the record is missing or hidden by an ACL, or instance_url is not the instance that asked",
}


class Options(SourceOptions):
    """What a ServiceNow source must say.

    Attributes:
        instance_url: the instance, like `https://acme.service-now.com`: the only address its notes go to.
        username: the user that writes the notes; deliveries that this user caused are ignored.
        password: of that user.
        reports: `ticket` writes the outcome on the record; an empty list tells nobody.
    """

    kind: Literal["servicenow"]
    instance_url: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")
    reports: tuple[Literal["ticket"], ...] = ("ticket",)

    @field_validator("instance_url")
    @classmethod
    def _is_origin(cls, text: str) -> str:
        return str(origin_in(text)) if text else ""

    @field_validator("username")
    @classmethod
    def _fits_basic(cls, username: str) -> str:
        if ":" in username:
            raise ValueError("a user name with a colon cannot be sent by HTTP Basic")
        return username

    @model_validator(mode="after")
    def _can_tell(self) -> Options:
        wanted = {
            "instance_url": self.instance_url,
            "username": self.username,
            "password": self.password.get_secret_value(),
        }
        if self.reports and not all(wanted.values()):
            missing = ", ".join(name for name, value in wanted.items() if not value)
            raise ValueError(f"{missing}: needed to write on tickets; set it, or say reports = [] to tell nobody")
        return self


class ServiceNow:
    """One ServiceNow instance, both directions: a `core.ports.Source`."""

    media_types: Final = frozenset({"application/json"})

    def __init__(self, name: str, options: Options, outside: Outside) -> None:
        """Take the source's configured `name` and options; a way out is opened only where tickets are told."""
        self.terms: Final = options.terms(name, options.reports)
        self.success_status: Final = options.success_status
        self._options = options
        self._keyring = options.keyring
        self._zone = options.zone
        self._caller = outside.open_caller(_rules(options)) if options.reports else None

    def verify(self, delivery: m.Delivery) -> m.Verified:
        """Prove that the script signed these bytes within the last five minutes; see `Source.verify`."""
        return self._keyring.verify(delivery)

    def parse(self, delivery: m.Delivery, verified: m.Verified) -> m.Removal | m.Ignored:
        """Read what is asked; see `Source.parse`.

        The stamp counts as the time of the click where the body says none: the script stamps once per click. What our
        own user caused is ignored: our note fires the desk's rules again, and they must not send us our own echo.
        """
        asked = asked_in(delivery.body)
        if isinstance(asked, m.Ignored):
            return asked
        if self._is_ours(asked.requester) or self._is_ours(asked.actor):
            return m.Ignored("sent because of our own note: the actor is the user that writes our notes")
        may_be_untimed = self._options.untimed == "accept"
        event_at = clicked_at(asked, verified.stamped_at, self._zone, may_be_untimed=may_be_untimed)
        return removal_in(asked, _ticket(asked.fields), event_at)

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        """Whether the record's journal holds a note with the action's id; see `Source.is_told`.

        The row itself is looked at: ServiceNow drops a condition it cannot apply and then answers any row. Also False
        where our user may not read the journal (400, 401, 403, 404, …): unreadable is not absent, so then a note may
        come to stand twice.
        """
        try:
            query = {
                "sysparm_query": f"element_id={_record(report)[1]}^element=work_notes^valueLIKE{action.id}",
                "sysparm_limit": "1",
                "sysparm_fields": "value",
            }
            rows = await self._result("GET", f"{_JOURNAL}?{urlencode(query)}")
        except Rejected:
            return False
        return isinstance(rows, list) and any(isinstance(it, dict) and action.id in str(it.get("value")) for it in rows)

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Append `note` to the record's work notes, with the action's id, by which `is_told` finds it again."""
        table, sys_id = _record(report)
        text = _CODE_TAG.sub(r"(\1)", note if action.id in note else f"{note} [{action.id}]")
        await self._result("PATCH", f"{_API}{table}/{sys_id}", json.dumps({"work_notes": text}).encode(), deadline)
        return m.Reply(200)

    async def _result(self, method: str, path: str, body: bytes = b"", deadline: float | None = None) -> object:
        """Return `result` of the Table API's answer.

        Raises:
            Upstream: as `reply_in`; Unclear where a 2xx is not the Table API's: a sign-in or hibernation page.
        """
        if self._caller is None:
            raise Rejected("this source tells no tickets: its reports are []")
        headers = {"Authorization": _basic(self._options)}
        if body:
            headers["Content-Type"] = "application/json"
        answered = await self._caller.send(Asked(method, self._options.instance_url + path, headers, body, deadline))
        reply = reply_in(answered, _ADVICE)
        try:
            return json_object(answered.body).values["result"]
        except (Refused, KeyError):
            raise Unclear(f"{reply.status}, but not from the Table API: is the instance asleep?", reply) from None

    def _is_ours(self, name: str) -> bool:
        return bool(name) and name.casefold() == self._options.username.casefold()


def _rules(options: Options) -> tuple[Rule, ...]:
    """Return the two shapes of request that may leave: a note on one record, and the look for it."""
    origin = origin_in(options.instance_url)
    asked = rb"sysparm_query=element_id%3D[0-9a-f]{32}%5Eelement%3Dwork_notes%5EvalueLIKE"
    query = re.compile(asked + m.ACTION_ID.pattern.encode() + rb"&sysparm_limit=1&sysparm_fields=value")
    return (
        Rule("PATCH", origin, re.compile(rf"{_API}{_RECORD.pattern}".encode()), _is_note),
        Rule("GET", origin, re.compile(_JOURNAL.encode()), query=query),
    )


def _is_note(body: bytes) -> bool:
    """Whether a body sets the work notes and nothing else."""
    try:
        fields = json_object(body).values
    except Refused:
        return False
    return fields.keys() == {"work_notes"} and isinstance(fields["work_notes"], str)


def _basic(options: Options) -> str:
    credentials = f"{options.username}:{options.password.get_secret_value()}"
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def _record(report: m.Report) -> tuple[str, str]:
    """Return table and sys_id of a report's ticket, checked again: they become a path.

    Raises:
        Rejected: the report names no record of this desk.
    """
    found = _RECORD.fullmatch(report.ticket.reference) if report.ticket else None
    if found is None:
        raise Rejected("the report names no record: a ticket is table/sys_id, like incident/<32 hex digits>")
    return found[1], found[2]


def _ticket(fields: Fields) -> m.Ticket | None:
    """Return the record that asked, or None when the body names none.

    Raises:
        Unreadable: it names one by halves, or not as table and sys_id.
    """
    number = fields.word("number", _NUMBER_CHARS)
    parts = (fields.word("table", _TABLE_CHARS), fields.word("sys_id", _TABLE_CHARS))
    whole = fields.word("ticket", 2 * _TABLE_CHARS)
    if not (number or whole or any(parts)):
        return None
    named = {text for text in (whole, "/".join(parts) if any(parts) else "") if text}
    reference = named.pop() if len(named) == 1 else ""
    if not _RECORD.fullmatch(reference):
        raise Unreadable(
            "the ticket is named by table (like incident) and sys_id (32 hex digits), both or neither; "
            'or as "ticket":"incident/<sys_id>"; number alone does not lead to it'
        )
    return m.Ticket(reference, number)
