"""What Slack sends: the words of a slash command, a click on a button, and what only asks whether we are there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from service.core import model as m
from service.core.errors import Malformed, Unreadable
from service.sources.asking import ACTION, Asked, asked_in
from service.sources.reading import EXAMPLE_ID, EXAMPLE_PHONE, Fields, json_object, shown

BUTTON_FORM: Final = b"payload="  # how an interaction's body begins: it is a form of this field alone
# What Slack documents for commands and for interactions. The rest of what may stand there is not ours to call:
# `/services/` are other people's webhooks.
REPLY_PATH: Final = re.compile(r"/(?:commands|actions)/[ET][A-Z0-9]{2,20}/[0-9]{1,20}/[A-Za-z0-9]{1,64}", re.ASCII)
REPLY_HOST: Final = "https://hooks.slack.com"
USAGE: Final = (
    f"write the id of the conversation and who is to leave it: {EXAMPLE_ID} {EXAMPLE_PHONE}, or customer, user_id=… or "
    "participant_id=… in the place of the number; preview behind it only says who would go"
)

_MOST_FIELDS: Final = 50  # a command has 14
_ID_CHARS: Final = 40  # U2CERLKJA
_TRIGGER_CHARS: Final = 200  # 398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c
_CHALLENGE_CHARS: Final = 500
_VALUE_CHARS: Final = 2000  # the longest that Slack lets a button have
_TEXT_CHARS: Final = 3000  # no line that means one person is longer
_LABEL_CHARS: Final = 80
_TYPE_CHARS: Final = 64
_ACTIONS: Final = 25  # in one block
_MOMENT: Final = re.compile(r"([1-9][0-9]{9})\.([0-9]{3})[0-9]{0,3}", re.ASCII)
_DIALLED: Final = re.compile(r"<tel:([^<>|]*)(?:\|[^<>]*)?>")  # how Slack writes what it took for a number
_MORE_DIGITS: Final = re.compile(r"[0-9().-]+", re.ASCII)
_NAMES: Final = frozenset(
    {
        *("conversation_id", "communication_id", "participant_id", "external_contact_id", "user_id"),
        *("caller_phone", "purpose", "medium", "ticket"),
    }
)
# who asks, and when, is Slack's to say and not the text's
_NOT_THEIRS: Final = frozenset({"requested_by", "requestedBy", "actor", "timestamp"})


@dataclass(frozen=True, slots=True)
class Click:
    """A removal as somebody asked for it in Slack.

    Attributes:
        asked: who is to leave which conversation, and who says so: the id of a user.
        ticket: the click itself: where it was made, and where it is answered.
        trigger_id: Slack's id of the click; it is the same whenever the click is sent.
        at: when it was made, in milliseconds; None where Slack does not say.
    """

    asked: Asked
    ticket: m.Ticket
    trigger_id: str
    at: int | None


def sent_in(body: bytes, button: str) -> Click | Asked | m.Ignored:
    """Return what `body` asks: a click in Slack, our own form, or nothing.

    Args:
        body: the form of a command or an interaction, or JSON.
        button: the `action_id` of the buttons that remove somebody.

    Raises:
        Malformed: it is nothing that Slack sends.
        Unreadable: it does not say what to do.
    """
    if body.lstrip().startswith(b"{"):
        return _json(body)
    form = _form(body)
    if form.has("payload"):
        return _pressed(json_object(str(form.values["payload"]).encode()), button)
    if form.has("ssl_check"):
        return m.Ignored("a look at our certificate")
    if not form.has("command"):
        raise Malformed("the body is neither JSON nor a form of Slack's, with a command or a payload in it")
    # refused where it is too long, never cut: `preview` may stand at its end
    said = _words(form.word("text", _TEXT_CHARS))
    return _click(form, said, form.word("user_id", _ID_CHARS), form.word("channel_id", _ID_CHARS))


def _json(body: bytes) -> Asked | m.Ignored:
    fields = json_object(body)
    match fields.values.get("type"):
        case "url_verification":
            if not fields.has("challenge"):
                raise Unreadable("challenge is missing")
            return m.Ignored("a greeting", {"challenge": fields.word("challenge", _CHALLENGE_CHARS)})
        case "event_callback":
            return m.Ignored("events are not for this service; its slash command and its button are")
        case _:
            return asked_in(body)


def _form(body: bytes) -> Fields:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise Malformed("the body is no form in UTF-8") from None
    if len({name for name, _ in pairs}) < len(pairs):
        raise Malformed("the form has a field twice")
    return Fields(dict(pairs))


def _pressed(payload: Fields, button: str) -> Click | m.Ignored:
    kind = payload.word("type", _TYPE_CHARS)
    if kind != "block_actions":
        return m.Ignored(f"interactions of type {shown(kind)} are not for this service; a click on its button is")
    listed = payload.values.get("actions")
    actions = [Fields(one) for one in listed[:_ACTIONS] if isinstance(one, dict)] if isinstance(listed, list) else []
    ours = [action for action in actions if action.values.get("action_id") == button]
    if not ours:
        return m.Ignored(f"another button; {shown(button)} is the one that removes somebody")
    if len(ours) > 1:
        raise Unreadable("two buttons were clicked at once; nobody can tell which is meant")
    (action,) = ours
    user = payload.inside("user").word("id", _ID_CHARS) if payload.has("user") else ""
    channel = payload.inside("channel").word("id", _ID_CHARS) if payload.has("channel") else ""
    value = action.word("value", _VALUE_CHARS).strip()
    asked = json_object(value.encode()).values if value.startswith("{") else _words(value)
    return _click(payload, asked, user, channel, action.word("action_ts", _ID_CHARS))


def _click(sent: Fields, said: Mapping[str, object], user: str, channel: str, moment: str = "") -> Click:
    trigger = sent.word("trigger_id", _TRIGGER_CHARS)
    if not (trigger and user):
        raise Unreadable("trigger_id or the user's id is missing; Slack sends both with each click")
    kept = {name: value for name, value in said.items() if name not in _NOT_THEIRS}
    fields = Fields({"action": ACTION, **kept, "requested_by": user})
    label = fields.word("number", _LABEL_CHARS) or fields.word("ticket", _LABEL_CHARS)
    ticket = m.Ticket(f"{channel or user}/{trigger}", label, _reply_to(sent.values.get("response_url")))
    return Click(Asked(fields, fields), ticket, trigger, _moment(moment))


def _reply_to(url: object) -> str:
    """Return the path of an address to answer at, or "" for one that is not as Slack documents them.

    The removal is no less wanted for that; it is only told in another way, or not.
    """
    host, path = (url[: len(REPLY_HOST)], url[len(REPLY_HOST) :]) if isinstance(url, str) else ("", "")
    return path if host == REPLY_HOST and REPLY_PATH.fullmatch(path) else ""


def _moment(text: str) -> int | None:
    if not text:
        return None
    found = _MOMENT.fullmatch(text)
    if not found:
        raise Unreadable(f"action_ts is no time of Slack's: {shown(text)}")
    return int(found[1]) * 1000 + int(found[2])


def _words(text: str) -> Mapping[str, object]:
    """Return what a line of words says, under the names of our own forms."""
    said: dict[str, object] = {}
    for word in _tokens(text):
        name, value = _meant(word, said)
        if name in said:
            raise Unreadable(f"{name} is said twice; {USAGE}")
        said[name] = value
    if not said or said.get("conversation_id") == "help":
        raise Unreadable(USAGE)
    return said


def _tokens(text: str) -> list[str]:
    """Return the words, the groups of digits of one number as one word."""
    tokens: list[str] = []
    for word in _DIALLED.sub(r"\1", text).split():
        is_more = bool(tokens) and _MORE_DIGITS.fullmatch(word) and tokens[-1].startswith(("+", "tel:"))
        tokens[len(tokens) - bool(is_more) :] = [tokens[-1] + word if is_more else word]
    return tokens


def _meant(word: str, said: Mapping[str, object]) -> tuple[str, object]:
    name, equals, value = word.partition("=")
    if equals:
        return (name, value) if name in _NAMES else ("attribute", word)
    if "conversation_id" not in said:
        return "conversation_id", word
    if m.uuid_in(word):
        return "participant_id", word
    if word.startswith(("+", "tel:", "sip:")):
        return "caller_phone", word
    return ("preview", True) if word == "preview" else ("purpose", word)
