"""Slack is told: at the address of the click, in a channel once where we may look, and nowhere else."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from service.core import model as m
from service.core.errors import EgressRefused, Rejected, Throttled, Unclear, Unreachable, Upstream
from service.core.ports import Source
from service.outbound import Asked, Caller
from service.sources import KINDS, Outside
from service.sources.slack_telling import EVENT_TYPE, escaped
from tests.sources.senders import ACTION_ID, NOTE, NOW, SETTLED, HandClock, Outdoors
from tests.sources.workspace import BOT, CANARY, CHANNEL, IN_CHANNEL, OPTIONS, USER, PlaySlack, error

PATH = f"/commands/T1DC2JH3J/397700885554/{CANARY}"
TICKET = m.Ticket(f"{CHANNEL}/1.2.3", "", PATH)
ACTION = replace(SETTLED, removal=replace(SETTLED.removal, ticket=TICKET, requester=USER))
SHOWN = m.Report("r1", ACTION_ID, "desk", "response", TICKET, m.ReportState.DUE, first_due_at=NOW)
POSTED = replace(SHOWN, id="acme.report:0a1b", channel="channel")
ANSWERED = {"response_type": "ephemeral", "replace_original": False, "mrkdwn": False}


def slack(**changes: object) -> tuple[PlaySlack, Source, Outdoors]:
    """Return a play Slack, and a source that tells it."""
    play = PlaySlack()
    outdoors = Outdoors(play.app)
    options = KINDS["slack"].options.model_validate(OPTIONS | changes)
    return play, KINDS["slack"].build("desk", options, outdoors.outside), outdoors


async def test_whoever_clicked_is_answered() -> None:
    """One POST to the address of the click shows the note to that person alone, and replaces nothing."""
    play, source, _ = slack()
    assert await source.tell(SHOWN, ACTION, NOTE) == m.Reply(200)
    (heard,) = play.heard
    assert (heard.method, heard.path, heard.headers["host"]) == ("POST", PATH, "hooks.slack.com")
    assert json.loads(heard.body) == {"text": NOTE, **ANSWERED}
    assert "authorization" not in heard.headers
    assert not await source.is_told(SHOWN, ACTION)


async def test_the_channel_reads_along() -> None:
    """The channel gets one message as our app, with who clicked, and what it is known again by in its metadata."""
    play, source, _ = slack(**IN_CHANNEL)
    assert await source.tell(POSTED, ACTION, "Gone.") == m.Reply(200)
    (heard,) = play.heard
    assert (heard.path, heard.headers["authorization"]) == ("/api/chat.postMessage", f"Bearer {BOT}")
    assert heard.headers["content-type"] == "application/json; charset=utf-8"
    said = json.loads(heard.body)
    assert said.pop("metadata") == {
        "event_type": EVENT_TYPE,
        "event_payload": {"action": ACTION_ID, "report": POSTED.id},
    }
    text = f"<@{USER}> Gone. [{ACTION_ID}]"
    assert said == {"channel": CHANNEL, "text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}


@pytest.mark.parametrize("requester", ["", "beth.anglin", "U1> <!channel", "<!here>"])
async def test_nobody_else_is_mentioned(requester: str) -> None:
    """Only a user's id becomes a mention, and only of the click that is told."""
    play, source, _ = slack(**IN_CHANNEL)
    await source.tell(POSTED, replace(ACTION, removal=replace(ACTION.removal, requester=requester)), NOTE)
    await source.tell(replace(POSTED, ticket=m.Ticket("C1/other")), ACTION, NOTE)
    assert [message["text"] for message in play.messages] == [NOTE, NOTE]


async def test_what_people_wrote_is_text() -> None:
    """No mention, link or entity comes of a note, at either place."""
    hostile = f"<!channel> & <https://evil.example|click> {ACTION_ID}"
    safe = f"&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt; {ACTION_ID}"
    assert escaped(hostile) == safe
    play, source, _ = slack(**IN_CHANNEL)
    await source.tell(SHOWN, ACTION, hostile)
    await source.tell(POSTED, ACTION, hostile)
    assert (play.shown[0][1]["text"], play.messages[0]["text"]) == (safe, f"<@{USER}> {safe}")


async def test_a_lost_answer_of_the_channel() -> None:
    """A message whose answer was lost is found again by its metadata, since shortly before it was due."""
    play, source, _ = slack(**IN_CHANNEL)
    assert not await source.is_told(POSTED, ACTION)
    play.lost = 1
    with pytest.raises(Unclear):
        await source.tell(POSTED, ACTION, NOTE)
    assert await source.is_told(POSTED, ACTION)
    assert not await source.is_told(replace(POSTED, id="acme.report:ffff"), ACTION)
    assert {name: value[0] for name, value in parse_qs(play.heard[-1].query).items()} == {
        "channel": CHANNEL,
        "include_all_metadata": "true",
        "limit": "200",
        "oldest": f"{NOW // 1000 - 60}.000000",
    }
    assert (play.heard[-1].method, play.heard[-1].headers["authorization"]) == ("GET", f"Bearer {BOT}")
    early = replace(POSTED, first_due_at=0)
    assert await source.is_told(early, ACTION)
    assert "oldest=0.000000" in play.heard[-1].query


@pytest.mark.parametrize(
    "answer, kind, words",
    [
        (error("invalid_auth"), Rejected, "bot_token"),
        (error("missing_scope"), Rejected, "chat:write"),
        (error("not_in_channel"), Rejected, "invite it"),
        (error("msg_too_long"), Rejected, r"Slack refused it \(msg_too_long\)"),
        (error(None), Rejected, "no reason"),
        (error("<" * 300), Rejected, "refused"),
        (error("ratelimited"), Throttled, "busy"),
        (error("internal_error"), Unclear, "failed"),
        (JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "30"}), Throttled, "429"),
        (Response("busy", 503), Unclear, "503"),
        (Response("<html>", 200), Unclear, "no answer of Slack's"),
        (JSONResponse({"ok": "true"}), Unclear, "no answer of Slack's"),
        (Response("", 302), Rejected, "sends us elsewhere"),
    ],
)
async def test_an_error_in_a_yes(answer: Response, kind: type[Upstream], words: str) -> None:
    """What Slack says in a 200 is read: an error is an error in words, and what is no answer of Slack's is no yes."""
    play, source, _ = slack(**IN_CHANNEL)
    play.refusals = [answer]
    with pytest.raises(kind, match=words) as caught:
        await source.tell(POSTED, ACTION, NOTE)
    assert type(caught.value) is kind
    if isinstance(caught.value, Throttled):
        assert caught.value.retry_after_seconds == 30
    assert play.messages == []


@pytest.mark.parametrize("code, status", [("token_revoked", 401), ("channel_not_found", 403), ("is_archived", 200)])
async def test_what_gets_mended(code: str, status: int) -> None:
    """Credentials and rights have the status under which a report is tried again: they get mended."""
    play, source, _ = slack(**IN_CHANNEL)
    play.refusals = [error(code)]
    with pytest.raises(Rejected) as caught:
        await source.tell(POSTED, ACTION, NOTE)
    assert (caught.value.reply.status, caught.value.reply.code) == (status, code)


@pytest.mark.parametrize("code", ["missing_scope", "not_in_channel"])
async def test_a_channel_that_cannot_be_read(code: str) -> None:
    """Where we may not look the message is written: at least once."""
    play, source, _ = slack(**IN_CHANNEL)
    play.refusals = [error(code)]
    assert not await source.is_told(POSTED, ACTION)
    play.refusals = [error("fatal_error")]
    with pytest.raises(Unclear):
        await source.is_told(POSTED, ACTION)


@pytest.mark.parametrize(
    "answer",
    [
        error("expired_url"),
        error("used_url"),
        JSONResponse({"ok": False, "error": "used_url"}, 404),
        Response("No service", 410),
    ],
)
async def test_an_address_that_is_used_up(answer: Response) -> None:
    """After half an hour the answer is a dead letter that says so; with a channel it is told, and looked for, there."""
    play, source, _ = slack()
    play.refusals = [answer]
    with pytest.raises(Rejected, match="half an hour, and five times"):
        await source.tell(SHOWN, ACTION, NOTE)
    play, source, _ = slack(reports=["response"], **IN_CHANNEL)
    play.refusals, play.lost = [answer], 1
    with pytest.raises(Unclear):
        await source.tell(SHOWN, ACTION, NOTE)
    assert await source.is_told(SHOWN, ACTION)
    assert [message["text"] for message in play.messages] == [f"<@{USER}> {NOTE}"]


async def test_one_channel_is_told_once() -> None:
    """Where the channel reads along anyway, what does not reach the person is no second message to it."""
    play, source, _ = slack(**IN_CHANNEL)
    play.refusals = [error("expired_url")]
    with pytest.raises(Rejected):
        await source.tell(SHOWN, ACTION, NOTE)
    assert play.messages == []


@pytest.mark.parametrize(
    "ticket",
    [
        None,
        m.Ticket("C1/1.2"),
        m.Ticket("C1/1.2", "", "/services/T1DC2JH3J/397700885554/x"),
        m.Ticket("C1/1.2", "", f"{PATH}/../x"),
        m.Ticket("C1/1.2", "", f"@evil.example{PATH}"),
        m.Ticket("C1/1.2", "", f"{PATH}\r\nx"),
    ],
)
async def test_no_address(ticket: m.Ticket | None) -> None:
    """What is no path of Slack's is called by nobody, whatever was kept; the words do not show it."""
    play, source, _ = slack()
    with pytest.raises(Rejected, match="no address") as caught:
        await source.tell(replace(SHOWN, ticket=ticket), ACTION, NOTE)
    assert (play.heard, CANARY in str(caught.value)) == ([], False)


async def test_too_late() -> None:
    """After its deadline nothing leaves any more, and the words do not show where it would have gone."""
    play, source, _ = slack(**IN_CHANNEL)
    for report in (SHOWN, POSTED):
        with pytest.raises(EgressRefused, match="deadline") as caught:
            await source.tell(report, ACTION, NOTE, HandClock().monotonic())
        assert CANARY not in str(caught.value)
    assert play.heard == []


class Cut(httpx.AsyncBaseTransport):
    """A way out that leads nowhere."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("All connection attempts failed", request=request)


async def test_a_dead_slack() -> None:
    """An error of the way out does not show the address of the click."""
    outdoors = Outdoors()
    outside = Outside(lambda rules: outdoors.caller(rules, Cut), outdoors.clock)
    source = KINDS["slack"].build("desk", KINDS["slack"].options.model_validate(OPTIONS), outside)
    with pytest.raises(Unreachable, match="connection attempts") as caught:
        await source.tell(SHOWN, ACTION, NOTE)
    assert CANARY not in f"{caught.value!r} {caught.value.reply} {caught.value.__cause__!r}"


def request(method: str, url: str, body: object = b"") -> Asked:
    """Return a request of ours."""
    return Asked(method, url, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


MESSAGE: dict[str, Any] = {
    "channel": CHANNEL,
    "text": "x",
    "mrkdwn": False,
    "unfurl_links": False,
    "unfurl_media": False,
    "metadata": {"event_type": EVENT_TYPE, "event_payload": {"action": "a", "report": "r"}},
}
API = "https://slack.com/api"
SERVICES = f"https://hooks.slack.com/services/T1DC2JH3J/397700885554/{CANARY}"
LOOK = f"{API}/conversations.history?channel={CHANNEL}&include_all_metadata=true&limit=200&oldest=1.000000"


@pytest.mark.parametrize(
    "asked, may_leave",
    [
        (request("POST", f"https://hooks.slack.com{PATH}", {"text": "x", **ANSWERED}), True),
        (request("POST", f"{API}/chat.postMessage", MESSAGE), True),
        (request("GET", LOOK), True),
        (request("POST", f"https://hooks.slack.com{PATH}", {"text": "x", **ANSWERED, "channel": "C2"}), False),
        (request("POST", f"https://hooks.slack.com{PATH}", b"{"), False),
        (request("POST", SERVICES, {"text": "x", **ANSWERED}), False),
        (request("POST", f"https://hooks.slack.com{PATH}?x=1", {"text": "x", **ANSWERED}), False),
        (request("GET", f"https://hooks.slack.com{PATH}"), False),
        (request("POST", f"https://evil.example{PATH}", {"text": "x", **ANSWERED}), False),
        (request("POST", f"http://hooks.slack.com{PATH}", {"text": "x", **ANSWERED}), False),
        (request("POST", f"{API}/chat.postMessage", MESSAGE | {"channel": "C0"}), False),
        (request("POST", f"{API}/chat.postMessage", MESSAGE | {"as_user": True}), False),
        (request("POST", f"{API}/chat.delete", MESSAGE), False),
        (request("GET", LOOK.replace(CHANNEL, "C0")), False),
        (request("GET", LOOK + "&token=x"), False),
        (request("GET", f"{API}/conversations.history"), False),
        (request("GET", f"{API}/users.list"), False),
    ],
)
async def test_what_may_leave(asked: Asked, may_leave: bool) -> None:
    """Answers at addresses of clicks, messages into the one channel, looks into it: nothing else leaves."""
    play, _, outdoors = slack(**IN_CHANNEL)
    caller: Caller = outdoors.caller(outdoors.rules)
    if may_leave:
        assert (await caller.send(asked)).status == 200 or play.heard
        return
    with pytest.raises(EgressRefused):
        await caller.send(asked)
    assert play.heard == []


def test_the_token_shows_nowhere() -> None:
    """What holds the token of our app does not show it."""
    options = KINDS["slack"].options.model_validate(OPTIONS | IN_CHANNEL)
    assert BOT not in f"{options!r} {options.place!r} {options.model_dump()}"
