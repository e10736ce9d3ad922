"""What an answer of Genesys means, for a look and for a removal: one table."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass

from service.core import model as m
from service.core.errors import Throttled
from service.genesys.wire import conversation_in, json_in
from service.outbound import Answered, printable
from service.telemetry import without_numbers

_ABSENT_SECONDS = 3.0  # a 429 without Retry-After: what the vendor's own SDK waits
_LONGEST_SECONDS = 180.0  # the vendor's own SDK gives up beyond; a removal that waited longer would be too late anyway
_SUCCESSES = range(200, 300)
NOT_JSON = "not_json"  # our code for an answer that is not Genesys' own: a gateway's page, or nothing

_CODE = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_FORBIDDEN = 403
_PERMISSION = re.compile(r"\b[A-Za-z]\w*:[A-Za-z*][\w*]*:[A-Za-z*][\w*]*", re.ASCII)  # `domain:entity:action`
_MOST_PERMISSIONS = 10  # the vendor names a handful; nobody reads more
_LONGEST_DIVISION = 100  # theirs have at most 50 characters
# only what is quoted or in brackets is a name; the word alone is part of a sentence
_DIVISION = re.compile(r"\bdivisions?(?:\(s\))?:? *[\[\"'“‘]([^\]\"'”’]{1,100})[\]\"'”’]", re.IGNORECASE)
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
# the newer name first: https://github.com/MyPureCloud SDKs read Genesys-Correlation-Id before the other since 2025-06
_CORRELATION_HEADERS = ("genesys-correlation-id", "inin-correlation-id")

_ALREADY_ENDED = frozenset(
    {
        "conversation.error.call.disconnected",
        "conversation.error.cannot.disconnect.call",
        "conversation.error.participant.no.active.conversations",
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: what the answer is called, here and where it is told.
        statuses: the row is for these.
        look: what sight it makes of the answer to a look; None: it is the conversation, if it can be read.
        removal: what it means for a removal; Throttled: not done, later.
        codes: only with one of these codes; None for any.
        sentence: only with a message that has this in it; None for any.
    """

    name: str
    statuses: Container[int]
    look: type[m.NotFound | m.Forbidden | m.CannotSee | m.NoSight] | None
    removal: m.AnswerKind | type[Throttled]
    codes: frozenset[str] | None = None
    sentence: re.Pattern[str] | None = None

    def fits(self, status: int, reply: m.Reply) -> bool:
        """Whether the row is for this answer."""
        return (
            status in self.statuses
            and (self.codes is None or reply.code in self.codes)
            and (self.sentence is None or bool(self.sentence.search(reply.message)))
        )


_FOR_NOW, _FOR_GOOD = m.AnswerKind.REFUSED_FOR_NOW, m.AnswerKind.REFUSED_FOR_GOOD
_ACCEPTED, _UNCLEAR = m.AnswerKind.ACCEPTED, m.AnswerKind.UNCLEAR

# The first row that fits. Only the vendor's own words are taken for a no, and only 429 for "not done, later".
TABLE = (
    Row("accepted", {200}, None, _ACCEPTED),
    Row("accepted", {202, 204}, m.CannotSee, _ACCEPTED),
    Row("too_many", {429}, m.CannotSee, Throttled),
    # perhaps he is gone already: the next look knows
    Row("ended", {400}, m.NoSight, _FOR_NOW, codes=_ALREADY_ENDED),
    # needs a user context: for good by this route; whether another is left, the routes know
    Row("needs_user", {400}, m.NoSight, _FOR_GOOD, codes=frozenset({"not.a.user"})),
    Row("our_fault", {400, 413, 415}, m.NoSight, _FOR_GOOD),
    # the client has renewed the token and asked again before this row is read
    Row("login", {401}, m.NoSight, _FOR_GOOD),
    # perhaps the conversation is over; if not, it is a permission, and the look says that
    Row("closed", {403}, m.Forbidden, _FOR_NOW, codes=frozenset({"not.authorized"})),
    Row("closed", {403}, m.Forbidden, _FOR_NOW, sentence=re.compile(r"^Access to Conversation .{1,100} is forbidden")),
    # a person has to give it; the reply says which, and where
    Row(
        "permission", {403}, m.Forbidden, _FOR_GOOD, codes=frozenset({"missing.permissions", "missing.any.permissions"})
    ),
    Row("division", {403}, m.Forbidden, _FOR_GOOD, codes=frozenset({"missing.division.permission"})),
    Row("forbidden", {403}, m.Forbidden, _FOR_GOOD),
    # a 404 without Genesys' error body is a gateway's and says nothing about the conversation
    Row("not_found", {404}, m.CannotSee, _FOR_NOW, codes=frozenset({NOT_JSON, ""})),
    Row("not_found", {404}, m.NotFound, _FOR_NOW),
    Row("conflict", {409}, m.CannotSee, _FOR_NOW),
    # nobody says what became of it
    Row("unclear", {408, 500, 502, 503, 504}, m.CannotSee, _UNCLEAR),
    # turned down before anything was done: that is what 4xx says (RFC 9110, 15.5)
    Row("our_fault", range(400, 500), m.NoSight, _FOR_GOOD),
    # not in the contract (1xx, other 2xx, redirects, other 5xx, nonsense): no promise, so perhaps it acted
    Row("unclear", range(1000), m.CannotSee, _UNCLEAR),
)


def row_for(status: int, reply: m.Reply) -> Row:
    """Return the row that an answer meets; every answer meets one."""
    return next(row for row in TABLE if row.fits(status, reply))


def reply_in(answered: Answered) -> m.Reply:
    """Return what is kept of an answer; takes Genesys' error body, the token endpoint's, HTML, and nothing at all."""
    content = json_in(answered.body) if answered.is_complete else None
    body = content if isinstance(content, dict) else {}
    code, message = body.get("code") or body.get("error"), body.get("message") or body.get("description")
    ids = [*(answered.header(name) for name in _CORRELATION_HEADERS), body.get("contextId")]
    correlation_id = next((id_ for id_ in ids if isinstance(id_, str) and _CORRELATION_ID.fullmatch(id_)), "")
    if answered.status in _SUCCESSES:
        return m.Reply(answered.status, correlation_id=correlation_id)
    if not isinstance(content, dict):
        kind = answered.header("content-type") or "nothing"
        return m.Reply(answered.status, NOT_JSON, printable(f"the answer was no JSON but {kind}"), correlation_id)
    code = code if isinstance(code, str) and _CODE.fullmatch(code) else ""
    message = without_numbers(printable(message)) if isinstance(message, str) else ""
    permissions, division = _missing_in(body, message) if answered.status == _FORBIDDEN else ((), "")
    return m.Reply(answered.status, code, message, correlation_id, permissions, division)


def _missing_in(body: Mapping[str, object], message: str) -> tuple[tuple[str, ...], str]:
    """Return which permissions a 403 misses, and in which division.

    The parameters of the sentence are read before the sentence; their names are published nowhere, so their form is
    what counts. The rest of them is let go: it may be about people.
    """
    given = body.get("messageParams")
    params = {k.lower(): _words(v) for k, v in given.items()} if isinstance(given, dict) else {}
    found = dict.fromkeys(one for text in (*params.values(), message) for one in _PERMISSION.findall(text))
    divisions = sorted((key for key in params if "division" in key and params[key]), key=lambda key: "name" not in key)
    named = _DIVISION.search(message)
    division = params[divisions[0]].strip("[]\"' ") if divisions else named[1] if named else ""
    return tuple(found)[:_MOST_PERMISSIONS], printable(division, _LONGEST_DIVISION)


def _words(value: object) -> str:
    return ", ".join(one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))


def throttled_in(answered: Answered) -> Throttled:
    """Return the error for a 429, whatever its body."""
    seconds = answered.retry_after_seconds(_ABSENT_SECONDS, _LONGEST_SECONDS)
    return Throttled("Genesys asks to wait", reply_in(answered), retry_after_seconds=seconds)


def sight_in(answered: Answered, conversation_id: str) -> m.Sight:
    """Return what a look at `conversation_id` saw; never raises."""
    reply = reply_in(answered)
    row = row_for(answered.status, reply)
    if row.look is None:
        content = json_in(answered.body) if answered.is_complete else None
        seen = conversation_in(content, conversation_id, reply)
        # 200 and yet not it: a gateway's page, half a document, another conversation
        return seen or m.CannotSee(m.Reply(reply.status, "unreadable", correlation_id=reply.correlation_id))
    if row.look is m.CannotSee:
        absent = _ABSENT_SECONDS if row.removal is Throttled else 0.0
        return m.CannotSee(reply, answered.retry_after_seconds(absent, _LONGEST_SECONDS))
    return row.look(reply)


def answer_in(answered: Answered, answered_at: int) -> m.Answer:
    """Return what the answer to a removal means.

    Raises:
        Throttled: not done (429).
    """
    reply = reply_in(answered)
    meaning = row_for(answered.status, reply).removal
    if not isinstance(meaning, m.AnswerKind):
        raise throttled_in(answered)
    return m.Answer(meaning, reply, answered_at)
