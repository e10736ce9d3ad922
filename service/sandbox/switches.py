"""What can be made to go wrong: lag, lost commands, budgets and single answers, for all or for one conversation."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from service.sandbox.errors import CODES, html_page
from service.sandbox.exchange import JSON, Answer, Route
from service.sandbox.fields import Fields, Unusable

MEDIUM_PATHS: Final = ("calls", "callbacks", "emails", "messages", "cobrowsesessions")  # the media with a PATCH
# what a rule can be on; "look" is both looks, "disconnect_medium" that of every medium, and so on
OF_CONVERSATIONS: Final = (
    "look", "look_generic", "look_medium", *(f"look_medium_{path}" for path in MEDIUM_PATHS),
    "disconnect", "disconnect_generic", "disconnect_user",
    "disconnect_medium", *(f"disconnect_medium_{path}" for path in MEDIUM_PATHS),
    "disconnect_leg", *(f"disconnect_leg_{path}" for path in MEDIUM_PATHS),
)  # fmt: skip
KINDS: Final = ("token", *OF_CONVERSATIONS, "note", "journal", "desk_token", "hook")
_RULE: Final = (
    "on", "status", "code", "message", "shape", "body", "content_type", "headers", "times", "effect", "delay_seconds",
    "cut", "then",
)  # fmt: skip
_CONDUCT: Final = ("lag_seconds", "effect_seconds", "lost", "alone_stays", "on_gone")
SESSION_INACTIVE: Final = "error.ininedgecontrol.session.inactive"
# what a command on somebody who is gone is answered; in the field it is any of these
ON_GONE: Final = (
    "accepted", "conversation.error.call.disconnected", "conversation.error.participant.no.active.conversations",
    "conversation.error.cannot.disconnect.call", "not.authorized", "not.found", "general.conflict", SESSION_INACTIVE,
)  # fmt: skip
WORLDS: Final = ("vendor", "reported")
CORRELATION_HEADERS: Final = ("ININ-Correlation-Id", "Genesys-Correlation-Id")  # the second is the newer name
_FRAMING: Final = ("content-length", "transfer-encoding", "connection")  # these belong to the server under us
_BODILESS: Final = (204, 304)
_HOUR: Final = 3600
_SHORTEST_WINDOW: Final = 0.1  # a budget's window in a test that cannot wait a minute
_LONGEST_TOKEN: Final = 172_800  # 48 hours, the vendor's own limit
_BODY_LIMIT: Final = 100_000


@dataclass(slots=True)
class Rule:
    """One answer made to order: `times` counts down as it is used, None is for ever."""

    on: str
    status: int | None
    code: str | None
    message: str | None
    shape: str | None  # "html" as from a gateway, or "empty"; else the API's own JSON
    body: str | None
    content_type: str | None
    headers: Mapping[str, str]
    times: int | None
    effect: bool
    delay_seconds: float
    cut: str | None
    then: Mapping[str, object] | None  # an event that happens right after the call

    @property
    def is_obeyed(self) -> bool:
        """Say whether the call does its work although, or because, this rule answers it."""
        return self.effect or self.cut == "after" or (self.status is None and self.cut is None)

    def fits(self, kind: str) -> bool:
        """Say whether the rule is for this kind of call; `disconnect` is for every way of disconnecting."""
        return self.on == kind or kind.startswith(f"{self.on}_")

    def answer(self, route: Route, done: Answer | None) -> Answer | None:
        """Return what this rule says about a call that was `done`, or not; None when it cuts the connection."""
        if self.cut:
            return None
        if self.status is None:
            return done and replace(done, headers={**done.headers, **self.headers})
        made = route.fail(self.status, self.code, self.message)
        body, usual = made.body, made.content_type
        if self.shape is not None:
            body, usual = (html_page(self.status), "text/html") if self.shape == "html" else (b"", None)
        if self.body is not None:
            body, usual = self.body.encode("utf-8", "replace"), JSON
        headers = {**made.headers, **self.headers}
        if self.status in _BODILESS:
            return Answer(self.status, headers=headers)
        return Answer(self.status, body, self.content_type or usual, headers)


def is_command(kind: str | None) -> bool:
    """Say whether this kind of call is meant to change something."""
    return kind is not None and kind.startswith(("disconnect", "note", "hook"))


def read_rule(given: object, kinds: Iterable[str]) -> Rule:
    """Return the rule a person wrote, or raise Unusable with what is wrong about it.

    A status can be left out where the vendor's code says it.
    """
    fields = Fields(given, "a rule", _RULE)
    on = fields.text("on", tuple(kinds))
    if on is None:
        raise Unusable(f"a rule must say what it is on: one of {', '.join(kinds)}.")
    rule = Rule(
        on=on,
        status=fields.whole("status", 200, 599) or _status_of(fields.text("code")),
        code=fields.text("code"),
        message=fields.text("message"),
        shape=fields.text("shape", ("html", "empty")),
        body=fields.text("body", longest=_BODY_LIMIT),
        content_type=fields.matching("content_type", r"[\x20-\x7e]+", "plain ASCII"),
        headers=fields.texts("headers") or {},
        times=fields.whole("times", 1, 1_000_000) if "times" in fields else 1,
        effect=bool(fields.flag("effect")),
        delay_seconds=fields.number("delay_seconds", 0, _HOUR) or 0.0,
        cut=fields.text("cut", ("before", "after")),
        then=fields.mapping("then"),
    )
    for name, value in rule.headers.items():
        if (
            name.lower() in _FRAMING
            or not re.fullmatch(r"[A-Za-z0-9-]+", name)
            or not re.fullmatch(r"[\x20-\x7e]*", value)
        ):
            raise Unusable(f"a rule cannot send the header {name!r} with this value.")
    if rule.cut and rule.status is not None:
        raise Unusable("a rule either cuts the connection or answers with a status, not both.")
    if rule.status is None and (rule.message, rule.shape, rule.body, rule.content_type) != (None,) * 4:
        raise Unusable("a rule that says something needs a status or one of the vendor's codes.")
    if rule.then is not None and "token" in kinds:
        raise Unusable("only a rule of one conversation can say what happens then.")
    return rule


def _status_of(code: str | None) -> int | None:
    if code is not None and code not in CODES:
        raise Unusable("a rule with a code that is not the vendor's needs a status.")
    return None if code is None else CODES[code][0]


def _read_rules(given: Iterable[object], kinds: Iterable[str]) -> list[Rule]:
    return [read_rule(rule, kinds) for rule in given]


@dataclass(frozen=True, slots=True)
class Conduct:
    """How commands on one conversation go."""

    lag_seconds: float
    effect_seconds: float
    lost: bool
    alone_stays: bool
    on_gone: str


@dataclass(slots=True)
class LocalSwitches:
    """The switches of one conversation; None means: as the global switch says."""

    lag_seconds: float | None = None
    effect_seconds: float | None = None
    lost: bool | None = None
    alone_stays: bool | None = None
    on_gone: str | None = None
    answers: list[Rule] = field(default_factory=list)

    def change(self, given: object) -> None:
        """Change what is given and nothing else; raise Unusable and change nothing when any of it is wrong."""
        fields = Fields(given, "the switches of a conversation", (*_CONDUCT, "answers"))
        changes = _read_conduct(fields)
        answers = _read_rules(fields.items("answers") or [], OF_CONVERSATIONS)
        for name in _CONDUCT:
            if name in fields:  # null too: as the global switch says
                setattr(self, name, changes[name])
        self.answers = answers if "answers" in fields else self.answers


@dataclass(slots=True)
class Switches:
    """The global switches, as the world is when nobody touched them."""

    world: str = "vendor"
    lag_seconds: float = 0.25  # field reports: a look right after may still say connected, some hundred ms
    effect_seconds: float = 0.0
    lost: bool = False
    alone_stays: bool = False
    on_gone: str = "accepted"
    rate_limit: int = 300  # the vendor's: requests a minute and token
    rate_window_seconds: float = 60
    token_seconds: int = 86_400  # the vendor's default: a day
    correlation_header: str = CORRELATION_HEADERS[0]
    answers: list[Rule] = field(default_factory=list)

    def change(self, given: object) -> None:
        """Change what is given and nothing else; raise Unusable and change nothing when any of it is wrong."""
        fields = Fields(given, "the switches", self.__slots__)
        changes = _read_conduct(fields) | {
            "world": fields.text("world", WORLDS),
            "rate_limit": fields.whole("rate_limit", 1, 1_000_000),
            "rate_window_seconds": fields.number("rate_window_seconds", _SHORTEST_WINDOW, _HOUR),
            "token_seconds": fields.whole("token_seconds", 0, _LONGEST_TOKEN),
            "correlation_header": fields.text("correlation_header", CORRELATION_HEADERS),
        }
        answers = _read_rules(fields.items("answers") or [], KINDS)
        for name, value in changes.items():
            if value is not None:
                setattr(self, name, value)
        self.answers = answers if "answers" in fields else self.answers

    def conduct(self, own: LocalSwitches) -> Conduct:
        """Return how commands go where these are the conversation's own switches."""
        chosen = {name: getattr(self if getattr(own, name) is None else own, name) for name in _CONDUCT}
        return Conduct(**chosen)

    def reset(self, world: str) -> None:
        """Put every switch back to where it was at the start."""
        fresh = Switches(world)
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))


def _read_conduct(fields: Fields) -> dict[str, object]:
    return {
        "lag_seconds": fields.number("lag_seconds", 0, _HOUR),
        "effect_seconds": fields.number("effect_seconds", 0, _HOUR),
        "lost": fields.flag("lost"),
        "alone_stays": fields.flag("alone_stays"),
        "on_gone": fields.text("on_gone", ON_GONE),
    }


def take_rule(kind: str, *places: list[Rule]) -> Rule | None:
    """Return the first rule that fits, used up by one; the places are searched in the order given."""
    for rules in places:
        for rule in rules:
            if not rule.fits(kind):
                continue
            if rule.times is not None:
                rule.times -= 1
                if rule.times == 0:
                    rules.remove(rule)
            return rule
    return None
