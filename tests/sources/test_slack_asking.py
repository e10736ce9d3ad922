"""What Slack sends is read: a command's words, a button's value; and what is not for us asks nothing."""

import json
from urllib.parse import quote, urlencode

import pytest

from service.core import model as m
from service.core.errors import Malformed, Unreadable
from service.sources.asking import Asked
from service.sources.slack_asking import Click, sent_in
from tests.sources.senders import CONVERSATION, NOW, PARTICIPANT, PHONE, own
from tests.sources.workspace import CANARY, CHANNEL, LINE, TRIGGER, USER, button, command, pressed

ID = m.SelectorKind


def click(body: bytes) -> Click:
    """Return the click that a body is."""
    found = sent_in(body, "remove_caller")
    assert isinstance(found, Click)
    return found


@pytest.mark.parametrize(
    "line, said",
    [
        (LINE, {"caller_phone": PHONE}),
        (f"  {CONVERSATION.upper()}   {PHONE} preview ", {"caller_phone": PHONE, "preview": True}),
        (f"{CONVERSATION} +1 (415) 555-0123 ticket=INC7", {"caller_phone": "+1(415)555-0123", "ticket": "INC7"}),
        (f"{CONVERSATION} <tel:{PHONE}|{PHONE}>", {"caller_phone": PHONE}),
        (f"{CONVERSATION} tel:{PHONE} voice=no", {"caller_phone": f"tel:{PHONE}", "attribute": "voice=no"}),
        (f"{CONVERSATION} sip:{PHONE}@gate", {"caller_phone": f"sip:{PHONE}@gate"}),
        (f"{CONVERSATION} customer medium=voice", {"purpose": "customer", "medium": "voice"}),
        (f"{CONVERSATION} {PARTICIPANT}", {"participant_id": PARTICIPANT}),
        (f"user_id={PARTICIPANT} conversation_id={CONVERSATION}", {"user_id": PARTICIPANT}),
        (f"{CONVERSATION} 2 customer", None),
        (f"{CONVERSATION} customer agent", None),
        (f"{CONVERSATION} {PHONE} {PHONE}", None),
        ("", None),
        ("help", None),
    ],
)
def test_words(line: str, said: dict[str, object] | None) -> None:
    """A line names the conversation and who is to leave, in the words people use; else it is told how to."""
    for body in (command(line), button(line)):
        if said is None:
            with pytest.raises(Unreadable, match="write the id of the conversation"):
                click(body)
            continue
        fields = click(body).asked.fields.values
        read = {name: value for name, value in fields.items() if name not in {"action", "requested_by"}}
        assert {name: str(value).lower() for name, value in read.items()} == {
            name: str(value).lower() for name, value in {"conversation_id": CONVERSATION, **said}.items()
        }


def test_a_command() -> None:
    """A command is a click by a user in a channel, answered at its own address; Slack does not say when."""
    found = click(command(LINE))
    assert found.asked.requester == USER
    assert found.ticket == m.Ticket(f"{CHANNEL}/{TRIGGER}")
    assert found.ticket.reply_to == f"/commands/T1DC2JH3J/397700885554/{CANARY}"
    assert (found.trigger_id, found.at) == (TRIGGER, None)


def test_a_button() -> None:
    """A button is the same, and says when it was clicked; without a channel it was clicked at its user's."""
    found = click(button(actions=[pressed(LINE, "another"), pressed(LINE, action_ts="1795165199.250999")]))
    assert (found.asked.requester, found.ticket.reference) == (USER, f"{CHANNEL}/{TRIGGER}")
    assert found.ticket.reply_to == f"/actions/T1DC2JH3J/397700885555/{CANARY}"
    assert found.at == NOW - 750
    assert click(button(channel=None)).ticket.reference == f"{USER}/{TRIGGER}"
    assert click(button(actions=[pressed(LINE, action_ts="")])).at is None


def test_a_button_of_an_app() -> None:
    """An app may write our fields into its button; who clicked and when is Slack's to say all the same."""
    value = {"conversation_id": CONVERSATION, "caller_phone": PHONE, "number": "INC7", "reason": "loud"}
    forged = {"requested_by": "boss", "requestedBy": "boss", "actor": "boss", "timestamp": "2020-01-01T00:00:00Z"}
    found = click(button(json.dumps(value | forged)))
    assert dict(found.asked.fields.values) == {"action": "disconnect", **value, "requested_by": USER}
    assert found.ticket.label == "INC7"


@pytest.mark.parametrize(
    "body, words",
    [
        (b'{"type":"event_callback","event":{"type":"app_mention"},"event_id":"Ev1"}', "events"),
        (button(type="view_submission"), "view_submission"),
        (button(type=None), "interactions"),
        (button(actions=None), "another button"),
        (button(actions=["x", pressed(LINE, "other")]), "another button"),
        (b"token=x&ssl_check=1", "certificate"),
        (b'{"type":"ping"}', "ping"),
    ],
)
def test_what_is_not_for_us(body: bytes, words: str) -> None:
    """Events, other interactions, other buttons and looks at our certificate ask nothing."""
    found = sent_in(body, "remove_caller")
    assert isinstance(found, m.Ignored)
    assert words in found.reason
    assert found.answer is None


def test_the_handshake() -> None:
    """Slack's challenge is given back, and nothing else of what it came with."""
    found = sent_in(b'{"token":"t","challenge":"3eZbrw1aB","type":"url_verification"}', "remove_caller")
    assert isinstance(found, m.Ignored)
    assert found.answer == {"challenge": "3eZbrw1aB"}
    with pytest.raises(Unreadable, match="challenge"):
        sent_in(b'{"type":"url_verification"}', "remove_caller")


def test_our_own_form() -> None:
    """An app that forwards a click may send our own form."""
    found = sent_in(b" " + own(), "remove_caller")
    assert isinstance(found, Asked)
    assert found.requester == "beth.anglin"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[1]", b"a=1", b"command=%2Fx&command=%2Fx", b"command=%FF", b"\xff=1", b"payload=x", b"payload=[]",
        b"payload=" + quote('{"type":"block_actions","type":"x"}').encode(), b"&".join([b"a=1"] * 51),
    ],
)  # fmt: skip
def test_what_slack_does_not_send(body: bytes) -> None:
    """No form, no UTF-8, a field twice, a payload that is no JSON object: refused in words."""
    with pytest.raises(Malformed):
        sent_in(body, "remove_caller")


@pytest.mark.parametrize(
    "body, words",
    [
        (command(LINE, trigger_id=None), "trigger_id"),
        (command(LINE, user_id=""), "user's id"),
        (button(user=None), "user's id"),
        (button(trigger_id=7), "in quotes"),
        (command(f"{LINE} preview{' ' * 3000}"), "at most 3000"),
        (command(f"{LINE}\u202e"), "invisible"),
        (button(actions=[pressed(LINE), pressed(LINE)]), "two buttons"),
        (button(actions=[pressed(LINE, action_ts="yesterday")]), "yesterday"),
        (button(actions=[pressed({"a": 1})]), "in quotes"),
        (button(user="U1"), "an object"),
    ],
)
def test_what_cannot_be_read(body: bytes, words: str) -> None:
    """A click without its id or its user, or that is not one click, is refused; a long line is never cut."""
    with pytest.raises(Unreadable, match=words):
        sent_in(body, "remove_caller")


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        f"http://hooks.slack.com/commands/T1DC2JH3J/397700885554/{CANARY}",
        f"https://hooks.slack.com.evil.example/commands/T1DC2JH3J/397700885554/{CANARY}",
        f"https://hooks.slack.com@evil.example/commands/T1DC2JH3J/397700885554/{CANARY}",
        f"https://hooks.slack.com:444/commands/T1DC2JH3J/397700885554/{CANARY}",
        f"https://HOOKS.slack.com/commands/T1DC2JH3J/397700885554/{CANARY}",
        f"https://evil.example/https://hooks.slack.com/commands/T1DC2JH3J/397700885554/{CANARY}",
        f"https://hooks.slack.com/services/T1DC2JH3J/B97700885554/{CANARY}",
        f"https://hooks.slack.com/commands/T1DC2JH3J/397700885554/{CANARY}/..",
        f"https://hooks.slack.com/commands/../T1DC2JH3J/397700885554/{CANARY}",
        f"https://hooks.slack.com/commands/T1DC2JH3J/397700885554/{CANARY}?a=1",
        f"https://hooks.slack.com/commands/T1DC2JH3J/397700885554/{CANARY}\n",
        "https://hooks.slack.com/commands/T1DC2JH3J/397700885554/%2e%2e",
        "https://hooks.slack.com",
        "x" * 5000,
        7,
    ],
)
def test_addresses_that_are_not_slacks(url: object) -> None:
    """An address that is not exactly as Slack documents it is not kept, and the removal is taken all the same."""
    for body in (button(response_url=url), command(LINE, response_url=None if url is None else str(url))):
        found = click(body)
        assert found.ticket.reply_to == ""
        assert found.asked.fields.values["caller_phone"] == PHONE


def test_a_plus_is_a_space() -> None:
    """What a form decodes is what counts: an unescaped plus sign is a space, so that is no number any more."""
    body = urlencode({"command": "/x", "user_id": USER, "trigger_id": TRIGGER}).encode() + f"&text={LINE}".encode()
    assert click(body.replace(b" ", b"%20")).asked.fields.values["purpose"] == PHONE[1:]
