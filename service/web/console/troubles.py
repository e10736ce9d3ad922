"""What a page says when the answer is no: what is the matter, and what the reader does about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.core.errors import OnhookError, Refused, StoreDown, UnknownVersion


@dataclass(frozen=True, slots=True)
class Trouble:
    """One way to say no.

    Attributes:
        title: what it is.
        sentence: what is the matter this time.
        advice: what to do.
    """

    status: int
    title: str
    sentence: str
    advice: str
    headers: Mapping[str, str] = field(default_factory=dict)


class TurnedAway(OnhookError):
    """A request to the console that gets no for an answer, and no more than that."""

    def __init__(self, trouble: Trouble) -> None:
        """Keep what the reader is told."""
        super().__init__(trouble.sentence)
        self.trouble = trouble


NOT_FOUND = Trouble(
    404, "Not found", "There is nothing at this address.", "It may have aged out. Go on from one of the pages above."
)
STORE_AWAY = Trouble(
    503,
    "Redis is away",
    "Redis does not answer, so nothing can be shown and nothing was changed.",
    "What was accepted is kept: workers go on as soon as it is back. Look at it (onhook check, /readyz), then reload"
    " this page.",
    {"Retry-After": "5"},
)
# of an act: whether it was done is in the answer that did not come
STORE_LOST = Trouble(
    503,
    "Redis did not answer",
    "Redis did not say whether it was done: it may have been, and it may not.",
    "Do not repeat it blindly: when Redis is back (onhook check, /readyz), look at what you acted on, or at the audit.",
    {"Retry-After": "5"},
)
NEWER = Trouble(
    503,
    "Of a newer version",
    "A newer version of this service wrote this. This process is of an older one, which can neither show nor change it:"
    " nothing was done.",
    "The newer version sees to it. Look in its own console, and while both run leave one of its workers going until"
    " onhook_newer_records is 0 (deploy/upgrade.md).",
    {"Retry-After": "5"},
)
BUSY = Trouble(
    503,
    "Too much at once",
    "Too many pages were asked for at the same time, so this one was not made, and nothing was done.",
    "Try again in a moment. If it stays so, a program reads the console: the commands of onhook are for that.",
    {"Retry-After": "5"},
)
UNEXPECTED = Trouble(
    500,
    "A fault of this service",
    "Something went wrong here.",
    "The log has it, under fault.raised. Reload the page; an act may have been done, so look before you repeat it.",
)
ENDED = Trouble(
    401, "You are not logged in", "Your session is over, or your token was taken away.", "Log in and do it once more."
)
FOREIGN_HOST = Trouble(
    403,
    "Unknown host name",
    "The console is not known by this name, so this may be a stranger's page that leads here.",
    "If the name is yours, add it to console.hosts in the settings and start the service again. Else use localhost, or"
    " the address that doors.private says.",
)
FOREIGN_PAGE = Trouble(
    403,
    "Not sent by a page of the console",
    "The form came from another page, or from a program, so nothing was done.",
    "Reload the console and do it there. If a proxy stands before it under another name, add that name to"
    " console.hosts. A program uses the commands of onhook.",
)
OLD_FORM = Trouble(
    403,
    "This form is not of your session",
    "The form was made for another login, so nothing was done.",
    "Go back, reload the page and do it again.",
)
FOR_OPERATORS = Trouble(
    403,
    "For operators",
    "You are here as a viewer: you may look at everything and change nothing. Nothing was done.",
    "Ask an operator, or have your role changed in the settings (console.tokens, or console.proxy).",
)
NOT_THE_PROXY = Trouble(
    403,
    "Not from the proxy",
    "Somebody says here who you are, and it is not the proxy that may.",
    "Come through the proxy. If this is it, its address is to stand in console.proxy.addresses, and it has to send its"
    " secret.",
)
UNKNOWN_PERSON = Trouble(
    403,
    "Not admitted",
    "The proxy says who you are, and the console has no role for you.",
    "Have your name added to console.proxy.operators or console.proxy.viewers.",
)


def too_many(seconds: int) -> Trouble:
    """Return the answer to one more wrong token, when there were enough of them."""
    return Trouble(
        429,
        "Too many wrong tokens",
        "There were too many wrong tokens within a minute, so wrong ones are not looked at now.",
        f"Try again in {seconds} s. A right one is taken also now.",
        {"Retry-After": str(seconds)},
    )


def wrong_method(allowed: str) -> Trouble:
    """Return the answer to a method that the address does not take."""
    sentence = f"This address takes {allowed}."
    return Trouble(405, "Wrong method", sentence, "Go on from one of the pages above.", {"Allow": allowed})


def trouble_of(fault: Exception) -> Trouble:
    """Return what the reader is told about `fault`; of what nobody expected, nothing of its own."""
    match fault:
        case TurnedAway():
            return fault.trouble
        case Refused():
            return Trouble(fault.status, "Not done", fault.sentence, "Go back and change it; nothing was done.")
        case UnknownVersion():
            return NEWER
        case StoreDown():
            return STORE_AWAY
        case _:
            return UNEXPECTED
