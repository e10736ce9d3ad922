"""A desk that is told by configuration: one request per note, and one look whether it is there already."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from service.core import model as m
from service.core.errors import Rejected, Unclear
from service.core.filling import fill, is_filled, is_template
from service.outbound import Answered, Asked, Caller, Rule, origin_in
from service.sources.desk import Outside, reply_in
from service.sources.oauth import Grant, Tokens, discreet
from service.sources.outcome import moment, rule_for

# one segment of a path, and none that leads upwards
TICKET: Final = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
_ANY_PASSWORD: Final = "X"  # noqa: S105 - any text will do: the key beside it is all of the proof
_HOLES: Final = frozenset({"note", "html", "ticket", "action", "moment"})
_PATH: Final = re.compile(r"(/(?!\.{1,2}(/|$))([A-Za-z0-9_.~:@!$&'()*+,;=-]|\{ticket\})+)+", re.ASCII)
_QUERY: Final = re.compile(r"([A-Za-z0-9_.~:@!$&()*+,;=/?-]|%[0-9A-F]{2})*", re.ASCII)
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)
# what says who we are, where a request goes, where it ends, what it does, or how its answer is packed
_STEERING: Final = frozenset(
    {
        "accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type",
        "expect", "host", "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
        "x-http-method", "x-http-method-override", "x-method-override",
    }
)  # fmt: skip
_ADVICE: Final[Mapping[int, str]] = {
    400: "the desk cannot read our note: is body as its guide says, and is the ticket still open?",
    401: "the desk does not know us: check desk_user and desk_secret",
    403: "the desk does not let us write there: give the user of desk_user the right to add notes",
    404: "the ticket is missing, or hidden from our user; or desk_url is not the desk that asked",
    422: "the desk will not take a note on this ticket: is it closed?",
}


def _is_template(said: str) -> str:
    path, mark, query = said.partition("?")
    if said and not (_PATH.fullmatch(path) and _QUERY.fullmatch(query) and bool(mark) == bool(query)):
        raise ValueError("is a path in plain characters with {ticket} in it, like /api/v2/tickets/{ticket}/notes")
    return said


def _is_pattern(said: str) -> str:
    try:
        if re.compile(said, re.ASCII).fullmatch("../x"):
            raise ValueError("lets a ticket be a piece of a path; say which characters its id has, like [0-9]{1,20}")
    except re.error as fault:
        raise ValueError(f"is no regular expression: {fault}") from None
    return said


Template = Annotated[str, AfterValidator(_is_template)]


class OAuthOptions(BaseModel):
    """Where a token is given for desk_user (the client's id) and desk_secret (its secret), by client credentials.

    Attributes:
        url: the origin of whoever gives it; empty for `desk_url`.
        path: where.
        scope: what is asked for; empty for nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = ""
    path: Annotated[str, AfterValidator(_is_template)]
    scope: str = ""

    @field_validator("url")
    @classmethod
    def _is_origin(cls, text: str) -> str:
        return str(origin_in(text)) if text else ""


class TellOptions(BaseModel):
    """How the desk of a source is told.

    Attributes:
        method: of the request that writes a note.
        path: where it goes, with `{ticket}`; empty: to `desk_url` itself, which then is a whole address.
        body: what it holds: a table, in whose texts `{note}` is filled in (`{html}` for a desk that reads HTML), and
            `{ticket}`, `{action}`, `{user}` (`desk_user`) and `{moment}` (when it ended).
        headers: sent with each request; `{user}` is `desk_user`.
        look: the path of a GET whose answer holds the notes; a repeat is written only where the action's id is not in
            it. Empty: nobody can look, and a note may come to stand twice after a lost answer.
        again: statuses besides 5xx by which the desk says that it may take the note another time.
        auth: how we prove ourselves: `basic` (desk_user and desk_secret), `key` (desk_secret, which Freshworks wants as
            the user's name of HTTP Basic), `bearer`, `token` (desk_secret behind `auth_prefix`, in `auth_header`),
            `oauth`, or `none`.
        auth_header: of `token`.
        auth_prefix: of `token`.
        oauth: of `oauth`: where its tokens are given.
        ticket: what the id of a ticket looks like, as a regular expression; a click for anything else is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    method: Literal["POST", "PUT", "PATCH"] = "POST"
    path: Template = ""
    body: dict[str, Any]
    headers: dict[str, str] = Field(default={}, repr=False)  # a key may stand in one
    look: Template = ""
    again: frozenset[int] = frozenset()
    auth: Literal["none", "basic", "key", "bearer", "token", "oauth"] = "none"
    auth_header: str = "Authorization"
    auth_prefix: str = ""
    oauth: OAuthOptions | None = None
    ticket: Annotated[str, AfterValidator(_is_pattern)] = TICKET

    @model_validator(mode="after")
    def _can_be_sent(self) -> TellOptions:
        if (self.auth == "oauth") != (self.oauth is not None):
            raise ValueError('oauth: and auth = "oauth" are said together, or neither')
        if not is_template(self.body):
            raise ValueError("body: holds what JSON does not know: a date, nan, or a number of more than 63 bits")
        if not any(hole in json.dumps(self.body) for hole in ("{note}", "{html}")):
            raise ValueError("body: has no {note}, and so would tell nothing")
        if not self.path and (self.look or self.oauth):
            raise ValueError("path: needed where there is look or oauth: without it desk_url is the one whole address")
        self._have_plain_headers()
        return self

    def _have_plain_headers(self) -> None:
        """Refuse headers that are none, or that are not the settings' to say."""
        for name in (*self.headers, self.auth_header):
            if not _HEADER.fullmatch(name):
                raise ValueError(f"headers: {name!r} is no name of a header")
        lowered = [name.lower() for name in self.headers]
        if wrong := sorted(name for name in lowered if name in _STEERING):
            raise ValueError(f"headers: {wrong[0]} is ours to say")
        if self.auth_header.lower() in _STEERING - {"authorization"}:
            raise ValueError(f"auth_header: {self.auth_header} is ours to say")
        if len({*lowered, self.auth_header.lower()}) <= len(self.headers):
            raise ValueError("headers: one of them is said twice, or is auth_header")
        if any(not (value.isascii() and value.isprintable()) for value in (*self.headers.values(), self.auth_prefix)):
            raise ValueError("headers: values are printable ASCII, and so is auth_prefix")


@dataclass(frozen=True, slots=True)
class Access:
    """Where a desk is, and who we are there.

    Attributes:
        url: its origin; a whole address where `TellOptions.path` is empty.
        user: "" where it needs none.
        secret: its password, token or key.
    """

    url: str = field(repr=False)
    user: str
    secret: str = field(repr=False)


class Desk:
    """One desk, told as its `TellOptions` say."""

    def __init__(self, options: TellOptions, access: Access, outside: Outside) -> None:
        """Open a way out to exactly these requests.

        Raises:
            ValueError: the address is none that calls may go to, or something is missing, in words.
        """
        check(options, access)
        self._options = options
        self._access = access
        self._ticket = re.compile(options.ticket, re.ASCII)
        caller = outside.open_caller(_rules(options, access))
        grant = _grant(options, access)
        self._way: Caller | Tokens = Tokens(grant, caller, outside.clock) if grant else caller

    def names(self, reference: str) -> bool:
        """Whether `reference` is how this desk names a ticket."""
        # the shape first: a pattern of the settings is never held against a long text
        return bool(re.fullmatch(TICKET, reference, re.ASCII)) and bool(self._ticket.fullmatch(reference))

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        """Whether a note with the action's id stands on the ticket; False where nobody can look.

        Raises:
            Upstream: the desk could not be asked. What we may not read is not absent, and yet may be: then False.
        """
        options = self._options
        if not options.look:
            return False
        try:
            answered = await self._send("GET", options.look, self._reference(report))
            reply_in(answered, _ADVICE)
        except Rejected:
            return False
        return action.id.encode() in answered.body

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Write `note` with the action's id; see `Source.tell`. Any 2xx is a yes."""
        options = self._options
        is_on_ticket = "{ticket}" in options.path + json.dumps(options.body)
        reference = self._reference(report) if is_on_ticket or report.ticket else ""
        text = note if action.id in note else f"{note} [{action.id}]"
        words = {
            "note": text,
            "html": html.escape(text, quote=False),
            "ticket": reference,
            "action": action.id,
            "moment": moment(action.settled_at),
            "user": self._access.user,
        }
        body = json.dumps(fill(options.body, words), separators=(",", ":")).encode()
        answered = await self._send(options.method, options.path, reference, body, deadline)
        if answered.status in options.again:
            raise Unclear(f"{answered.status}: the desk may take it another time", m.Reply(answered.status))
        return reply_in(answered, _ADVICE)

    async def _send(
        self, method: str, path: str, reference: str, body: bytes = b"", deadline: float | None = None
    ) -> Answered:
        options, access = self._options, self._access
        headers = {name: value.replace("{user}", access.user) for name, value in options.headers.items()}
        headers |= _proof(options, access)
        if body:
            headers["Content-Type"] = "application/json"
        url = access.url.rstrip("/") + path.replace("{ticket}", reference) if path else access.url
        return discreet(await self._way.send(Asked(method, url, headers, body, deadline)), _secrets(access))

    def _reference(self, report: m.Report) -> str:
        """Return the ticket's id, checked again: it becomes a part of a path."""
        reference = report.ticket.reference if report.ticket else ""
        if not self.names(reference):
            raise Rejected("the report names no ticket of this desk")
        return reference


def check(options: TellOptions, access: Access) -> None:
    """Refuse what could not be called.

    Raises:
        ValueError: in words, naming the setting.
    """
    if not access.url:
        raise ValueError("desk_url: needed to tell its tickets; set it, or say reports = [] to tell nobody")
    _rules(options, access)
    both = ("desk_user", "desk_secret")
    wanted = {"basic": both, "oauth": both, **dict.fromkeys(("key", "bearer", "token"), both[1:])}
    given = {"desk_user": access.user, "desk_secret": access.secret}
    missing = [name for name in wanted.get(options.auth, ()) if not given[name]]
    if "{user}" in json.dumps([options.headers, options.body]) and not access.user:
        missing.append("desk_user")
    if missing:
        raise ValueError(f"{' and '.join(dict.fromkeys(missing))}: needed to tell its tickets")
    if not all(text.isascii() and text.isprintable() for text in given.values()):
        raise ValueError("desk_user and desk_secret are printable ASCII: they are sent in headers")
    if options.auth == "basic" and ":" in access.user:
        raise ValueError("desk_user: one with a colon cannot be sent by HTTP Basic")


def _rules(options: TellOptions, access: Access) -> tuple[Rule, ...]:
    """Return the one or two shapes of request that may leave: a note on one ticket, and the look for it."""

    def is_note(body: bytes) -> bool:
        try:
            return is_filled(fill(options.body, {"user": access.user}), json.loads(body), _HOLES)
        except ValueError:
            return False

    if not options.path:
        return (replace(rule_for("desk_url", access.url, is_note), method=options.method),)
    try:
        origin = origin_in(access.url)
    except ValueError:  # its sentence repeats what was written, which may be a whole address with a key in it
        raise ValueError(
            "desk_url: is written https://host:port here, without user, path, ? and #; http:// is for this machine only"
        ) from None
    path, query = _shape(options.path)
    rules = [Rule(options.method, origin, path, is_note, query)]
    if options.look:
        path, query = _shape(options.look)
        rules.append(Rule("GET", origin, path, query=query))
    if grant := _grant(options, access):
        rules.append(grant.rule)
    return tuple(rules)


def _shape(template: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes] | None]:
    """Return what a path and its query must match."""
    path, _, query = template.partition("?")
    shape = TICKET.join(re.escape(part) for part in path.split("{ticket}"))
    return re.compile(shape.encode(), re.ASCII), re.compile(re.escape(query.encode())) if query else None


def _proof(options: TellOptions, access: Access) -> Mapping[str, str]:
    match options.auth:
        case "basic":
            return {"Authorization": f"Basic {_pair(access.user, access.secret)}"}
        case "key":
            return {"Authorization": f"Basic {_pair(access.secret, _ANY_PASSWORD)}"}
        case "bearer":
            return {"Authorization": f"Bearer {access.secret}"}
        case "token":
            return {options.auth_header: options.auth_prefix + access.secret}
        case _:
            return {}


def _grant(options: TellOptions, access: Access) -> Grant | None:
    if options.oauth is None:
        return None
    asked = {"grant_type": "client_credentials", "client_id": access.user, "client_secret": access.secret}
    form = urlencode(asked | ({"scope": options.oauth.scope} if options.oauth.scope else {})).encode()
    origin = origin_in(options.oauth.url or access.url)
    return Grant(origin, options.oauth.path, form, "the desk", "check desk_user and desk_secret", _secrets(access))


def _secrets(access: Access) -> tuple[str, ...]:
    """Return what an error of the desk must not show us: what we sent to prove ourselves."""
    pairs = _pair(access.user, access.secret), _pair(access.secret, _ANY_PASSWORD)
    return (access.secret, *pairs) if access.secret else ()


def _pair(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()
