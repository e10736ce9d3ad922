"""How a ServiceNow record is told: by the resource of our kit, or by the Table API where that is not installed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from service.core import model as m
from service.core.errors import Refused, Rejected, Reply, Unclear
from service.outbound import Asked, Origin, Rule
from service.sources.desk import Outside, reply_in
from service.sources.reading import json_object
from service.sources.servicenow_login import Credentials, Login, login_rules

RECORD: Final = re.compile(r"([a-z][a-z0-9_]{0,79})/([0-9a-f]{32})", re.ASCII)
_API: Final = "/api/now/table/"
_JOURNAL: Final = _API + "sys_journal_field"
_CHANGED_BY: Final = "sys_updated_by"
_NARROW: Final = f"sysparm_fields={_CHANGED_BY}"
_JSON: Final = {"Content-Type": "application/json"}
# Text between these tags is shown as HTML in a journal.
_CODE_TAG: Final = re.compile(r"\[(/?code)\]", re.IGNORECASE)
_TABLE_ADVICE: Final[Mapping[int, str]] = {
    400: "ServiceNow cannot read the request: is there such a table, and is it open to the Table API?",
    403: "ServiceNow does not let our user write there: an ACL or a business rule; the user needs write on work_notes",
    404: "the record is missing or hidden by an ACL, or instance_url is not the instance that asked",
}
_RESOURCE_ADVICE: Final[Mapping[int, str]] = {
    400: "the resource does not take it: is outcome_path its path as its form shows it, and is it active?",
    403: "ServiceNow does not let our user write there: an ACL on the resource, the record or its work notes",
    404: "the record is missing or hidden by an ACL, or outcome_path leads nowhere",
}
_WRITTEN: Final = "written"
_ALREADY: Final = "already"


@dataclass(frozen=True, slots=True)
class Instance:
    """Where records are told, and as whom. `outcome_path` is that of our resource there, "" for the Table API."""

    origin: Origin
    credentials: Credentials
    outcome_path: str = ""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The shapes of request that may leave, and no other: those of one way, and that for a token."""
        login = login_rules(self.origin, self.credentials)
        if self.outcome_path:
            path = re.compile(re.escape(self.outcome_path).encode())
            return (*login, Rule("POST", self.origin, path, _is_outcome))
        asked = rb"sysparm_query=element_id%3D[0-9a-f]{32}%5Eelement%3Dwork_notes%5EvalueLIKE"
        look = re.compile(asked + m.ACTION_ID.pattern.encode() + rb"&sysparm_limit=1&sysparm_fields=value")
        record, narrow = re.compile(rf"{_API}{RECORD.pattern}".encode()), re.compile(re.escape(_NARROW).encode())
        return (
            *login,
            Rule("PATCH", self.origin, record, _is_note, narrow),
            Rule("GET", self.origin, re.compile(_JOURNAL.encode()), query=look),
        )


class Notes:
    """Writes outcomes into the work notes of an instance's records."""

    def __init__(self, instance: Instance, outside: Outside) -> None:
        """Open a way out for exactly this instance's rules."""
        self._instance = instance
        caller = outside.open_caller(instance.rules)
        self._login = Login(instance.origin, instance.credentials, caller, outside.clock)

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        """Whether the record's journal holds a note with the action's id; see `Source.is_told`.

        Our resource need not be asked: it looks by itself, and a repeat of the telling is answered truthfully. With the
        Table API the row itself is looked at: ServiceNow drops a condition it cannot apply and then answers any row.
        Also False where our user may not read the journal (400, 401, 403, 404, …): unreadable is not absent, so then a
        note may come to stand twice.
        """
        if self._instance.outcome_path:
            return False
        try:
            query = {
                "sysparm_query": f"element_id={_record(report)[1]}^element=work_notes^valueLIKE{action.id}",
                "sysparm_limit": "1",
                "sysparm_fields": "value",
            }
            _, rows = await self._result(Asked("GET", f"{_JOURNAL}?{urlencode(query)}"), _TABLE_ADVICE)
        except Rejected:
            return False
        return isinstance(rows, list) and any(isinstance(it, dict) and action.id in str(it.get("value")) for it in rows)

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> Reply:
        """Append `note` to the record's work notes, with the action's id, by which it is found again."""
        record = _record(report)
        text = _CODE_TAG.sub(r"(\1)", note if action.id in note else f"{note} [{action.id}]")
        if self._instance.outcome_path:
            return await self._handed_over(record, action.id, text, deadline)
        return await self._written(record, text, deadline)

    async def _handed_over(self, record: tuple[str, str], action_id: str, text: str, deadline: float | None) -> Reply:
        """Let our resource write it, unless it stands there already; either is a yes.

        Raises:
            Unclear: also where a 2xx is not our resource's about this action.
        """
        body = {"action_id": action_id, "table": record[0], "sys_id": record[1], "work_notes": text}
        asked = Asked("POST", self._instance.outcome_path, _JSON, json.dumps(body).encode(), deadline)
        reply, result = await self._result(asked, _RESOURCE_ADVICE, is_repeat_safe=True)
        told = result.get("told") if isinstance(result, dict) and result.get("action_id") == action_id else None
        if told not in {_WRITTEN, _ALREADY}:
            raise Unclear(f"{reply.status}, but not what our resource says: is outcome_path the right one?", reply)
        if told == _ALREADY:
            return Reply(200, message="it stood there already")
        # the resource cannot look for it before a repeat either
        is_blind = isinstance(result, dict) and result.get("seen") is False
        return Reply(200, message="written, but the journal there cannot be read" if is_blind else "")

    async def _written(self, record: tuple[str, str], text: str, deadline: float | None) -> Reply:
        """Write it by the Table API.

        A field whose ACL forbids it is dropped there without a word, and the answer is 200 all the same. So it is asked
        who changed the record last: where that is not our user, nothing was written.

        Raises:
            Rejected: also for that; its status is no mendable one, or a wrong `username` would repeat a note for a day.
        """
        path, body = f"{_API}{'/'.join(record)}?{_NARROW}", json.dumps({"work_notes": text}).encode()
        reply, result = await self._result(Asked("PATCH", path, _JSON, body, deadline), _TABLE_ADVICE)
        changed_by = result.get(_CHANGED_BY) if isinstance(result, dict) else None
        if isinstance(changed_by, str) and changed_by and not self._is_us(changed_by):
            said = (
                f"{reply.status}, but somebody else than our user changed the record last: the note was dropped, as an "
                "ACL on work_notes does it; or username is not the user that we log in as. Look at the record"
            )
            raise Rejected(said, Reply(reply.status, message=said))
        return Reply(200)

    def _is_us(self, name: str) -> bool:
        return name.casefold() == self._instance.credentials.username.casefold()

    async def _result(
        self, asked: Asked, advice: Mapping[int, str], *, is_repeat_safe: bool = False
    ) -> tuple[Reply, object]:
        """Return what an answer says, and its `result`; of `asked` the URL is a path.

        Raises:
            Upstream: as `reply_in` and `Login.send`; Unclear where a 2xx is not the API's: a sign-in or hibernation
                page.
        """
        url = f"{self._instance.origin}{asked.url}"
        answered = await self._login.send(Asked(asked.method, url, asked.headers, asked.body, asked.deadline))
        unknown = {401: f"ServiceNow does not know the user: {self._instance.credentials.advice}"}
        reply = reply_in(answered, {**unknown, **advice}, is_repeat_safe=is_repeat_safe)
        try:
            return reply, json_object(answered.body).values["result"]
        except (Refused, KeyError):
            raise Unclear(f"{reply.status}, but not from the API: is the instance asleep?", reply) from None


def _is_note(body: bytes) -> bool:
    """Whether a body sets the work notes and nothing else."""
    fields = _texts(body)
    return fields.keys() == {"work_notes"}


def _is_outcome(body: bytes) -> bool:
    """Whether a body tells one record of one action, and nothing else."""
    fields = _texts(body)
    if fields.keys() != {"action_id", "table", "sys_id", "work_notes"}:
        return False
    is_record = RECORD.fullmatch(f"{fields['table']}/{fields['sys_id']}")
    return bool(is_record and m.ACTION_ID.fullmatch(fields["action_id"]))


def _texts(body: bytes) -> dict[str, str]:
    """Return the fields of a JSON object of texts; none where a body is anything else."""
    try:
        fields = json_object(body).values
    except Refused:
        return {}
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    return texts if len(texts) == len(fields) else {}


def _record(report: m.Report) -> tuple[str, str]:
    """Return table and sys_id of a report's ticket, checked again: they become a path.

    Raises:
        Rejected: the report names no record of this desk.
    """
    found = RECORD.fullmatch(report.ticket.reference) if report.ticket else None
    if found is None:
        raise Rejected("the report names no record: a ticket is table/sys_id, like incident/<32 hex digits>")
    return found[1], found[2]
