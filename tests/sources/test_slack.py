"""A source of Slack: what it takes for proof, when a click was, what its settings must say; and Slack's own package."""

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from service.core import model as m
from service.core.errors import BadSignature, Refused, Rejected, Stale, Unreadable
from service.core.ports import Source
from service.sources import KINDS
from tests.needs import needs
from tests.sources.senders import (
    ACTION_ID,
    CONVERSATION,
    NOTE,
    NOW,
    PHONE,
    REPORT,
    SETTLED,
    Heard,
    Outdoors,
    own,
    with_header,
)
from tests.sources.workspace import (
    BOT,
    CHANNEL,
    IN_CHANNEL,
    LINE,
    OPTIONS,
    SIGNING,
    TRIGGER,
    USER,
    PlaySlack,
    button,
    command,
    delivery,
    pressed,
)

OTHER = "0123456789abcdef0123456789abcdef"
OUTCOMES = {"outcome_url": "https://receiver.example/hook", "outcome_secret": f"whsec_{'cGxheS1z' * 6}"}
LONG_AGO = "1795164600.500000"
EMPTY = '{"type":"block_actions","actions":[{"action_id":"remove_caller"}]}'
SIGNED = (b"x-slack-request-timestamp", b"x-slack-signature")


def built(outdoors: Outdoors | None = None, /, **changes: object) -> Source:
    """Return a source of Slack."""
    options = KINDS["slack"].options.model_validate(OPTIONS | changes)
    return KINDS["slack"].build("desk", options, (outdoors or Outdoors()).outside)


def removal(arriving: m.Delivery, source: Source | None = None) -> m.Removal:
    """Take a delivery in as intake does."""
    source = source or built()
    found = source.parse(arriving, source.verify(arriving))
    assert isinstance(found, m.Removal)
    return found


@pytest.mark.parametrize("body", [command(), button()])
def test_a_click(body: bytes) -> None:
    """A click names the conversation, the person, who clicked, and is known again by Slack's own id of it."""
    found = removal(delivery(body))
    assert (found.conversation_id, found.selector.value, found.requester) == (CONVERSATION, PHONE, USER)
    assert (found.event_id, found.event_at, found.preview) == (TRIGGER, NOW, False)
    assert found.ticket == m.Ticket(f"{CHANNEL}/{TRIGGER}")


@pytest.mark.parametrize(
    "arriving, event_at",
    [
        (delivery(command(), stamped_at=NOW - 90_000), NOW - 90_000),
        (delivery(command(), x_slack_retry_num="1"), NOW - 360_000),
        (delivery(button(actions=[pressed(LINE, action_ts="1795164600.5")]), stamped_at=NOW), None),
        (delivery(button(actions=[pressed(LINE, action_ts="1795164600.500000")])), NOW - 599_500),
        (
            delivery(button(actions=[pressed(LINE, action_ts="1795164600.500000")]), x_slack_retry_num="2"),
            NOW - 599_500,
        ),
        (delivery(button(actions=[pressed(LINE, action_ts="")])), NOW),
    ],
)
def test_when_it_was_clicked(arriving: m.Delivery, event_at: int | None) -> None:
    """A button's own time counts, whenever it was signed; a command's is the signature's, a repeat's long before."""
    if event_at is None:
        with pytest.raises(Unreadable, match="action_ts"):
            removal(arriving)
        return
    assert removal(arriving).event_at == event_at


def test_our_own_form() -> None:
    """Our own form says its time itself, or is refused; its ticket is as it names it."""
    assert removal(delivery(own())).event_at == NOW
    untimed = json.dumps({"type": "caller.remove", "data": json.loads(own())["data"]}).encode()
    with pytest.raises(Unreadable, match="timestamp"):
        removal(delivery(untimed))
    found = removal(delivery(untimed), built(untimed="accept"))
    assert (found.event_at, found.requester) == (None, "beth.anglin")


def forged() -> Iterator[m.Delivery]:
    """Yield deliveries that were tampered with: each bit and each cut of what is signed and what signs."""
    good = delivery(command())
    for bit in range(len(good.body) * 8):
        changed = bytearray(good.body)
        changed[bit // 8] ^= 1 << bit % 8
        yield replace(good, body=bytes(changed))
    for end in range(len(good.body)):
        yield replace(good, body=good.body[:end])
    for name in SIGNED:
        value = good.header(name) or b""
        for bit in range(len(value) * 8):
            turned = bytearray(value)
            turned[bit // 8] ^= 1 << bit % 8
            yield with_header(good, name, bytes(turned))
        for values in (*[(value[:end],) for end in range(len(value))], (), (value, value), (value + b" ",)):
            yield with_header(good, name, *values)
    signature = good.header(SIGNED[1]) or b""
    for other in (signature.upper(), signature[3:], b"v1" + signature[2:], signature + b"," + signature, b"abc"):
        yield with_header(good, SIGNED[1], other)


def test_forgeries() -> None:
    """No delivery that was tampered with is taken."""
    source, tried = built(), 0
    for arriving in forged():
        with pytest.raises(BadSignature):
            source.verify(arriving)
        tried += 1
    assert tried > 4_000


def test_secrets_and_time() -> None:
    """Any of the app's secrets may have signed, another has not; a signature is good for five minutes."""
    both = built(secrets=[OTHER, SIGNING])
    names = {both.verify(delivery(command(), secret=secret)).secret_fingerprint for secret in (SIGNING, OTHER)}
    assert len(names) == 2
    with pytest.raises(BadSignature):
        built().verify(delivery(command(), secret=OTHER))
    for away in (-300_000, 300_000):
        assert built().verify(delivery(command(), at=NOW + away)).stamped_at == NOW
    for away in (-301_000, 301_000):
        with pytest.raises(Stale):
            built().verify(delivery(command(), at=NOW + away))


@given(
    st.dictionaries(
        st.sampled_from(["command", "payload", "text", "user_id", "trigger_id", "response_url", "channel_id", "x"]),
        st.text(max_size=40) | st.just(LINE) | st.just(EMPTY),
        max_size=7,
    )
)
def test_any_form(fields: Mapping[str, str]) -> None:
    """Whatever stands in a signed form, the answer is a reading or a refusal of ours."""
    text = json.dumps(fields)
    for body in (command(**fields), button(text), button(actions=[fields]), text.encode()):
        try:
            said: object = built().parse(delivery(body), m.Verified("", NOW, "0123"))
        except Refused as refused:
            said = refused.sentence
        assert isinstance(said, m.Removal | m.Ignored) or str(said).isprintable()


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"secrets": ["fifteen bytes.."]}, "at least 16"),
        ({"secrets": [""]}, "empty"),
        ({"bot_token": BOT}, "bot_token and channel"),
        ({"channel": CHANNEL}, "bot_token and channel"),
        ({"channel": "#general", "bot_token": BOT}, "channel: is the id"),
        ({"channel": CHANNEL, "bot_token": "xoxp-canary"}, "xoxb-"),
        ({"reports": ["channel"]}, "channel: needed"),
        ({"reports": ["webhook"]}, "outcome_url: needed"),
        ({"outcome_url": "https://receiver.example/hook"}, "outcome_secret: needed"),
        ({"reports": ["email"]}, "response"),
        ({"button": "two words"}, "action_id"),
        ({"api_url": "http://slack.com"}, "https"),
        ({"wait": 3}, "2 s at most"),
        ({"tell": {}}, "tell"),
    ],
)
def test_settings_that_cannot_be_used(changes: dict[str, object], words: str) -> None:
    """What is missing or wrong is a fault at the start, in words that name the setting and show no secret."""
    with pytest.raises(ValidationError) as caught:
        KINDS["slack"].options.model_validate(OPTIONS | changes)
    said = "\n".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in caught.value.errors())
    assert words in said
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "changes, told",
    [
        ({}, ("response",)),
        (IN_CHANNEL, ("response", "channel")),
        (IN_CHANNEL | OUTCOMES, ("response", "channel", "webhook")),
        ({"reports": []}, ()),
        ({"reports": ["webhook"], **OUTCOMES}, ("webhook",)),
        ({"reports": ["channel"], **IN_CHANNEL}, ("channel",)),
        ({"reports": ["webhook"], **OUTCOMES, **IN_CHANNEL}, ("webhook",)),
    ],
)
async def test_how_it_is_told(changes: dict[str, object], told: tuple[str, ...]) -> None:
    """It is told in every way that the settings allow, or in those they name; ways out are open for these alone."""
    outdoors = Outdoors(PlaySlack().app)
    source = built(outdoors, **changes)
    assert source.terms.channels == told
    hosts = {"response": "hooks.slack.com", "channel": "slack.com", "webhook": "receiver.example"}
    assert {rule.origin.host for rule in outdoors.rules} == {hosts[name] for name in told}
    for name in ("response", "channel", "webhook"):
        report = replace(REPORT, channel=name, ticket=m.Ticket("C1/1", "", "/commands/T1DC2JH3J/1/x"))
        if name in told:
            assert (await source.tell(report, SETTLED, NOTE)).status == 200
        else:
            with pytest.raises(Rejected):
                await source.tell(report, SETTLED, NOTE)
            assert not await source.is_told(report, SETTLED)


async def test_another_button_and_another_address() -> None:
    """The button may be called otherwise, and Slack's Web API be elsewhere."""
    outdoors = Outdoors(PlaySlack().app)
    source = built(outdoors, button="drop", api_url="http://127.0.0.1:8091/", **IN_CHANNEL)
    assert removal(delivery(button(actions=[pressed(LINE, "drop")])), source).requester == USER
    assert {str(rule.origin) for rule in outdoors.rules} == {"http://127.0.0.1:8091", "https://hooks.slack.com"}
    assert (await source.tell(replace(REPORT, channel="channel"), SETTLED, NOTE)).status == 200


def test_terms() -> None:
    """Slack takes forms and JSON, 200 for a yes and for what it shows as words, and is told no word of a button."""
    source = built()
    assert source.media_types == {"application/x-www-form-urlencoded", "application/json"}
    assert (source.success_status, source.terms.unreadable_status, source.terms.wait) == (200, 200, 0)
    assert (source.terms.is_unheard(button()), source.terms.is_unheard(command())) == (True, False)
    assert built(wait=2).terms.wait == 2


class Quiet(uvicorn.Server):
    """A server that leaves the signals to pytest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def beside(play: PlaySlack, work: Callable[[str], Any]) -> Any:  # noqa: ANN401 - whatever the work returns
    """Do some work in a thread while the play Slack listens at a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Quiet(uvicorn.Config(play.app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server.serve([listening]))
        try:
            return await asyncio.to_thread(work, f"http://127.0.0.1:{listening.getsockname()[1]}")
        finally:
            server.should_exit = True
            await serving


def told(heard: Heard) -> tuple[str, str, object]:
    """Return what a request asks of Slack, however it is written: as JSON, as a form, or behind a question mark."""
    sent = heard.body.decode() or heard.query
    asked = json.loads(sent) if sent.startswith("{") else dict(parse_qsl(sent)) | {"include_all_metadata": "yes"}
    # Slack documents a GET for what only reads, and takes a POST, as its package sends it
    return "" if "history" in heard.path else heard.method, heard.path, asked


async def test_slack_sdk_says_the_same() -> None:
    """Slack's own package asks of Slack what we ask, in the same words, and reads our message as Slack's."""
    needs("slack_sdk")
    from slack_sdk import WebClient, WebhookClient  # noqa: PLC0415 - CI installs it, a laptop need not

    ours, theirs = PlaySlack(), PlaySlack()
    source = built(Outdoors(ours.app), **IN_CHANNEL)
    ticket = m.Ticket("C1/1", "", "/commands/T1DC2JH3J/1/x")
    report = replace(REPORT, id="acme.r1", ticket=ticket, first_due_at=NOW)
    for channel in ("response", "channel"):
        await source.tell(replace(report, channel=channel), SETTLED, NOTE)
    assert await source.is_told(replace(report, channel="channel"), SETTLED)
    metadata = {"event_type": "onhook_removal_settled", "event_payload": {"action": ACTION_ID, "report": "acme.r1"}}

    def work(url: str) -> list[dict[str, Any]]:
        answer = {"text": NOTE, "response_type": "ephemeral", "replace_original": False, "mrkdwn": False}
        assert WebhookClient(f"{url}{ticket.reply_to}").send_dict(answer).status_code == 200
        client = WebClient(BOT, base_url=f"{url}/api/")
        client.chat_postMessage(
            channel=CHANNEL, text=NOTE, metadata=metadata, mrkdwn=False, unfurl_links=False, unfurl_media=False
        )
        since = f"{NOW // 1000 - 60}.000000"
        found = client.conversations_history(channel=CHANNEL, include_all_metadata=True, limit=200, oldest=since)
        return list(found["messages"])

    (found,) = await beside(theirs, work)
    assert found["metadata"] == metadata
    assert [told(heard) for heard in ours.heard] == [told(heard) for heard in theirs.heard]
    assert ours.heard[1].headers["authorization"] == theirs.heard[1].headers["authorization"]
