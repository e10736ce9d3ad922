"""The public door: takes webhooks, and says how their actions stand. No request chooses where anything goes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from service import telemetry
from service.core import model as m
from service.core.errors import Conflicting, Malformed, Refused, StoreDown, TooLarge, Unreadable, WrongMediaType
from service.core.filling import fill
from service.core.ports import Clock, Refusals, Source, Store, Waiter
from service.core.wording import SHIPPED, Wording
from service.flow import operations
from service.flow.intake import Intake
from service.web import openapi, problems
from service.web.accounts import account_json
from service.web.answers import answered, json_answer
from service.web.door import Door, Route

MAX_BODY = 64 * 1024  # bytes; fifty times the longest sample of any system, and read in one go
MAX_WAIT_SECONDS = 20  # shorter than any sender's own patience that is worth waiting for (MID servers: 30 s)
MAX_WAITING = 256  # half of what is answered at once: who waits must not keep out who brings something new
SLICE_SECONDS = 1.0  # a wait ends this soon after the process is told to stop
GRACE_SECONDS = 0.5  # for the last look: a slow store must not keep who waits until he gives up (Teams does after 5 s)
JSON_TYPE = "application/json"
ALLOWED_RATE = 600  # requests a minute, as `sources.*.rate` is unless it says otherwise
Told: TypeAlias = Mapping[bytes, list[str]]
_LOOKED_AT = frozenset({b"content-length", b"content-type", b"content-encoding", b"prefer"})
_WEBHOOKS = r"/webhooks/([^/]+)"
_ORIGIN = re.compile(r"[A-Za-z0-9.-]{1,253}", re.ASCII)
# of RFC 7240: what stands between commas, and before the first semicolon of that; quotes hide both, and may end early
_PREFERENCE = re.compile(r'(?:"(?:[^"\\]|\\.)*"?|[^",])+')
_WITHOUT_PARAMETERS = re.compile(r'(?:"(?:[^"\\]|\\.)*"?|[^";])*')
_NO_STORE = {"Cache-Control": "no-store"}  # a receipt and an account hold the action's key, or what it opens
_NOTHING = answered(200, b"", JSON_TYPE)  # for who shows nobody what we say


def public_door(
    intake: Intake,
    store: Store,
    waiter: Waiter,
    clock: Clock,
    refusals: Refusals,
    *,
    public_url: str,
    is_draining: Callable[[], bool],
    wording: Wording = SHIPPED,
) -> ASGIApp:
    """Return the public door as an ASGI app that needs no lifespan.

    Args:
        intake: takes the deliveries.
        store: what accounts are read from.
        waiter: wakes who asked to wait.
        clock: says when a delivery was complete.
        refusals: remembers what was not taken.
        public_url: under which senders reach this door; links are made from it and never from a request.
        is_draining: whether the process is about to stop; then no delivery is taken and no wait goes on.
        wording: how outcomes are told, in the language of their source.
    """
    front = _Front(intake, store, waiter, clock, refusals, public_url.rstrip("/"), is_draining, wording)
    return Door(
        (
            Route("POST", re.compile(_WEBHOOKS), front.take),
            Route("HEAD", re.compile(_WEBHOOKS), front.greet),
            Route("OPTIONS", re.compile(_WEBHOOKS), front.greet),
            Route("GET", re.compile(r"/actions/([^/]+)"), front.show),
            Route("GET", re.compile(r"/openapi\.json"), front.describe),
        )
    )


@dataclass(slots=True)
class _Front:
    intake: Intake
    store: Store
    waiter: Waiter
    clock: Clock
    refusals: Refusals
    public_url: str
    is_draining: Callable[[], bool]
    wording: Wording
    waiting: int = field(default=0, init=False)

    async def take(self, request: Request, name: str) -> Response:
        """Take one webhook for the source `name`: the checks cost more from line to line."""
        began = self.clock.monotonic()
        source = self.intake.sources.get(name)
        label = name if source else problems.UNKNOWN_SOURCE
        body = bytearray()
        try:
            if self.is_draining():
                raise problems.Draining("draining")
            told = _told(request)
            _fits(told)
            media_type = _media_type(told, self.intake)
            await _read(request, body)
            query: bytes = request.scope["query_string"]
            delivery = m.Delivery(name, tuple(request.scope["headers"]), bytes(body), self.clock.now(), query)
            _is_of(media_type, source, delivery)
            taken = await self.intake.take(delivery)
        except ClientDisconnect:
            self._refuse(label, "incomplete", "the sender went away before the body was complete", len(body))
            raise
        except Exception as fault:
            self._note(label, fault, len(body))
            if source is not None and _is_kept_quiet(fault, source, bytes(body)):
                return _shown(source, {"status": "rejected", "reason": str(fault)}, str(fault))
            raise
        spent = round((self.clock.monotonic() - began) * 1000, 3)
        source = self.intake.sources[name]
        if isinstance(taken, m.Receipt):
            self._tell(source, taken, spent, len(body))
            is_heard = not source.terms.is_unheard(delivery.body)
            return await self._receipt(told, taken, source, began) if is_heard else _NOTHING
        for one in [taken] if isinstance(taken, m.Ignored) else taken:
            self._tell(source, one, spent, len(body))
        if isinstance(taken, m.Ignored):
            if taken.answer is not None:
                return json_answer(200, taken.answer, _NO_STORE)
            if source.terms.is_unheard(delivery.body):
                return _NOTHING
            return _shown(source, {"status": "ignored", "reason": taken.reason}, taken.reason)
        results = [self._result(one) for one in taken]
        return json_answer(source.success_status, {"status": "batch", "results": results}, _NO_STORE)

    async def greet(self, request: Request, _: str) -> Response:
        """Say that webhooks are taken here, to a sender that asks before it sends: the same for every name.

        CloudEvents asks by OPTIONS (HTTP 1.1 Web Hooks for Event Delivery, section 4), others by HEAD.
        """
        headers = {"Allow": "POST, HEAD, OPTIONS"}
        origin = request.headers.getlist("webhook-request-origin")
        if len(origin) == 1 and _ORIGIN.fullmatch(origin[0]):
            headers |= {"WebHook-Allowed-Origin": origin[0], "WebHook-Allowed-Rate": str(ALLOWED_RATE)}
        return answered(200, b"", JSON_TYPE, headers)

    async def show(self, request: Request, action_id: str) -> Response:
        """Tell what is known of an action to whoever has its key."""
        key = request.query_params.get("key", "")
        headers = dict(_NO_STORE)
        account = await operations.show(self.store, action_id, key)
        if account is not None and (seconds := self._wait_asked(_told(request))) is not None:
            headers["Preference-Applied"] = f"wait={seconds}"
            if account.action.outcome is None:
                await self._outcome_within(action_id, seconds)
                account = await operations.show(self.store, action_id, key)
        if account is None:
            return problems.NO_SUCH_ACTION.response()
        return json_answer(200, account_json(account, self.wording, self._language(account.action.source)), headers)

    async def describe(self, _: Request) -> Response:
        """Return the OpenAPI document of this door."""
        return answered(200, orjson.dumps(openapi.document(self.public_url)), JSON_TYPE)

    def _tell(self, source: Source, one: m.Receipt | m.Ignored | Refused, spent_ms: float, size: int) -> None:
        """Count and log what became of a delivery, or of a part of one."""
        label = source.terms.name
        if isinstance(one, Refused):
            self._note(label, one, size)
        elif isinstance(one, m.Ignored):
            telemetry.DELIVERIES.labels(label, "ignored").inc()
            telemetry.emit(telemetry.Event.DELIVERY_IGNORED, source=label, reason=one.reason, size=size)
        else:
            telemetry.DELIVERIES.labels(label, "duplicate" if one.joined else "accepted").inc()
            telemetry.emit(
                telemetry.Event.DELIVERY_ACCEPTED,
                action=one.action_id,
                org=source.terms.org,
                source=label,
                joined=one.joined,
                size=size,
                trace=one.trace_id,
                duration_ms=spent_ms,
            )

    def _result(self, one: m.Receipt | m.Ignored | Refused) -> Mapping[str, object]:
        if isinstance(one, Refused):
            return {"status": "rejected", "reason": one.sentence}
        if isinstance(one, m.Ignored):
            return {"status": "ignored", "reason": one.reason}
        status = "duplicate" if one.joined else "accepted"
        return {"status": status, "action": one.action_id, "links": {"self": self._link(one)}}

    def _link(self, receipt: m.Receipt) -> str:
        return f"{self.public_url}/actions/{receipt.action_id}?key={receipt.key}"

    async def _receipt(self, told: Told, receipt: m.Receipt, source: Source, began: float) -> Response:
        link = self._link(receipt)
        headers = {**_NO_STORE, "Location": link}
        outcome, status = receipt.outcome, source.success_status
        asked = self._wait_asked(told)
        if (seconds := self._wait_meant(told, source, began) if asked is None else asked) is not None:
            outcome = outcome or await self._outcome_if_any(receipt.action_id, seconds)
        if asked is not None:
            headers["Preference-Applied"] = f"wait={asked}"
            status = 200 if outcome else 202
        language = source.terms.language
        explanation = self.wording.explanation(outcome, language) if outcome else None
        content = {
            "status": "duplicate" if receipt.joined else "accepted",
            "action": receipt.action_id,
            "outcome": {"kind": outcome.kind, "reason": outcome.reason} if outcome else None,
            "explanation": explanation,
            "links": {"self": link},
        }
        said = explanation or self.wording.sentence(language, "receipt.open")
        return _shown(source, content, said, status, headers)

    def _language(self, name: str) -> str:
        source = self.intake.sources.get(name)  # one that was taken out of the settings leaves its actions behind
        return source.terms.language if source else "en"

    def _note(self, label: str, fault: Exception, size: int) -> None:
        problem = problems.problem_of(fault)
        if problem is problems.UNEXPECTED:
            telemetry.DELIVERIES.labels(label, problem.code).inc()  # the line is written where the 500 is made
        elif problem.code == problems.STORE_DOWN.code:
            telemetry.DELIVERIES.labels(label, problem.code).inc()
            telemetry.emit(telemetry.Event.DELIVERY_UNSTORED, "error", source=label, reason=str(fault), size=size)
        else:
            signed_by = fault.secret_fingerprint if isinstance(fault, Refused) else ""
            self._refuse(label, problem.code, str(fault), size, signed_by)

    def _refuse(self, label: str, code: str, reason: str, size: int, signed_by: str = "") -> None:
        problems.note_refusal(label, code, reason, size, signed_by)
        self.refusals.note(m.Refusal(label, self.clock.now(), code, telemetry.masked(reason), size, signed_by))

    def _wait_asked(self, told: Told) -> int | None:
        # a preference may be ignored, and is while too many wait already: who asks again gets the outcome then
        prefer = told.get(b"prefer")
        return wait_in(prefer) if prefer and self.waiting < MAX_WAITING else None

    def _wait_meant(self, told: Told, source: Source, began: float) -> float | None:
        """Return for how much longer the source's settings let its sender wait; None for not at all.

        It never asked, so its answer has the status that it takes for a yes, however the wait ends. A slow store has
        used up a part of the time by then: its sender counts from when it sent.
        """
        if (
            not source.terms.wait
            or self.waiting >= MAX_WAITING
            or "respond-async" in preferences_in(told.get(b"prefer", []))
        ):
            return None
        return max(source.terms.wait - (self.clock.monotonic() - began), 0.0)

    async def _outcome_if_any(self, action_id: str, seconds: float) -> m.Outcome | None:
        try:
            async with asyncio.timeout(seconds + GRACE_SECONDS):
                return await self._outcome_within(action_id, seconds)
        except TimeoutError:
            return None  # the store does not say
        except Exception as fault:  # noqa: BLE001 - the action is stored: whatever spoils the wait, the answer is yes
            telemetry.emit_fault(fault, "waiting for an outcome")
            return None

    async def _outcome_within(self, action_id: str, seconds: float) -> m.Outcome | None:
        until = self.clock.monotonic() + seconds
        self.waiting += 1
        try:
            while True:
                began = self.clock.monotonic()
                part = min(max(0.0, until - began), SLICE_SECONDS)
                outcome = await operations.outcome_of(self.store, self.waiter, self.clock, action_id, part)
                ended = self.clock.monotonic()
                # an answer before its time is the outcome, or that there is no such action any more
                if outcome is not None or ended < began + part or ended >= until or self.is_draining():
                    return outcome
        except StoreDown:
            return None  # that it was stored is true all the same
        finally:
            self.waiting -= 1


def preferences_in(prefer: list[str]) -> dict[str, str]:
    """Return by name in lower case what a request prefers (RFC 7240), without parameters; of several the first."""
    found: dict[str, str] = {}
    for preference in (said for line in prefer for said in _PREFERENCE.findall(line)):
        name, _, value = _WITHOUT_PARAMETERS.findall(preference)[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip())
    return found


def wait_in(prefer: list[str]) -> int | None:
    """Return the seconds that `Prefer: wait=N` asks for (RFC 7240), at most MAX_WAIT_SECONDS; None where it does not.

    Of several the first counts; one that is no number of seconds is ignored.
    """
    digits = preferences_in(prefer).get("wait", "").strip('"')
    # four digits are over the cap, however many more there are (and `²` is a digit, but not a decimal)
    return min(int(digits.lstrip("0")[:4] or 0), MAX_WAIT_SECONDS) if digits.isdecimal() else None


def _shown(
    source: Source,
    content: Mapping[str, object],
    text: str,
    status: int = 200,
    headers: Mapping[str, str] = _NO_STORE,
) -> Response:
    """Answer with `content`, or in the shape that the source's system reads, around the sentence `text`."""
    template = source.terms.answer
    if template is not None:
        words = {"text": text, "status": str(content["status"]), "action": str(content.get("action", ""))}
        content = fill(template, words)
    return json_answer(status, content, headers)


def _is_kept_quiet(fault: Exception, source: Source, body: bytes) -> bool:
    """Whether an authentic delivery that cannot be read is answered by a 200, as the source's settings want it.

    Not where nobody is shown what that says: the status alone can then tell a person that nothing is done.
    """
    is_authentic = isinstance(fault, Malformed | Unreadable | Conflicting) and bool(fault.secret_fingerprint)
    is_meant = source.terms.unreadable_status in range(200, 300) and not source.terms.is_unheard(body)
    return is_authentic and is_meant


def _told(request: Request) -> Told:
    """Return what the headers that are looked at here say, in one going through: each as often as it stands."""
    told: dict[bytes, list[str]] = {}
    for name, value in request.scope["headers"]:
        if name in _LOOKED_AT:
            told.setdefault(name, []).append(value.decode("latin-1"))
    return told


def _fits(told: Told) -> None:
    declared = told.get(b"content-length", ["0"])[0].lstrip("0")
    # six digits are over the cap, however many more there are; what is no number is for the cap while reading
    if declared.isdecimal() and int(declared[:6]) > MAX_BODY:
        raise _too_large()


def _media_type(told: Told, intake: Intake) -> str:
    """Return the media type if any source takes it. Which one does is not said before the signature was checked."""
    encodings = [value.strip().lower() for value in told.get(b"content-encoding", [])]
    if any(encoding != "identity" for encoding in encodings):
        raise WrongMediaType("The body is encoded. Send it without a content encoding.")
    declared = told.get(b"content-type", [])
    found, *parameters = [part.strip().lower() for part in (declared[0] if len(declared) == 1 else "").split(";")]
    if any(parameter not in {"", "charset=utf-8", 'charset="utf-8"'} for parameter in parameters):
        raise WrongMediaType("The content type has a parameter other than charset=utf-8.")
    if found != JSON_TYPE and not any(found in source.media_types for source in intake.sources.values()):
        raise WrongMediaType(f"Send the content type of the source's guide: {JSON_TYPE}, unless it says otherwise.")
    return found


async def _read(request: Request, body: bytearray) -> None:
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise _too_large()


def _is_of(media_type: str, source: Source | None, delivery: m.Delivery) -> None:
    """Let pass what the source sends. Else who is not authentic hears 401, as he does for a source that is not."""
    if source is not None and media_type not in source.media_types:
        source.verify(delivery)
        raise WrongMediaType(f"This source takes {', '.join(sorted(source.media_types))}.")


def _too_large() -> TooLarge:
    return TooLarge(f"The body is over {MAX_BODY} bytes. Send only the fields that are needed.")
