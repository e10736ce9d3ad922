"""The table of answers, row by row: what each means for a look and for a removal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import model as m
from service.core.errors import Throttled
from service.core.wording.answers import name_of
from service.genesys.answers import TABLE, answer_in, reply_in, row_for, sight_in
from service.outbound import Answered
from tests.genesys.peers import CID

NOW, GOOD = m.AnswerKind.REFUSED_FOR_NOW, m.AnswerKind.REFUSED_FOR_GOOD
ACCEPTED, UNCLEAR = m.AnswerKind.ACCEPTED, m.AnswerKind.UNCLEAR
JSON = (("content-type", "application/json"),)


def said(status: int, code: str = "", message: str = "", *, headers: tuple[tuple[str, str], ...] = JSON) -> Answered:
    """An answer with Genesys' own error body."""
    return Answered(status, headers, json.dumps({"message": message, "code": code, "status": status}).encode())


def page(status: int, body: bytes = b"<html>no</html>") -> Answered:
    """An answer of somebody in between."""
    return Answered(status, (("content-type", "text/html"),), body)


ROWS = [
    # answer, the sight it is, what it means for a removal (None: Throttled)
    (Answered(200, JSON, json.dumps({"id": CID}).encode()), m.Conversation, ACCEPTED),
    (Answered(202), m.CannotSee, ACCEPTED),
    (Answered(204), m.CannotSee, ACCEPTED),
    (Answered(200), m.CannotSee, ACCEPTED),
    (page(200), m.CannotSee, ACCEPTED),
    (said(429, "too.many.requests.retry.after"), m.CannotSee, None),
    (page(429), m.CannotSee, None),
    (said(400, "conversation.error.call.disconnected"), m.NoSight, NOW),
    (said(400, "conversation.error.participant.no.active.conversations"), m.NoSight, NOW),
    (said(400, "conversation.error.cannot.disconnect.call"), m.NoSight, NOW),
    (said(400, "not.a.user"), m.NoSight, GOOD),
    (said(400, "bad.request"), m.NoSight, GOOD),
    (said(400), m.NoSight, GOOD),
    (page(400), m.NoSight, GOOD),
    (said(401, "bad.credentials"), m.NoSight, GOOD),
    (said(403, "not.authorized"), m.Forbidden, NOW),
    (said(403, "", f"Access to Conversation {CID} is forbidden"), m.Forbidden, NOW),
    (said(403, "missing.permissions"), m.Forbidden, GOOD),
    (said(403, "missing.any.permissions"), m.Forbidden, GOOD),
    (said(403, "missing.division.permission"), m.Forbidden, GOOD),
    (page(403), m.Forbidden, GOOD),
    (said(404, "not.found"), m.NotFound, NOW),
    (said(404, "conversation.error.conversation.not.found"), m.NotFound, NOW),
    (said(404, "conversation.error.not.conversation.participant"), m.NotFound, NOW),
    (said(404), m.CannotSee, NOW),
    (page(404), m.CannotSee, NOW),
    (said(409, "general.conflict"), m.CannotSee, NOW),
    (said(409, "", "Participant is not in the conversation."), m.CannotSee, NOW),
    (page(409, b""), m.CannotSee, NOW),
    *((said(status, "x"), m.CannotSee, UNCLEAR) for status in (408, 500, 502, 503, 504)),
    *((page(status), m.CannotSee, UNCLEAR) for status in (408, 500, 502, 503, 504)),
    *((page(status, b""), m.CannotSee, UNCLEAR) for status in (100, 101, 201, 205, 206, 301, 302, 307, 308)),
    *((page(status, b""), m.CannotSee, UNCLEAR) for status in (0, 501, 505, 507, 599, 600, 999)),
    *((said(status, "x"), m.NoSight, GOOD) for status in (402, 405, 406, 410, 411, 412, 413, 414, 415, 422, 451)),
]


@pytest.mark.parametrize("answered, sight, kind", ROWS)
def test_each_answer_has_its_meaning(answered: Answered, sight: type[m.Sight], kind: m.AnswerKind | None) -> None:
    """Status and code decide, for a look and for a removal, as the table says."""
    assert type(sight_in(answered, CID)) is sight
    if kind is None:
        with pytest.raises(Throttled) as caught:
            answer_in(answered, 7)
        assert caught.value.reply == reply_in(answered)
    else:
        assert answer_in(answered, 7) == m.Answer(kind, reply_in(answered), 7)


def test_each_row_of_the_table_is_hit() -> None:
    """No row is dead: for each there is an answer above that meets no earlier row."""
    hit = {next(i for i, row in enumerate(TABLE) if row.fits(a.status, reply_in(a))) for a, _, _ in ROWS}
    assert hit == set(range(len(TABLE)))


# "What an answer means", line by line: the answer, its name, what it is for a removal (None: not done, later)
LINES = [
    (Answered(200, JSON, b"{}"), "accepted", ACCEPTED),
    (Answered(202), "accepted", ACCEPTED),
    (Answered(204), "accepted", ACCEPTED),
    (said(400, "conversation.error.call.disconnected"), "ended", NOW),
    (said(400, "conversation.error.participant.no.active.conversations"), "ended", NOW),
    (said(400, "conversation.error.cannot.disconnect.call"), "ended", NOW),
    (said(400, "not.a.user"), "needs_user", GOOD),
    (said(400, "bad.request"), "our_fault", GOOD),
    (said(413, "request.entity.too.large"), "our_fault", GOOD),
    (said(415, "unsupported.media.type"), "our_fault", GOOD),
    (said(401, "bad.credentials"), "login", GOOD),
    (said(403, "not.authorized", f"Access to Conversation {CID} is forbidden"), "closed", NOW),
    (said(403, "missing.permissions"), "permission", GOOD),
    (said(403, "missing.any.permissions"), "permission", GOOD),
    (said(403, "missing.division.permission"), "division", GOOD),
    (said(403, "conversation.error.forbidden.not.active.participant"), "forbidden", GOOD),
    (said(404, "conversation.error.conversation.not.found"), "not_found", NOW),
    (said(404, "conversation.error.not.conversation.participant"), "not_found", NOW),
    (said(409, "general.conflict"), "conflict", NOW),
    (said(429, "too.many.requests.retry.after"), "too_many", None),
    *((said(status, "x"), "unclear", UNCLEAR) for status in (408, 500, 502, 503, 504)),
]


@pytest.mark.parametrize("answered, name, kind", LINES)
def test_each_line_has_its_row(answered: Answered, name: str, kind: m.AnswerKind | None) -> None:
    """Each line of the page on answers has a row, and its name is the one by which its sentences are found."""
    reply = reply_in(answered)
    row = row_for(answered.status, reply)
    assert (row.name, row.removal) == (name, kind or Throttled)
    assert name_of(reply) == name


def test_each_name_is_met() -> None:
    """No row has a name that none of those lines has."""
    assert {row.name for row in TABLE} == {name for _, name, _ in LINES}


@given(st.integers(0, 999), st.binary() | st.text().map(lambda code: json.dumps({"code": code}).encode()))
def test_every_answer_has_a_meaning(status: int, body: bytes) -> None:
    """No status and no body is without a row; "not done" is said by a 4xx alone, and "accepted" by three 2xx."""
    answered = Answered(status, JSON, body)
    sight_in(answered, CID)
    if status == 429:
        with pytest.raises(Throttled):
            answer_in(answered, 0)
        return
    kind = answer_in(answered, 0).kind
    assert (kind is ACCEPTED) == (status in {200, 202, 204})
    assert (kind in {NOW, GOOD}) == (status in range(400, 500) and status != 408)


@pytest.mark.parametrize(
    "status, given_, seconds",
    [
        (429, "42", 42),
        (429, None, 3),
        (429, "soon", 3),
        (429, "3600", 180),
        (503, "7", 7),
        (503, None, 0),
        (500, "x", 0),
    ],
)
def test_retry_after_is_a_floor(status: int, given_: str | None, seconds: float) -> None:
    """A 429 waits what it says, else 3 s, never over 3 minutes; another answer waits only if it says so."""
    answered = Answered(status, () if given_ is None else (("retry-after", given_),), b"<html>")
    sight = sight_in(answered, CID)
    assert isinstance(sight, m.CannotSee)
    assert sight.retry_after_seconds == seconds
    if status == 429:
        with pytest.raises(Throttled) as caught:
            answer_in(answered, 0)
        assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize(
    "answered, reply",
    [
        (said(409, "general.conflict", "In flux."), m.Reply(409, "general.conflict", "In flux.")),
        (said(409, "a b", "x\r\ny\x1b" + "z" * 600), m.Reply(409, "", ("x��y�" + "z" * 600)[:500])),
        (said(409, "a" * 101), m.Reply(409)),
        (said(409, "", "tel:+1 (415) 555-0123 is busy"), m.Reply(409, "", "tel:…0123 is busy")),
        (
            Answered(400, JSON, b'{"error":"invalid_client","description":"client not found"}'),
            m.Reply(400, "invalid_client", "client not found"),
        ),
        (Answered(400, JSON, b'{"code":7,"message":{"a":1},"contextId":[]}'), m.Reply(400)),
        (page(502), m.Reply(502, "not_json", "the answer was no JSON but text/html")),
        (Answered(504), m.Reply(504, "not_json", "the answer was no JSON but nothing")),
        (Answered(500, JSON, b"[]"), m.Reply(500, "not_json", "the answer was no JSON but application/json")),
        (Answered(202, JSON, b'{"code":"x","message":"y"}'), m.Reply(202)),
        (
            Answered(500, JSON, b'{"code":"x"}', is_complete=False),
            m.Reply(500, "not_json", "the answer was no JSON but application/json"),
        ),
    ],
)
def test_what_is_kept_of_an_answer(answered: Answered, reply: m.Reply) -> None:
    """Code and sentence are kept where the body says them, fit for a ticket, without numbers; nothing is invented."""
    assert reply_in(answered) == reply


@pytest.mark.parametrize(
    "headers, body, id_",
    [
        ((("inin-correlation-id", "old-1"),), {}, "old-1"),
        ((("inin-correlation-id", "old-1"), ("genesys-correlation-id", "new-1")), {}, "new-1"),
        ((("inin-correlation-id", "a\tb"),), {"contextId": "ctx-1"}, "ctx-1"),
        ((("inin-correlation-id", "x" * 65),), {"contextId": "<script>"}, ""),
        ((), {"contextId": 7}, ""),
        ((), {"contextId": CID}, CID),
    ],
)
def test_the_correlation_id_support_asks_for(headers: tuple[tuple[str, str], ...], body: object, id_: str) -> None:
    """It is found in the newer header, the older or the body, and taken only if it looks like an id."""
    assert reply_in(Answered(202, headers, json.dumps(body).encode())).correlation_id == id_
    assert reply_in(Answered(409, headers, json.dumps(body).encode())).correlation_id == id_


def test_a_conversation_that_is_too_long_was_not_seen() -> None:
    """A document that went on beyond the cap is not read, even if its beginning could be."""
    whole = Answered(200, JSON, json.dumps({"id": CID}).encode())
    cut = Answered(200, JSON, whole.body, is_complete=False)
    assert isinstance(sight_in(whole, CID), m.Conversation)
    assert sight_in(cut, CID) == m.CannotSee(m.Reply(200, "unreadable"))


DENIED = "Unable to perform the requested action. You "
VIEW, DISCONNECT = "conversation:communication:view", "conversation:communication:disconnect"


@pytest.mark.parametrize(
    "code, message, params, permissions, division",
    [
        (
            "missing.permissions",
            f"{DENIED}are missing the following permission(s): [{VIEW}, {DISCONNECT}]",
            {"permissions": f"[{VIEW}, {DISCONNECT}]"},
            (VIEW, DISCONNECT),
            "",
        ),
        (
            "missing.any.permissions",
            f"{DENIED}must have at least one of the following permissions assigned: [{DISCONNECT}]",
            {},
            (DISCONNECT,),
            "",
        ),
        (
            "missing.division.permission",
            "No.",
            {"permission": DISCONNECT, "divisionName": "Sales"},
            (DISCONNECT,),
            "Sales",
        ),
        ("missing.division.permission", "No.", {"divisionId": CID, "divisionName": "Sales"}, (), "Sales"),
        ("missing.division.permission", "No.", {"Division": "['Sales']", "Permission": [VIEW, 7]}, (VIEW,), "Sales"),
        ("missing.division.permission", "No.", {"division": CID}, (), CID),
        ("missing.division.permission", "No.", {"divisionName": ["Sales", 7, "Support"]}, (), "Sales, Support"),
        (
            "missing.division.permission",
            f"{VIEW} is missing in division(s): [Sales and more]",
            {},
            (VIEW,),
            "Sales and more",
        ),
        ("missing.division.permission", f"{VIEW} is missing in the division 'Sales'.", None, (VIEW,), "Sales"),
        ("missing.division.permission", f"{DENIED}need a permission in the division: {VIEW}", {}, (VIEW,), ""),
        ("missing.permissions", "routing:queue:* and a:b:c, a:b:c", {"user": "Anna"}, ("routing:queue:*", "a:b:c"), ""),
        ("missing.permissions", "at 10:20:30, sip:1:2", {"division": {"name": "x"}}, (), ""),
        (
            "missing.permissions",
            "",
            {"p": " ".join(f"a:b:c{n}" for n in range(99))},
            tuple(f"a:b:c{n}" for n in range(10)),
            "",
        ),
        ("missing.division.permission", "", {"divisionName": "a\nb" + "c" * 200}, (), "a\ufffdb" + "c" * 97),
    ],
)
def test_what_is_missing_is_kept(
    code: str, message: str, params: object, permissions: tuple[str, ...], division: str
) -> None:
    """A 403 keeps each permission and the division it names, and nothing else of its parameters."""
    body = {"message": message, "code": code, "status": 403, "messageParams": params}
    kept = reply_in(Answered(403, JSON, json.dumps(body).encode()))
    assert (kept.code, kept.permissions, kept.division) == (code, permissions, division)
    assert "Anna" not in repr(kept)
    other = reply_in(Answered(404, JSON, json.dumps(body).encode()))
    assert (other.permissions, other.division) == ((), "")
