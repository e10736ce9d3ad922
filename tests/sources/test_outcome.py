"""The outcome webhook: one signed event, the same id for its repeats, to the configured address alone."""

import json
import re
from dataclasses import replace

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.responses import Response

from service.core import model as m
from service.core.errors import EgressRefused, Rejected, Throttled, Unclear, Upstream
from service.core.ports import Source
from service.outbound import Asked
from service.sandbox import create_app
from service.sources.signing import Keyring
from service.sources.standard import Options
from tests.sources import senders
from tests.sources.senders import (
    ACTION_ID,
    CONVERSATION,
    NOTE,
    NOW,
    OPTIONS,
    OTHER_SECRET,
    SETTLED,
    SYS_ID,
    Outdoors,
    PlayDesk,
    built,
    key_of,
)

REPORT = replace(senders.REPORT, channel="webhook")
HOOK = "/sandbox/desk/hooks/outcomes"
WEBHOOK_ID = ACTION_ID.replace(".", ":") + ":disconnected"
SILENT: dict[str, object] = {"outcome_url": ""}


def receiver(answer: Response, **changes: object) -> tuple[PlayDesk, Source, Outdoors]:
    """Return a receiver that always gives this answer, and a source that tells it."""
    play = PlayDesk(lambda: answer)
    outdoors = Outdoors(play.app)
    return play, built("standard", outdoors, **changes), outdoors


async def test_too_late_to_tell() -> None:
    """After its deadline the outcome does not leave any more."""
    play, source, outdoors = receiver(Response(status_code=204))
    with pytest.raises(EgressRefused, match="deadline"):
        await source.tell(REPORT, SETTLED, NOTE, outdoors.clock.monotonic())
    assert play.heard == []


async def test_outcome_is_a_signed_webhook() -> None:
    """The outcome is one POST to the configured address, that a strict receiver proves to be ours."""
    play, source, outdoors = receiver(Response(status_code=204))
    outdoors.clock.at = NOW + 5_000
    assert await source.tell(REPORT, SETTLED, NOTE) == m.Reply(204)
    (heard,) = play.heard
    assert (heard.method, heard.path, heard.query) == ("POST", HOOK, "")
    assert heard.headers["content-type"] == "application/json"
    headers = tuple((name.encode(), value.encode()) for name, value in heard.headers.items())
    secrets = OPTIONS["standard"]["secrets"]
    assert isinstance(secrets, list)
    verified = Keyring([key_of(secrets[0])]).verify(m.Delivery("them", headers, heard.body, NOW))
    assert (verified.signed_id, verified.stamped_at) == (WEBHOOK_ID, NOW + 5_000)
    assert json.loads(heard.body) == {
        "type": "removal.settled",
        "timestamp": "2026-11-20T09:00:01.500Z",
        "data": {
            "action_id": ACTION_ID,
            "outcome": "disconnected",
            "reason": "",
            "conversation_id": CONVERSATION,
            "ticket": {"reference": f"incident/{SYS_ID}", "label": "INC0010112"},
            "note": NOTE,
            "purpose": "customer",
            "state_seen": "",
            "bystanders": {},
            "remaining": {"agent": 1, "external": 1},
            "vanished": {},
            "candidates": [],
            "is_back": False,
            "allowed_by": "",
            "genesys": None,
            "clicked_at": "2026-11-20T09:00:00.000Z",
            "received_at": "2026-11-20T09:00:00.000Z",
            "replay_of": "",
        },
    }


async def test_outcome_without_a_ticket() -> None:
    """An outcome is posted for removals of no ticket too, and says what Genesys answered."""
    play, source, _ = receiver(Response())
    reply = m.Reply(409, "conflict", "their sentence", "corr-1")
    action = replace(
        SETTLED,
        removal=replace(SETTLED.removal, ticket=None),
        outcome=m.Outcome(m.OutcomeKind.FAILED, "genesys_refused", reply=reply),
    )
    await source.tell(replace(REPORT, ticket=None), action, NOTE)
    told = json.loads(play.heard[0].body)["data"]
    assert (told["ticket"], told["outcome"], told["reason"]) == (None, "failed", "genesys_refused")
    assert told["genesys"] == {"status": 409, "code": "conflict", "correlation_id": "corr-1"}


async def test_webhook_id_is_the_reports() -> None:
    """Repeats carry the same webhook-id; another outcome, action or joined ticket carries another."""
    play, source, outdoors = receiver(Response())
    joined = m.Ticket("incident/other")
    expired = m.Outcome(m.OutcomeKind.EXPIRED, "")
    cases = [
        (REPORT, SETTLED),
        (replace(REPORT, tries=3), SETTLED),
        (replace(REPORT, ticket=None), SETTLED),
        (replace(REPORT, ticket=joined), SETTLED),
        (replace(REPORT, ticket=joined), SETTLED),
        (replace(REPORT, ticket=m.Ticket("incident/third")), SETTLED),
        (REPORT, replace(SETTLED, outcome=expired)),
        (REPORT, replace(SETTLED, id="acme.01jd2k9w3m4n5p6q7r8s9t0v1x")),
    ]
    for report, action in cases:
        outdoors.clock.at += 60_000
        await source.tell(report, action, NOTE)
    ids = [heard.headers["webhook-id"] for heard in play.heard]
    assert ids[:3] == [WEBHOOK_ID] * 3
    assert ids[3] == ids[4] != ids[5]
    assert re.fullmatch(WEBHOOK_ID + ":[0-9a-f]{16}", ids[3])
    assert len(set(ids)) == 5
    told = [json.loads(heard.body)["data"]["ticket"]["reference"] for heard in play.heard]
    assert told[3] == joined.reference
    assert play.heard[0].headers["webhook-signature"] != play.heard[1].headers["webhook-signature"]


async def test_outcomes_may_have_a_secret_of_their_own() -> None:
    """With an outcome_secret outcomes are signed with it, and with nothing else."""
    play, source, _ = receiver(Response(), outcome_secret=OTHER_SECRET)
    await source.tell(REPORT, SETTLED, NOTE)
    headers = tuple((name.encode(), value.encode()) for name, value in play.heard[0].headers.items())
    arriving = m.Delivery("them", headers, play.heard[0].body, NOW)
    assert Keyring([key_of(OTHER_SECRET)]).verify(arriving).signed_id == WEBHOOK_ID


async def test_nobody_can_be_asked() -> None:
    """Whether an outcome arrived cannot be looked up: the receiver knows repeats by their webhook-id."""
    play, source, _ = receiver(Response())
    assert not await source.is_told(REPORT, SETTLED)
    assert play.heard == []


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_told(status: int) -> None:
    """Any 2xx is a yes, whatever stands in it."""
    _, source, _ = receiver(Response("thanks" if status != 204 else b"", status))
    assert await source.tell(REPORT, SETTLED, NOTE) == m.Reply(status)


@pytest.mark.parametrize(
    "status, kind, words",
    [
        (429, Throttled, "again in 17 s"),
        (503, Throttled, "again in 17 s"),
        (408, Unclear, "408"),
        (500, Unclear, "500"),
        (502, Unclear, "502"),
        (301, Rejected, "redirects are not followed"),
        (400, Rejected, "refused"),
        (401, Rejected, "outcome_secret"),
        (403, Rejected, "outcome_secret"),
        (404, Rejected, "nothing at outcome_url"),
        (410, Rejected, "wants no more"),
    ],
)
async def test_answers(status: int, kind: type[Upstream], words: str) -> None:
    """A receiver that is busy is waited for as long as it says, one that says no is final and 410 for good."""
    _, source, _ = receiver(Response("", status, {"Retry-After": "17"}))
    with pytest.raises(kind, match=words):
        await source.tell(REPORT, SETTLED, NOTE)


async def test_no_outcome_no_event() -> None:
    """An action without an outcome is never told."""
    play, source, _ = receiver(Response())
    with pytest.raises(Rejected, match="no outcome"):
        await source.tell(REPORT, replace(SETTLED, outcome=None), NOTE)
    assert play.heard == []


async def test_against_the_play_receiver() -> None:
    """The sandbox's receiver gets the outcome, twice with one webhook-id when it is told twice."""
    sandbox = create_app()
    source = built("standard", Outdoors(sandbox))
    for _ in range(2):
        await source.tell(REPORT, SETTLED, NOTE)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=sandbox), base_url="http://sandbox") as control:
        received = (await control.get(HOOK)).json()["deliveries"]
    assert [it["headers"]["webhook-id"] for it in received] == [WEBHOOK_ID] * 2
    assert received[0]["body"] == received[1]["body"]


@pytest.mark.parametrize(
    "method, url, body",
    [
        ("GET", "http://127.0.0.1:8090" + HOOK, b""),
        ("PUT", "http://127.0.0.1:8090" + HOOK, b'{"type":"removal.settled",'),
        ("POST", "http://127.0.0.1:8090" + HOOK, b'{"type":"caller.remove",'),
        ("POST", "http://127.0.0.1:8090" + HOOK + "/x", b'{"type":"removal.settled",'),
        ("POST", "http://127.0.0.1:8090" + HOOK + "?x", b'{"type":"removal.settled",'),
        ("POST", "http://127.0.0.1:8091" + HOOK, b'{"type":"removal.settled",'),
        ("POST", "http://evil.example.com" + HOOK, b'{"type":"removal.settled",'),
    ],
)
async def test_nothing_else_may_leave(method: str, url: str, body: bytes) -> None:
    """The guard lets out outcomes to the configured address, and nothing else, whoever asks."""
    outdoors = Outdoors()
    built("standard", outdoors)
    with pytest.raises(EgressRefused):
        await outdoors.caller(outdoors.rules).send(Asked(method, url, {}, body))


def test_outcome_secret_is_checked() -> None:
    """An outcome_secret that cannot be used is a fault, and is not shown."""
    with pytest.raises(ValidationError, match="bytes") as caught:
        built("standard", outcome_secret="whsec_c2hvcnQ=")
    assert "c2hvcnQ" not in str(caught.value)
    options = Options.model_validate(OPTIONS["standard"] | {"outcome_secret": OTHER_SECRET})
    assert OTHER_SECRET not in repr(options)
    assert options.outcome_key == key_of(OTHER_SECRET)
    assert Options.model_validate(OPTIONS["standard"] | {"outcome_secret": None}).outcome_key == options.keys[0]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x", "example.com", "https://", "ftp://example.com", "https://u:p@example.com/x", "https://[::1/x",
        "https://example.com/a b", "https://example.com/\u00e9", "https://example.com/a%20b", "https://example.com/..",
        "https://example.com/a/../b", "https://example.com/./b", "https://example.com/x#f", "https://example.com/x?a=%zz",
        "https://example.com/x?a=b?", "https://example.com/?", 'https://example.com/x?a="b', "https://example.com/x\n",
        "https://example.com/x?a=%e9", "https://example.com:99999/x", "https:example.com/x", "https://example.com/x\\y",
        "https://example.com:0/x",
    ],
)  # fmt: skip
def test_addresses_that_are_none(url: str) -> None:
    """An address is plain https that needs no escape, so that what leaves is what was configured."""
    with pytest.raises(ValidationError):
        built("standard", outcome_url=url)


class Passing(httpx.AsyncBaseTransport):
    """The other end of a way out: whatever gets here got past the guard."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=request.url.raw_path)


PATHS = st.from_regex(r"(/[A-Za-z0-9_.~:@!$&'()*+,;=-]{0,9}){0,4}", fullmatch=True)
QUERIES = st.from_regex(r"(\?([A-Za-z0-9_.~:@!$&()*+,;=/-]|%[0-9A-F]{2}){1,12})?", fullmatch=True)


@settings(deadline=None)  # a busy machine is no failure
@given(PATHS, QUERIES)
async def test_every_address_that_is_taken_can_be_reached(path: str, query: str) -> None:
    """What the settings take the guard lets out, byte for byte."""
    url = f"https://hooks.example.com{path}{query}"
    try:
        options = Options.model_validate(OPTIONS["standard"] | {"outcome_url": url})
    except ValidationError:
        assert re.search(r"/\.{1,2}(/|$)", path)
        return
    outdoors = Outdoors()
    built("standard", outdoors, outcome_url=options.outcome_url)
    caller = outdoors.caller(outdoors.rules, Passing)
    answered = await caller.send(Asked("POST", url, {}, b'{"type":"removal.settled",}'))
    assert answered.body.decode() == (path or "/") + query


@pytest.mark.parametrize(
    "url", ["https://a canary@h.example/x", "https://h.example:port/x?k=a-canary", "https://[a-canary/x"]
)
def test_an_address_is_not_repeated(url: str) -> None:
    """An address that is none is a fault that does not hold it: there may be a key in it."""
    with pytest.raises(ValidationError) as caught:
        built("standard", outcome_url=url)
    assert "canary" not in str(caught.value)
