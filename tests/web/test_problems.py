"""One table from errors to answers: each error has one, and none says more than it should."""

import json
from collections.abc import Iterator

import pytest

from service.core import errors
from service.web import problems

SENTENCE = "Say whom to remove."
TABLE = [
    (errors.Malformed(SENTENCE), 400, "malformed", SENTENCE, None),
    (errors.BadSignature("the word is wrong"), 401, "unauthorized", problems.UNAUTHORIZED.detail, None),
    (errors.Stale("400 seconds old"), 401, "unauthorized", problems.UNAUTHORIZED.detail, None),
    (errors.TooMany(SENTENCE, retry_after_seconds=7), 429, "too_many", SENTENCE, "7"),
    (errors.BacklogFull(SENTENCE), 503, "backlog_full", SENTENCE, "15"),
    (errors.TooLarge(SENTENCE), 413, "too_large", SENTENCE, None),
    (errors.WrongMediaType(SENTENCE), 415, "wrong_media_type", SENTENCE, None),
    (errors.Unreadable(SENTENCE), 422, "unreadable", SENTENCE, None),
    (errors.Conflicting(SENTENCE), 422, "delivery_conflict", SENTENCE, None),
    (errors.Refused(SENTENCE), 400, "refused", SENTENCE, None),
    (errors.StoreDown("10.0.0.7 refused"), 503, "store_down", problems.STORE_DOWN.detail, "5"),
    (errors.UnknownVersion("schema '2'"), 503, "store_down", problems.NEWER.detail, "5"),
    (problems.Draining("now"), 503, "draining", problems.DRAINING.detail, "5"),
    (errors.Unclear("genesys"), 500, "unexpected", problems.UNEXPECTED.detail, None),
    (ZeroDivisionError("secret"), 500, "unexpected", problems.UNEXPECTED.detail, None),
]


@pytest.mark.parametrize(
    "fault, status, code, detail, later", [pytest.param(*row, id=type(row[0]).__name__) for row in TABLE]
)
def test_each_error_has_its_answer(fault: Exception, status: int, code: str, detail: str, later: str | None) -> None:
    """An error has a status, a code and a sentence; those that pass by themselves say when to come back."""
    response = problems.problem_of(fault).response()
    told = json.loads(bytes(response.body))
    assert (response.status_code, told["status"], told["code"], told["detail"]) == (status, status, code, detail)
    assert told["type"] == f"urn:onhook:problem:{code}"
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers.get("retry-after") == later
    assert "www-authenticate" not in response.headers


def refusals(kind: type[errors.Refused] = errors.Refused) -> Iterator[type[errors.Refused]]:
    """Every kind of refusal there is."""
    yield kind
    for sub in kind.__subclasses__():
        yield from refusals(sub)


def test_no_refusal_is_forgotten() -> None:
    """Each kind of refusal in the error tree stands in the table above, and has a title of its own."""
    assert set(refusals()) <= {type(row[0]) for row in TABLE}
    titled = {kind.code for kind in refusals()} - {"refused", "unauthorized"}
    assert titled == set(problems.TITLES)


def test_other_problems() -> None:
    """A wrong method names the right ones; a request that is none says why; too much at once is over in a second."""
    wrong = problems.wrong_method("GET, HEAD").response()
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")
    assert problems.bad_request("two of it").detail == "Not taken as a request: two of it."
    assert problems.OVERLOADED.response().headers["retry-after"] == "1"
    assert problems.NOT_FOUND.status == problems.NO_SUCH_ACTION.status == 404
