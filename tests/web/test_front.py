"""The public door takes what is proved and well written, keeps it, and says no in one way to everything else."""

import pytest
from starlette.types import Message, Send

from service.web import front
from service.web.problems import UNAUTHORIZED
from tests.web.doors import CONVERSATION, PHONE, PUBLIC, SIGNED, Desk, counted, digest, in_pieces

JSON = {"content-type": "application/json"}
ACTION = f"acme.{1:026}"
LINK = f"{PUBLIC}/actions/{ACTION}?key={1:032x}"


async def test_a_new_action_is_told_with_its_link(desk: Desk) -> None:
    """A stored delivery gets the source's success status, the action's id and where to look."""
    answer = await desk.post()
    assert answer.status_code == 202
    assert answer.headers["location"] == LINK
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "preference-applied" not in answer.headers
    assert answer.json() == {
        "status": "accepted",
        "action": ACTION,
        "outcome": None,
        "explanation": None,
        "links": {"self": LINK},
    }
    assert [offer.action_id for offer in desk.shelf.offers] == [ACTION]


async def test_the_delivery_is_what_came(desk: Desk) -> None:
    """The source is given the raw bytes, however they were cut, with the moment they were complete."""
    answer = await desk.http.post("/webhooks/desk", content=in_pieces(b'{"remove": ', b'"+1"}'), headers=SIGNED)
    assert answer.status_code == 202
    offer = desk.shelf.offers[0]
    assert offer.body_hash == digest(b'{"remove": "+1"}')
    assert {entry.at for entry in offer.entries} == {desk.clock.at}


async def test_an_accepted_delivery_is_logged_and_counted(desk: Desk) -> None:
    """One line and one count per delivery, with the action it became; neither the number nor the key is in it."""
    before = counted("desk", "accepted"), counted("desk", "duplicate")
    await desk.post()
    await desk.post()
    assert (counted("desk", "accepted"), counted("desk", "duplicate")) == (before[0] + 1, before[1] + 1)
    lines = desk.lines()
    assert [line["event"] for line in lines] == ["delivery.accepted"] * 2
    assert [line["joined"] for line in lines] == ["", "delivery"]
    assert {line["action"] for line in lines} == {ACTION}
    assert {line["duration_ms"] for line in lines} == {0.0}
    assert {(line["org"], line["source"], line["size"] > 0) for line in lines} == {("acme", "desk", True)}
    assert PHONE.encode() not in desk.log.getvalue()
    assert f"{1:032x}".encode() not in desk.log.getvalue()


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_a_duplicate_gets_the_same_answer(desk: Desk, status: int) -> None:
    """The same delivery again gets the source's success status, the same action, and the outcome if there is one."""
    desk.source.success_status = status
    first = await desk.post()
    desk.shelf.settle(ACTION)
    again = await desk.post()
    assert (first.status_code, again.status_code) == (status, status)
    if status != 204:
        assert again.json()["status"] == "duplicate"
        assert again.json()["action"] == ACTION
        assert again.json()["outcome"] == {"kind": "disconnected", "reason": ""}
        assert again.json()["explanation"].startswith("The caller was removed")


async def test_what_asks_nothing_is_ignored(desk: Desk) -> None:
    """An authentic delivery that is not for us is a success without an action: some senders give up after three no."""
    desk.source.success_status = 202
    answer = await desk.post({"ping": 1})
    assert (answer.status_code, answer.json()) == (200, {"status": "ignored", "reason": "a ping"})
    assert desk.shelf.offers == []
    assert [(line["event"], line["reason"]) for line in desk.lines()] == [("delivery.ignored", "a ping")]


BIG = b"x" * (front.MAX_BODY + 1)
BAD = [
    ("no signature", b"{}", JSON, 401, "unauthorized"),
    ("a wrong one", b"{}", {**JSON, "x-toy": "wrong"}, 401, "unauthorized"),
    ("an old one", b"{}", {**JSON, "x-toy": "old"}, 401, "unauthorized"),
    ("not JSON", b"remove him", SIGNED, 400, "malformed"),
    ("nobody named", b"{}", SIGNED, 422, "unreadable"),
    ("too large", BIG, SIGNED, 413, "too_large"),
    ("a length of forty digits", b"{}", {**SIGNED, "content-length": "9" * 40}, 413, "too_large"),
    ("a length that is no decimal", b"{}", {**SIGNED, "content-length": "\u00b2"}, 422, "unreadable"),
    ("no content type", b"{}", {"x-toy": "right"}, 415, "wrong_media_type"),
    ("a form for JSON", b"{}", {**SIGNED, "content-type": "text/plain"}, 415, "wrong_media_type"),
    (
        "another source's type",
        b"{}",
        {**SIGNED, "content-type": "application/x-www-form-urlencoded"},
        415,
        "wrong_media_type",
    ),
    ("another charset", b"{}", {**SIGNED, "content-type": "application/json; charset=utf-16"}, 415, "wrong_media_type"),
    ("another parameter", b"{}", {**SIGNED, "content-type": "application/json; v=1"}, 415, "wrong_media_type"),
    ("gzip", b"{}", {**SIGNED, "content-encoding": "gzip"}, 415, "wrong_media_type"),
    ("gzip twice", b"{}", {**SIGNED, "content-encoding": "identity, gzip"}, 415, "wrong_media_type"),
]


@pytest.mark.parametrize("body, headers, status, code", [pytest.param(*row[1:], id=row[0]) for row in BAD])
async def test_bad_input_is_refused(desk: Desk, body: bytes, headers: dict[str, str], status: int, code: str) -> None:
    """What cannot be taken is refused with a status and a code, logged and counted once, and leaves nothing stored."""
    before = counted("desk", code)
    answer = await desk.post(body, headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert desk.shelf.offers == []
    assert counted("desk", code) == before + 1
    (line,) = desk.lines()
    assert (line["event"], line["source"], line["code"]) == ("delivery.refused", "desk", code)
    assert line["reason"]
    assert "remove him" not in desk.log.getvalue().decode()


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; Charset=UTF-8", 'application/json;charset="utf-8";']
)
async def test_the_ways_to_say_json(desk: Desk, content_type: str) -> None:
    """The media type is compared without case, and charset=utf-8 may be said; so may that nothing is encoded."""
    answer = await desk.post(None, {**SIGNED, "content-type": content_type, "content-encoding": "identity"})
    assert answer.status_code == 202


async def test_two_content_types_are_none(desk: Desk) -> None:
    """A content type said twice is refused: two readers could take one each."""
    headers = [("x-toy", "right"), ("content-type", "application/json"), ("content-type", "application/json")]
    answer = await desk.http.post("/webhooks/desk", content=b"{}", headers=headers)
    assert answer.status_code == 415


async def test_the_cap_holds_without_a_length(desk: Desk) -> None:
    """A body without declared length is cut off at the cap; one of exactly the cap is read."""
    padded = b'{"remove": "+1"}'.ljust(front.MAX_BODY)
    assert (await desk.post(padded)).status_code == 202
    half = BIG[: len(BIG) // 2 + 1]
    answer = await desk.http.post("/webhooks/desk", content=in_pieces(half, half, half), headers=SIGNED)
    assert answer.status_code == 413
    assert desk.lines()[-1]["size"] == len(half) * 2


async def test_a_declared_length_is_refused_unread(desk: Desk) -> None:
    """A body that says it is too large is refused before a byte of it is read."""
    touched: list[bool] = []

    async def receive() -> Message:
        touched.append(True)
        return {"type": "http.request", "body": b"", "more_body": True}

    sent: list[Message] = []
    headers = [(name.encode(), value.encode()) for name, value in SIGNED.items()]
    scope = _scope([*headers, (b"content-length", str(front.MAX_BODY + 1).encode())])
    await desk.door(scope, receive, _into(sent))
    assert (sent[0]["status"], touched) == (413, [])


async def test_a_sender_that_leaves_is_not_answered(desk: Desk) -> None:
    """A body that ends too early is nothing: no answer, nothing stored, one line."""
    parts: list[Message] = [{"type": "http.disconnect"}, {"type": "http.request", "body": b'{"rem', "more_body": True}]

    async def receive() -> Message:
        return parts.pop()

    sent: list[Message] = []
    scope = _scope([(name.encode(), value.encode()) for name, value in SIGNED.items()])
    await desk.door(scope, receive, _into(sent))
    assert (sent, desk.shelf.offers) == ([], [])
    (line,) = desk.lines()
    assert (line["code"], line["size"]) == ("incomplete", 5)


async def test_strangers_learn_nothing(desk: Desk) -> None:
    """Wrong signature, old signature and a source that is not there are one and the same answer, bytes and headers."""
    answers = [
        await desk.post(b"{}", JSON),
        await desk.post(b"{}", {**JSON, "x-toy": "old"}),
        await desk.post(b"{}", SIGNED, source="nobody"),
        await desk.post(b"{}", JSON, source="n%00%0abody"),
        await desk.post(b"{}", JSON, source="chat"),  # JSON is not its type, and only it may know
        await desk.post(b"{}", {"content-type": "application/x-www-form-urlencoded"}, source="nobody"),
        await desk.post(b"{}", {"content-type": "application/x-www-form-urlencoded"}),
    ]
    assert {(answer.status_code, answer.content, tuple(answer.headers.items())) for answer in answers} == {
        (401, UNAUTHORIZED.response().body, tuple(answers[0].headers.items()))
    }
    reasons = [(line["source"], line["reason"]) for line in desk.lines()]
    assert reasons[:4] == [
        ("desk", "the word is wrong"),
        ("desk", "stamped 400 seconds ago"),
        ("unknown", "there is no such source"),
        ("unknown", "there is no such source"),
    ]


async def test_the_same_id_with_another_body(desk: Desk) -> None:
    """A delivery id that comes back with other content is a conflict, not a duplicate."""
    await desk.post(x_id="one")
    answer = await desk.post({"remove": "+19"}, x_id="one")
    assert (answer.status_code, answer.json()["code"]) == (422, "delivery_conflict")
    assert len(desk.shelf.offers) == 1


async def test_a_key_that_is_not_signed_counts_for_nothing(desk: Desk) -> None:
    """An Idempotency-Key joins no two deliveries and parts none: only what is signed says what is the same."""
    await desk.post(x_id="one", idempotency_key='"k1"')
    again = await desk.post(x_id="one", idempotency_key="k2")
    another = await desk.post(x_id="two", idempotency_key="k1")
    assert [one.json()["status"] for one in (again, another)] == ["duplicate", "accepted"]
    assert len(desk.shelf.offers) == 2


async def test_what_is_not_stored_is_not_promised(desk: Desk) -> None:
    """While the store is down the sender hears 503 and when to come back, and nothing of the reason."""
    desk.shelf.is_down = True
    before = counted("desk", "store_down")
    answer = await desk.post()
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (503, "5", "store_down")
    assert "connection refused" not in answer.text
    assert counted("desk", "store_down") == before + 1
    assert [(line["event"], line["reason"]) for line in desk.lines()] == [("delivery.unstored", "connection refused")]


async def test_a_bug_says_nothing(desk: Desk) -> None:
    """A fault of ours is a 500 without text; the log has its type and its place."""
    before = counted("desk", "unexpected")
    answer = await desk.post({"bug": 1})
    assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")
    assert "canary" not in answer.text
    assert counted("desk", "unexpected") == before + 1
    (line,) = desk.lines()
    assert (line["event"], line["fault"]) == ("fault.raised", "ZeroDivisionError")


async def test_while_draining_nothing_is_taken(desk: Desk) -> None:
    """A process about to stop takes no delivery, checks none, and still shows actions."""
    await desk.post()
    desk.is_draining = True
    answer = await desk.post(BIG)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (503, "5", "draining")
    assert (await desk.http.get(f"/actions/{ACTION}?key={1:032x}")).status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
async def test_who_asks_first_is_told_the_same_of_every_name(desk: Desk, method: str) -> None:
    """Who asks whether webhooks are taken hears yes of every name, and his origin again if it is one, and only one."""
    answers = [await desk.http.request(method, f"/webhooks/{name}") for name in ("desk", "nobody", "%00")]
    assert {(one.status_code, tuple(one.headers.items())) for one in answers} == {
        (200, tuple(answers[0].headers.items()))
    }
    assert answers[0].headers["allow"] == "POST, HEAD, OPTIONS"
    assert "webhook-allowed-origin" not in answers[0].headers
    asked = [("webhook-request-origin", "desk.example")]
    answer = await desk.http.request(method, "/webhooks/desk", headers=asked)
    assert (answer.headers["webhook-allowed-origin"], answer.headers["webhook-allowed-rate"]) == ("desk.example", "600")
    for odd in ([*asked, *asked], [("webhook-request-origin", "*")], [("webhook-request-origin", "a b")]):
        odd_one = await desk.http.request(method, "/webhooks/desk", headers=odd)
        assert "webhook-allowed-origin" not in odd_one.headers


async def test_an_account_is_shown_to_its_key(desk: Desk) -> None:
    """The link shows how the action stands; no link that is not exactly it shows whether there is one."""
    link = (await desk.post()).json()["links"]["self"].removeprefix(PUBLIC)
    answer = await desk.http.get(link)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert (answer.json()["action"], answer.json()["state"]) == (ACTION, "pending")
    assert answer.json()["conversation"] == CONVERSATION
    wrong = [
        await desk.http.get(path)
        for path in (
            link + "0",
            f"/actions/{ACTION}",
            f"/actions/{ACTION}?key=",
            f"/actions/acme.{9:026}?key={1:032x}",
            "/actions/junk?key=1",
            "/actions/%00?key=%ff%00",
        )
    ]
    assert {(one.status_code, one.content) for one in wrong} == {(404, wrong[0].content)}
    assert wrong[0].json()["code"] == "no_such_action"


async def test_an_account_can_be_waited_for(desk: Desk) -> None:
    """A client may wait on the link too, and is not kept once the action has ended."""
    link = (await desk.post()).json()["links"]["self"].removeprefix(PUBLIC)
    desk.waiter.meanwhile = lambda: desk.shelf.settle(ACTION) if len(desk.waiter.waits) == 2 else None
    for _ in range(2):
        answer = await desk.http.get(link, headers={"prefer": "wait=9"})
        assert answer.json()["outcome"]["kind"] == "disconnected"
        assert answer.headers["preference-applied"] == "wait=9"
    assert len(desk.waiter.waits) == 2


async def test_an_account_that_goes_while_waited_for(desk: Desk) -> None:
    """An action whose life ends while somebody waits for it is not there."""
    link = (await desk.post()).json()["links"]["self"].removeprefix(PUBLIC)
    desk.waiter.meanwhile = desk.shelf.accounts.clear
    answer = await desk.http.get(link, headers={"prefer": "wait=9"})
    assert answer.status_code == 404


async def test_an_account_without_a_store(desk: Desk) -> None:
    """While the store is down an action cannot be shown: 503, not 404."""
    desk.shelf.is_down = True
    answer = await desk.http.get(f"/actions/{ACTION}?key=1")
    assert (answer.status_code, answer.json()["code"]) == (503, "store_down")


def _scope(headers: list[tuple[bytes, bytes]]) -> dict[str, object]:
    path = "/webhooks/desk"
    return {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}


def _into(sent: list[Message]) -> Send:
    async def send(message: Message) -> None:
        sent.append(message)

    return send
