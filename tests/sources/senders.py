"""What the tests of sources share: senders that sign by themselves, a clock moved by hand, a settled action."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.core import model as m
from service.core.ports import Source
from service.outbound import Caller, Outgoing, Rule
from service.sources import KINDS, Outside

NOW = 1_795_165_200_000  # 2026-11-20T09:00:00Z
SECRET = "whsec_c2VydmljZW5vdy1zaGFyZWQtc2VjcmV0LTI0Yis="
OTHER_SECRET = "whsec_bmV3LXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm"
CONVERSATION = "0f9a1d4e-6a0e-4c2c-8d43-8b7f6c1f2a10"
PARTICIPANT = "3a4b5c6d-1234-5678-9012-34567890abcd"
PHONE = "+14155550123"
SYS_ID = "9d385017c611228701d22104cc95c371"
ACTION_ID = "acme.01jd2k9w3m4n5p6q7r8s9t0v1w"
TICKET = m.Ticket(f"incident/{SYS_ID}", "INC0010112")
NOTE = f"Remove Caller: The caller was removed. [disconnected, {ACTION_ID}]"
VERIFIED = m.Verified("msg_1", NOW, "01234567")

OWN: dict[str, object] = {
    "instance": "acme.service-now.com",
    "table": "incident",
    "sys_id": SYS_ID,
    "number": "INC0010112",
    "sys_mod_count": "14",
    "conversation_id": CONVERSATION,
    "caller_phone": PHONE,
    "participant_id": "",
    "requested_by": "beth.anglin",
    "reason": "abusive caller",
}
FLAT: dict[str, object] = {
    "conversationId": CONVERSATION,
    "participantId": PARTICIPANT,
    "action": "disconnect",
    "timestamp": "2026-11-20T09:00:00Z",
}
OPTIONS: dict[str, dict[str, object]] = {
    "servicenow": {
        "kind": "servicenow",
        "org": "acme",
        "secrets": [SECRET],
        "instance_url": "http://127.0.0.1:8090",
        "username": "onhook.integration",
        "password": "play-password",
    },
    "standard": {
        "kind": "standard",
        "org": "acme",
        "secrets": [SECRET],
        "outcome_url": "http://127.0.0.1:8090/sandbox/desk/hooks/outcomes",
    },
}


def own(**changes: object) -> bytes:
    """Return a body of the own form with some fields of its data changed; None takes a field out."""
    data = {name: value for name, value in (OWN | changes).items() if value is not None}
    return json.dumps({"type": "caller.remove", "timestamp": "2026-11-20T09:00:00Z", "data": data}).encode()


def flat(**changes: object) -> bytes:
    """Return a body of the flat form with some fields changed; None takes a field out."""
    return json.dumps({name: value for name, value in (FLAT | changes).items() if value is not None}).encode()


def key_of(secret: str) -> bytes:
    """Return a secret's bytes."""
    return base64.b64decode(secret.removeprefix("whsec_"))


def signature(secret: str, webhook_id: bytes, stamp: bytes, body: bytes) -> bytes:
    """Sign as the specification says."""
    mac = hmac.new(key_of(secret), webhook_id + b"." + stamp + b"." + body, hashlib.sha256)
    return b"v1," + base64.b64encode(mac.digest())


def delivery(
    body: bytes, *, secret: str = SECRET, webhook_id: bytes = b"msg_1", stamp: bytes = b"1795165200", at: int = NOW
) -> m.Delivery:
    """Return a delivery signed by Standard Webhooks."""
    headers = (
        (b"content-type", b"application/json"),
        (b"webhook-id", webhook_id),
        (b"webhook-timestamp", stamp),
        (b"webhook-signature", signature(secret, webhook_id, stamp, body)),
    )
    return m.Delivery("desk", headers, body, at)


def with_header(signed: m.Delivery, name: bytes, *values: bytes) -> m.Delivery:
    """Return a delivery in which a header stands with these values, in its place; none takes it out."""
    headers: list[tuple[bytes, bytes]] = []
    for key, value in signed.headers:
        headers += [(key, other) for other in values] if key == name else [(key, value)]
    return replace(signed, headers=tuple(headers))


class HandClock:
    """A clock that stands still until a test moves it: a `core.ports.Clock`."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.at / 1000

    async def sleep(self, seconds: float) -> None:
        self.at += int(seconds * 1000)


class Outdoors:
    """The way out of a source under test: to an ASGI app instead of the network."""

    def __init__(self, app: Starlette | None = None) -> None:
        self.clock = HandClock()
        self.rules: list[Rule] = []
        self._app = app or Starlette()

    @property
    def outside(self) -> Outside:
        """What a source is built with."""
        return Outside(self._open, self.clock)

    def caller(self, rules: Sequence[Rule], transport: Callable[[], httpx.AsyncBaseTransport] | None = None) -> Caller:
        """Open a way out, to the app if to nothing else."""
        to_app = transport or (lambda: httpx.ASGITransport(app=self._app))
        return Caller(rules, self.clock, Outgoing(), transport=to_app)

    def _open(self, rules: Sequence[Rule]) -> Caller:
        self.rules += rules
        return self.caller(rules)


def built(kind: str, outdoors: Outdoors | None = None, /, **changes: object) -> Source:
    """Return a source of this kind, with some options changed."""
    options = KINDS[kind].options.model_validate(OPTIONS[kind] | changes)
    return KINDS[kind].build("desk", options, (outdoors or Outdoors()).outside)


@dataclass
class Heard:
    """One request as a desk heard it."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class PlayDesk:
    """A desk that answers whatever a test tells it to, and remembers what it heard."""

    def __init__(self, answer: Callable[[], Response]) -> None:
        self.heard: list[Heard] = []
        self._answer = answer
        self.app = Starlette(routes=[Route("/{path:path}", self._hear, methods=["GET", "PATCH", "POST"])])

    async def _hear(self, request: Request) -> Response:
        path = bytes(request.scope["raw_path"]).decode()
        self.heard.append(Heard(request.method, path, request.url.query, dict(request.headers), await request.body()))
        return self._answer()


SETTLED = m.Action(
    id=ACTION_ID,
    org="acme",
    source="desk",
    removal=m.Removal(CONVERSATION, m.Selector(m.SelectorKind.PHONE, PHONE), ticket=TICKET),
    received_at=NOW,
    clicked_at=NOW,
    not_after=NOW + 120_000,
    state=m.ActionState.SETTLED,
    outcome=m.Outcome(m.OutcomeKind.DISCONNECTED, "", remaining={"agent": 1, "external": 1}, purpose="customer"),
    settled_at=NOW + 1_500,
)
REPORT = m.Report("r1", ACTION_ID, "desk", "ticket", TICKET, m.ReportState.DUE)
