"""The stage of the flow's tests: the real flow on a real Redis, before a sandbox that is Genesys and the desk."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

import httpx
import redis

from service import telemetry
from service.core import model as m
from service.core.ports import Source
from service.flow.intake import Intake
from service.flow.removal import Attempt
from service.flow.reporting import tell
from service.flow.workplace import Workplace
from service.genesys import GenesysCloud, GenesysOptions
from service.outbound import Caller, Outgoing, Rule
from service.sandbox import create_app
from service.sources import KINDS, Outside
from service.store.keys import Keys
from service.store.redis import RedisStore
from tests.fixtures.redis import BlockingRunner, CountingDice
from tests.flow.hours import Bells, Clock

ORG, SOURCE, URL = "acme", "desk", "http://127.0.0.1:8090"
ANNA = m.Operator("ops/anna", "the ticket says so")
PHONE = "+14155550123"
SECRET = base64.b64encode(b"thirty-two bytes of a play secret").decode()
OFF = '{"state":"disconnected"}'


class Wire(httpx.AsyncBaseTransport):
    """The way to the sandbox; requests named in `Stage.broken` do not get through."""

    def __init__(self, app: Any, broken: list[tuple[str, Exception]]) -> None:  # noqa: ANN401 - an ASGI app as httpx types it
        self._inner, self._broken = httpx.ASGITransport(app=app), broken

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for spell in self._broken:
            if f"{request.method} {request.url.path}".startswith(spell[0]):
                self._broken.remove(spell)
                raise spell[1]
        return await self._inner.handle_async_request(request)


@dataclass
class Scene:
    """One conversation under test."""

    stage: Stage
    cid: str
    people: list[dict[str, Any]]

    def id(self, name: str = "Unhappy") -> str:
        """Return the id of the last participant with this purpose or first name."""
        return str([p["id"] for p in self.people if name in {p["purpose"], (p["name"] or "").split(" ")[0]}][-1])

    async def event(self, event: str, name: str = "", **more: object) -> dict[str, Any]:
        """Let something happen, to somebody if named."""
        who = {"participant_id": self.id(name)} if name else {}
        told = await self.stage.control("POST", f"/conversations/{self.cid}/events", {"event": event, **who, **more})
        return dict(told)

    async def switch(self, **switches: object) -> None:
        """Set switches of this conversation."""
        await self.stage.control("PUT", f"/conversations/{self.cid}/switches", switches)

    async def answers(self, *rules: Mapping[str, object]) -> None:
        """Let the next calls about this conversation be answered so."""
        await self.switch(answers=list(rules))

    async def present(self) -> set[str]:
        """Return the ids of everybody really there."""
        told = await self.stage.control("GET", f"/conversations/{self.cid}")
        return {one["id"] for one in told["participants"] if one["present"]}

    async def calls(self, method: str = "") -> list[dict[str, Any]]:
        """Return the calls about this conversation that the sandbox received."""
        told = await self.stage.control("GET", f"/calls?conversation={self.cid}")
        return [call for call in told["calls"] if method in {"", call["method"]}]

    async def effects(self) -> int:
        """Count the removals that took effect; every PATCH there was must have been one of ours."""
        calls = await self.calls()
        patches = [call for call in calls if call["method"] != "GET"]
        assert {call["method"] for call in patches} <= {"PATCH"}
        assert all(call["body"] == OFF and "/participants/" in call["path"] for call in patches)
        return sum(call["effect"] is True for call in patches)


@dataclass
class Stage:
    """Everything real but the time; `finish` and `tell` do by hand what the worker does by itself."""

    client: redis.Redis
    runner: BlockingRunner
    dice: CountingDice
    clock: Clock = field(default_factory=Clock)
    bells: Bells = field(default_factory=Bells)
    broken: list[tuple[str, Exception]] = field(default_factory=list)
    terms: m.Terms = field(default_factory=m.Terms)
    narrowings: dict[str, m.Limits] = field(default_factory=dict)
    keys: Keys = field(default_factory=Keys)
    clouds: dict[str, GenesysCloud] = field(default_factory=dict)
    sent: int = 0

    def __post_init__(self) -> None:
        """Build the store and the sandbox."""
        self.store = RedisStore(self.runner, self.dice, now_ms=self.clock.now)
        self.app = create_app(now=lambda: self.clock.now() / 1000, sleep=self.clock.sleep)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=URL)
        self.stack = AsyncExitStack()
        self.sources: dict[str, Source] = {}

    async def __aenter__(self) -> Self:
        """Get the play credentials, and build the source with them."""
        self.credentials = await self.control("GET", "/credentials")
        self.sources[SOURCE] = self.source()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""
        await self.stack.aclose()
        await self.http.aclose()

    # --- what the sandbox is told ------------------------------------------------------------------------------------

    async def control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - whatever JSON it says
        """Call the sandbox's control, which must agree."""
        answer = await self.http.request(method, f"/sandbox{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def scene(self, scenario: str = "conference", lag: float = 0.25, **more: object) -> Scene:
        """Begin a conversation."""
        told = await self.control("POST", "/conversations", {"scenario": scenario, **more})
        scene = Scene(self, told["conversation_id"], told["participants"])
        await scene.switch(lag_seconds=lag)
        return scene

    async def switch(self, **switches: object) -> None:
        """Set switches for all conversations."""
        await self.control("PUT", "/switches", switches)

    async def ticket(self, number: str = "INC0010112") -> str:
        """Open a ticket and return its sys_id."""
        return str((await self.control("POST", "/desk/tickets", {"number": number}))["sys_id"])

    async def notes(self, sys_id: str) -> list[str]:
        """Return what was written on a ticket."""
        told = await self.control("GET", f"/desk/tickets/incident/{sys_id}")
        return [str(note["text"]) for note in told["work_notes"]]

    async def calls(self, service: str) -> list[dict[str, Any]]:
        """Return the calls that a service of the sandbox received."""
        return list((await self.control("GET", f"/calls?service={service}"))["calls"])

    # --- the ports ---------------------------------------------------------------------------------------------------

    def cloud(self) -> GenesysCloud:
        """Return another client of the play Genesys, with a token of its own."""
        keys = {name: self.credentials[name] for name in ("client_id", "client_secret")}
        options = GenesysOptions.model_validate({"api_url": URL, "login_url": URL, **keys})
        cloud = GenesysCloud(options, self.clock, Outgoing(), transport=lambda: Wire(self.app, self.broken))
        self.stack.push_async_callback(cloud.aclose)
        return cloud

    def source(self, name: str = SOURCE, **changes: object) -> Source:
        """Return a ServiceNow source before the play desk."""

        def open_caller(rules: Sequence[Rule]) -> Caller:
            return Caller(rules, self.clock, Outgoing(), transport=lambda: Wire(self.app, self.broken))

        given: dict[str, object] = {"kind": "servicenow", "org": ORG, "secrets": [f"whsec_{SECRET}"]}
        given |= {"rate": 0, "runaway": 0}  # tests click as fast as they can
        given |= {"instance_url": URL, "username": self.credentials["desk_user"]}
        given |= {"password": self.credentials["desk_password"]} | changes
        kind = KINDS["servicenow"]
        return kind.build(name, kind.options.model_validate(given), Outside(open_caller, self.clock))

    def place(self, worker: str = "w1", **ports: Any) -> Workplace:  # noqa: ANN401 - any port of a workplace
        """Return the workplace of one process; `ports` are other ones than the real."""
        if "genesys" in ports:
            ports["genesys"] = {ORG: ports["genesys"]}
        real: dict[str, Any] = {
            "store": self.store,
            "budget": self.store,
            "waiter": self.bells,
            "clock": self.clock,
            "dice": self.dice,
            "sources": self.sources,
            "terms": {ORG: self.terms},
            "narrowings": self.narrowings,
        }
        ports = real | ports
        if "genesys" not in ports:
            ports["genesys"] = {ORG: self.clouds.get(worker) or self.clouds.setdefault(worker, self.cloud())}
        return Workplace(worker=worker, **ports)

    def terms_of(self, org: str, source: str) -> m.Terms:
        """Return the terms of now, as a process would that was started now."""
        return self.place().terms_of(org, source)

    @property
    def intake(self) -> Intake:
        """The intake of these sources."""
        return Intake(self.sources, self.store, self.clock, self.dice, self.terms_of)

    # --- what comes in -----------------------------------------------------------------------------------------------

    def delivery(self, scene: Scene, *, msg: str = "", source: str = SOURCE, **fields: object) -> m.Delivery:
        """Return a signed click that names the caller by number, unless `fields` say otherwise."""
        self.sent += 1
        data = {"conversation_id": scene.cid, "caller_phone": PHONE, "requested_by": "beth.anglin"} | fields
        if "sys_id" in data:
            data = {"table": "incident", "number": "INC0010112"} | data
        said = {name: value for name, value in data.items() if value is not None}
        body = json.dumps({"type": "caller.remove", "data": said}).encode()
        message, stamp = msg or f"msg-{self.sent}", str(self.clock.now() // 1000)
        mac = hmac.digest(base64.b64decode(SECRET), b".".join((message.encode(), stamp.encode(), body)), hashlib.sha256)
        headers = {"webhook-id": message, "webhook-timestamp": stamp}
        headers["webhook-signature"] = f"v1,{base64.b64encode(mac).decode()}"
        raw = tuple((name.encode(), value.encode()) for name, value in headers.items())
        return m.Delivery(source, raw, body, self.clock.now())

    async def click(self, scene: Scene, **more: Any) -> str:  # noqa: ANN401 - as `delivery` takes them
        """Take a click in, and return the id of its action."""
        receipt = await self.intake.take(self.delivery(scene, **more))
        assert isinstance(receipt, m.Receipt)
        return receipt.action_id

    # --- what the worker does, step by step --------------------------------------------------------------------------

    async def attempts(self, place: Workplace, limit: int = 8) -> list[Attempt]:
        """Claim what is due; nothing is done yet."""
        asked = self.clock.monotonic()
        claims = await place.store.claim(ORG, place.worker, self.dice.token(), limit)
        return [Attempt(claim, asked, place) for claim in claims]

    async def once(self, place: Workplace) -> m.Outcome | None:
        """Claim the one action that is due, and make one attempt at it."""
        (attempt,) = await self.attempts(place)
        return await attempt.run()

    async def finish(self, action_id: str, place: Workplace | None = None) -> m.Outcome:
        """Attempt whatever comes due until this action is settled, and return its outcome."""
        place = place or self.place("w9")
        for _ in range(2000):
            outcome = (await self.account(action_id)).action.outcome
            if outcome:
                return outcome
            tried = await self.attempts(place)
            await asyncio.gather(*(attempt.run() for attempt in tried))
            if not tried:
                await self.clock.sleep(max(self.due_in(action_id), 0.001))
        raise AssertionError("it never ends")

    async def claim_reports(self, place: Workplace, limit: int = 8) -> Sequence[m.ReportClaim]:
        """Claim the reports that are due."""
        return await place.store.claim_reports(ORG, place.worker, self.dice.token(), limit)

    async def tell(self, place: Workplace | None = None) -> int:
        """Make one try at every report that is due; return how many that were."""
        place = place or self.place("w9")
        claims = await self.claim_reports(place)
        for claim in claims:
            await tell(claim, place)
        return len(claims)

    # --- what stands in Redis ----------------------------------------------------------------------------------------

    async def account(self, action_id: str) -> m.Account:
        """Return all that is known of an action."""
        account = await self.store.read(action_id)
        assert account is not None
        return account

    async def verbs(self, action_id: str) -> list[str]:
        """Return the verbs of an action's timeline."""
        return [entry.verb for entry in (await self.account(action_id)).timeline]

    async def report(self, action_id: str) -> m.Report:
        """Return the one report of an action."""
        (report,) = (await self.account(action_id)).reports
        return report

    def due_in(self, thing_id: str) -> float:
        """Return the seconds until an action or a report is due."""
        for key in (self.keys.due_removals(ORG), self.keys.due_reports(ORG, SOURCE)):
            score = self.client.zscore(key, thing_id)
            if isinstance(score, float):
                return (score - self.clock.now()) / 1000
        raise AssertionError("it is not due at all")

    def owner(self, scene: Scene) -> object:
        """Return which action owns a conversation, "" or None when none does."""
        return self.client.hget(self.keys.conversation(ORG, scene.cid), "owner")


def counted(name: str, **labels: str) -> float:
    """Return what a metric stands at."""
    return telemetry.REGISTRY.get_sample_value(name, labels) or 0.0


def shadowed() -> m.Terms:
    """The terms of an org that only watches."""
    return m.Terms(is_live=False)


def policy(**changes: Any) -> m.Terms:  # noqa: ANN401 - fields of a policy
    """Terms with another policy."""
    return m.Terms(replace(m.Policy(), **changes))
