"""What can be made to go wrong: lag, lost commands, budgets and single answers, for all or for one conversation."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from service.sandbox.exchange import JSON, Answer, Route
from service.sandbox.fields import Fields, Unusable

OF_CONVERSATIONS: Final = (
    "look", "disconnect", "disconnect_generic", "disconnect_medium", "disconnect_user", "disconnect_leg",
)  # fmt: skip
KINDS: Final = ("token", *OF_CONVERSATIONS, "note", "journal", "hook")
COMMANDS: Final = (*OF_CONVERSATIONS[1:], "note", "hook")  # the kinds that are meant to change something
_RULE: Final = (
    "on", "status", "code", "message", "body", "content_type", "headers", "times", "effect", "delay_seconds", "cut",
)  # fmt: skip
_FRAMING: Final = ("content-length", "transfer-encoding", "connection")  # these belong to the server under us
_BODILESS: Final = (204, 304)
_HOUR: Final = 3600
_LONGEST_TOKEN: Final = 172_800  # 48 hours, the vendor's own limit
_BODY_LIMIT: Final = 100_000


@dataclass(slots=True)
class Rule:
    """One answer made to order: `times` counts down as it is used, None is for ever."""

    on: str
    status: int | None
    code: str | None
    message: str | None
    body: str | None
    content_type: str | None
    headers: Mapping[str, str]
    times: int | None
    effect: bool
    delay_seconds: float
    cut: str | None

    @property
    def is_obeyed(self) -> bool:
        """Say whether the call does its work although, or because, this rule answers it."""
        return self.effect or self.cut == "after" or (self.status is None and self.cut is None)

    def fits(self, kind: str) -> bool:
        """Say whether the rule is for this kind of call; `disconnect` is for every way of disconnecting."""
        return self.on == kind or kind.startswith(f"{self.on}_")

    def answer(self, route: Route) -> Answer | None:
        """Return what this rule says, None when it leaves the saying to the call itself."""
        if self.status is None:
            return None
        made = route.fail(self.status, self.code, self.message)
        body, usual = made.body, made.content_type
        if self.body is not None:
            body, usual = self.body.encode("utf-8", "replace"), JSON
        headers = {**made.headers, **self.headers}
        if self.status in _BODILESS:
            return Answer(self.status, headers=headers)
        return Answer(self.status, body, self.content_type or usual, headers)


def read_rule(given: object, kinds: Iterable[str]) -> Rule:
    """Return the rule a person wrote, or raise Unusable with what is wrong about it."""
    fields = Fields(given, "a rule", _RULE)
    on = fields.text("on", tuple(kinds))
    if on is None:
        raise Unusable(f"a rule must say what it is on: one of {', '.join(kinds)}.")
    rule = Rule(
        on=on,
        status=fields.whole("status", 200, 599),
        code=fields.text("code"),
        message=fields.text("message"),
        body=fields.text("body", longest=_BODY_LIMIT),
        content_type=fields.matching("content_type", r"[\x20-\x7e]+", "plain ASCII"),
        headers=fields.texts("headers") or {},
        times=fields.whole("times", 1, 1_000_000) if "times" in fields else 1,
        effect=bool(fields.flag("effect")),
        delay_seconds=fields.number("delay_seconds", 0, _HOUR) or 0.0,
        cut=fields.text("cut", ("before", "after")),
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
    return rule


def _read_rules(given: Iterable[object], kinds: Iterable[str]) -> list[Rule]:
    return [read_rule(rule, kinds) for rule in given]


@dataclass(slots=True)
class LocalSwitches:
    """The switches of one conversation; None means: as the global switch says."""

    lag_seconds: float | None = None
    lost: bool | None = None
    answers: list[Rule] = field(default_factory=list)

    def change(self, given: object) -> None:
        """Change what is given and nothing else; raise Unusable and change nothing when any of it is wrong."""
        fields = Fields(given, "the switches of a conversation", ("lag_seconds", "lost", "answers"))
        lag, lost = fields.number("lag_seconds", 0, _HOUR), fields.flag("lost")
        answers = _read_rules(fields.items("answers") or [], OF_CONVERSATIONS)
        self.lag_seconds = lag if "lag_seconds" in fields else self.lag_seconds
        self.lost = lost if "lost" in fields else self.lost
        self.answers = answers if "answers" in fields else self.answers


@dataclass(slots=True)
class Switches:
    """The global switches, as the world is when nobody touched them."""

    lag_seconds: float = 0.25  # field reports: a look right after may still say connected, some hundred ms
    lost: bool = False
    rate_limit: int = 300  # the vendor's: requests a minute and token
    token_seconds: int = 86_400  # the vendor's default: a day
    answers: list[Rule] = field(default_factory=list)

    def change(self, given: object) -> None:
        """Change what is given and nothing else; raise Unusable and change nothing when any of it is wrong."""
        known = ("lag_seconds", "lost", "rate_limit", "token_seconds", "answers")
        fields = Fields(given, "the switches", known)
        lag, lost = fields.number("lag_seconds", 0, _HOUR), fields.flag("lost")
        limit, life = fields.whole("rate_limit", 1, 1_000_000), fields.whole("token_seconds", 0, _LONGEST_TOKEN)
        answers = _read_rules(fields.items("answers") or [], KINDS)
        self.lag_seconds = self.lag_seconds if lag is None else lag
        self.lost = self.lost if lost is None else lost
        self.rate_limit = self.rate_limit if limit is None else limit
        self.token_seconds = self.token_seconds if life is None else life
        self.answers = answers if "answers" in fields else self.answers

    def reset(self) -> None:
        """Put every switch back to where it was at the start."""
        fresh = Switches()
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))


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
