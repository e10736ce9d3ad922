"""Each answer of Genesys has a name, and a sentence for the ticket and one for the operator follow from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import Reply, Throttled
from service.core.wording.answers import TABLE, name_of
from service.core.wording.english import OPERATOR
from service.genesys import answers as meaning

# every line of "What an answer means", as it reaches an outcome
ANSWERS = [
    (Reply(202), "accepted"),
    (Reply(200), "accepted"),
    (Reply(204), "accepted"),
    (Reply(400, "conversation.error.call.disconnected"), "ended"),
    (Reply(400, "conversation.error.participant.no.active.conversations"), "ended"),
    (Reply(400, "conversation.error.cannot.disconnect.call"), "ended"),
    (Reply(400, "error.ininedgecontrol.session.inactive"), "ended"),
    (Reply(400, "not.a.user"), "needs_user"),
    (Reply(400, "bad.request"), "our_fault"),
    (Reply(400), "our_fault"),
    (Reply(413, "request.entity.too.large"), "our_fault"),
    (Reply(415, "unsupported.media.type"), "our_fault"),
    (Reply(401, "bad.credentials"), "login"),
    (Reply(401), "login"),
    (Reply(400, "invalid_client"), "login"),
    (Reply(403, "not.authorized"), "closed"),
    (Reply(403, "missing.permissions"), "permission"),
    (Reply(403, "missing.any.permissions"), "permission"),
    (Reply(403, "missing.division.permission"), "division"),
    (Reply(403, "something.new"), "forbidden"),
    (Reply(404, "not.found"), "not_found"),
    (Reply(409, "general.conflict"), "conflict"),
    (Reply(409, "conflict"), "conflict"),
    (Reply(429, "too.many.requests.retry.after"), "too_many"),
    (Reply(None, "unreachable"), "silent"),
    (Reply(None, "timeout"), "silent"),
    (Reply(None, "no_route", "no call for it"), "no_route"),
    (Reply(200, "unreadable"), "unreadable"),
    *((Reply(status, "not_json"), "unclear") for status in (408, 500, 502, 503, 504)),
    (Reply(302), "unclear"),
]


@pytest.mark.parametrize("reply, name", ANSWERS, ids=[f"{reply.status}-{reply.code}" for reply, _ in ANSWERS])
def test_every_answer_has_its_name(reply: Reply, name: str) -> None:
    """The name says what kind of answer it was, whoever's words it came in."""
    assert name_of(reply) == name


def test_every_name_is_told_to_the_operator() -> None:
    """There is a sentence for each name, and none for a name that is never given."""
    assert {f"answer.{row.name}" for row in TABLE} == {key for key in OPERATOR if key.startswith("answer.")}
    assert {name for _, name in ANSWERS} == {row.name for row in TABLE}


def test_the_rows_of_both_tables_agree() -> None:
    """What Genesys' answer means for the next step is told under a name that says no other thing."""
    for row in meaning.TABLE:
        codes = row.codes or {""}
        for status in (status for status in range(200, 600) if status in row.statuses):
            for code in codes:
                if (status, row.codes) == (403, None):
                    continue  # the code decides, or the sentence
                first = next(it for it in meaning.TABLE if it.fits(status, Reply(status, code)))
                if first is row:
                    name = name_of(Reply(status, code))
                    assert (name == "too_many") is (row.removal is Throttled), (status, code)
                    assert (name == "accepted") >= (status in {200, 202, 204}), (status, code)


@given(st.none() | st.integers(-1, 2000), st.text(max_size=40))
def test_whatever_it_says(status: int | None, code: str) -> None:
    """An answer that nobody has heard of has a name too."""
    assert name_of(Reply(status, code)) in {row.name for row in TABLE}
