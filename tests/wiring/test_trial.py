"""One removal, watched: who would go, what came of it, and nothing at all where it would be wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import httpx
import pytest

from service.core import model as m
from service.genesys import GenesysCloud
from service.outbound import Outgoing
from service.sandbox import create_app
from service.settings import OrgSettings
from service.wiring.trial import AFTER_SECONDS, LOOKS_SECONDS, Found, NoTrial, Preview, Trial, in_words
from service.wiring.witness import Witness
from tests.genesys.peers import CID, PID, HandClock

API = "http://127.0.0.1:8090"


class Moving(HandClock):
    """A clock by which the sandbox lives too; a call takes ten milliseconds."""

    def now(self) -> int:
        return int(self.at * 1000)

    def monotonic(self) -> float:
        self.at += 0.01
        return self.at


@dataclass
class Scene:
    """A conversation in a sandbox, and a trial in it."""

    http: httpx.AsyncClient
    cloud: GenesysCloud
    witness: Witness
    clock: Moving
    policy: m.Policy = field(default_factory=m.Policy)
    cid: str = ""
    people: tuple[Mapping[str, str], ...] = ()

    async def begin(self, scenario: str, **switches: object) -> None:
        """Let a conversation begin."""
        begun = (await self.http.post("/sandbox/conversations", json={"scenario": scenario})).json()
        self.cid, self.people = begun["conversation_id"], tuple(begun["participants"])
        assert (await self.http.put(f"/sandbox/conversations/{self.cid}/switches", json=switches)).is_success

    def named(self, purpose: str) -> str:
        """Return the id of somebody of this purpose."""
        return next(one["id"] for one in self.people if one["purpose"] == purpose)

    @property
    def trial(self) -> Trial:
        """A trial under the policy as it is now."""
        return Trial(self.cloud, self.witness, self.clock, self.policy)

    async def preview(self, purpose: str = "customer", *, may_end_call: bool = False) -> Preview:
        """Preview the removal of somebody."""
        return await self.trial.preview(self.cid, self.named(purpose), may_end_call=may_end_call)

    async def tried(self, *, may_end_call: bool = False) -> Found:
        """Remove the caller."""
        return await self.trial.run(await self.preview(may_end_call=may_end_call))

    async def patches(self) -> list[str]:
        """Return who the PATCHes that reached the sandbox were for."""
        calls = (await self.http.get("/sandbox/calls", params={"service": "genesys"})).json()["calls"]
        return [call["path"].split("/participants/")[1] for call in calls if call["method"] == "PATCH"]

    async def present(self) -> list[str]:
        """Return who is really there."""
        people = (await self.http.get(f"/sandbox/conversations/{self.cid}")).json()["participants"]
        return sorted(one["purpose"] for one in people if one["present"])


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """Give a sandbox in this process, and a client on it that is overheard."""
    clock = Moving()
    clock.at = 1_795_165_200.0
    transport = httpx.ASGITransport(app=create_app(now=lambda: clock.at))
    async with httpx.AsyncClient(transport=transport, base_url=API) as http:
        keys = (await http.get("/sandbox/credentials")).json()
        said = {"api_url": API, "login_url": API} | {key: keys[key] for key in ("client_id", "client_secret")}
        witness = Witness(Outgoing(), clock, transport=lambda: transport)
        cloud = GenesysCloud(OrgSettings.model_validate(said), clock, Outgoing(), transport=witness.transport)
        yield Scene(http, cloud, witness, clock)
        await cloud.aclose()


async def test_one_removal_and_one_repeat(scene: Scene) -> None:
    """The caller goes, and is asked for once more when he has been seen to go; the lag is measured from both sides."""
    await scene.begin("conference", lag_seconds=0.5)
    found = await scene.tried()
    assert (found.removal.kind, found.removal.reply.status, len(found.removal.sent)) == ("accepted", 202, 1)
    assert found.present_seconds is not None
    assert found.gone_seconds is not None
    assert found.present_seconds < 0.5 < found.gone_seconds < 1.0
    assert found.repeat is not None
    assert (found.repeat.reply.status, len(found.repeat.sent)) == (202, 1)
    assert (found.vanished, sorted(found.remaining.values())) == ({}, ["agent", "agent", "external"])
    assert (found.is_readable, found.is_good) == (True, True)
    assert await scene.patches() == [scene.named("customer")] * 2
    assert await scene.present() == ["agent", "agent", "external"]


async def test_what_a_preview_says(scene: Scene) -> None:
    """Who would go and who would stay is said before anything is sent, for the person who is to consent."""
    await scene.begin("conference")
    preview = await scene.preview()
    goes = f"customer {scene.named('customer')} (connected, calls)"
    assert preview.sentence == f"would go: {goes}; would stay: 2 agent, 1 external"
    assert await scene.patches() == []
    assert in_words({}) == "nobody"


@pytest.mark.parametrize(
    "scenario, purpose, words",
    [
        ("conference", "agent", "only customer, external may be removed"),
        ("conference", "acd", "has left already"),
        ("ended", "customer", "has left already"),
        ("pair", "customer", "say so with --may-end-call"),
    ],
)
async def test_who_is_not_removed(scene: Scene, scenario: str, purpose: str, words: str) -> None:
    """Who may not be removed, has left, or would end the call is refused in words, and nothing is sent."""
    await scene.begin(scenario)
    with pytest.raises(NoTrial, match=words):
        await scene.preview(purpose)
    assert await scene.patches() == []


async def test_a_system_leg(scene: Scene) -> None:
    """A leg of the platform's own is never tried, whatever the policy allows."""
    await scene.begin("conference")
    event = {"event": "join", "participant": {"purpose": "ivr", "name": "Menu"}}
    joined = await scene.http.post(f"/sandbox/conversations/{scene.cid}/events", json=event)
    assert joined.is_success, joined.text
    people = (await scene.http.get(f"/sandbox/conversations/{scene.cid}")).json()["participants"]
    scene.people, scene.policy = tuple(people), m.Policy(frozenset({"ivr"}))
    with pytest.raises(NoTrial, match=r"a system's leg \(ivr\)"):
        await scene.preview("ivr")


async def test_what_is_not_there(scene: Scene) -> None:
    """An id that is nobody's here, and a conversation that cannot be read, are refused in words."""
    await scene.begin("conference")
    with pytest.raises(NoTrial, match="no such participant"):
        await scene.trial.preview(scene.cid, PID, may_end_call=False)
    with pytest.raises(NoTrial, match=r"cannot be read \(404 not\.found"):
        await scene.trial.preview(CID, PID, may_end_call=False)
    await scene.begin("starting")
    with pytest.raises(NoTrial, match="no leg yet"):
        await scene.trial.preview(scene.cid, PID, may_end_call=False)


async def test_a_call_of_two(scene: Scene) -> None:
    """Where a person said that the call may end, that is shown, and what became of the other is told."""
    await scene.begin("pair")
    preview = await scene.preview(may_end_call=True)
    assert preview.sentence.endswith("would stay: 1 agent: normally the call ends for them too")
    found = await scene.trial.run(preview)
    assert (list(found.vanished.values()), found.remaining, found.is_good) == (["agent"], {}, True)


async def test_no_effect(scene: Scene) -> None:
    """A removal that is taken and does nothing is watched to the end, and not repeated: that would be a second one."""
    await scene.begin("conference", lost=True)
    found = await scene.tried()
    assert (found.gone_seconds, found.repeat, found.is_good) == (None, None, False)
    assert found.present_seconds is not None
    assert found.present_seconds > LOOKS_SECONDS[-1]
    assert len(await scene.patches()) == 1


async def test_a_refusal(scene: Scene) -> None:
    """A removal that is refused is looked after once, and not repeated."""
    await scene.begin("conference", answers=[{"on": "disconnect", "status": 403, "code": "missing.permissions"}])
    found = await scene.tried()
    assert (found.removal.kind, found.removal.reply.code) == ("refused_for_good", "missing.permissions")
    assert (found.is_good, len(await scene.patches()), len(scene.witness.during("watch"))) == (False, 1, 1)


async def test_a_route_that_needs_a_user(scene: Scene) -> None:
    """Where the first route wants a user, which means that nothing was done, the next one is taken, and known after."""
    await scene.begin("conference", answers=[{"on": "disconnect_generic", "status": 400, "code": "not.a.user"}])
    found = await scene.tried()
    assert [(call.path.split("/")[4], call.status) for call in found.removal.sent] == [(scene.cid, 400), ("calls", 202)]
    assert (found.is_good, found.removal.is_accepted) == (True, True)
    assert found.repeat is not None
    assert [call.path.split("/")[4] for call in found.repeat.sent] == ["calls"]


async def test_no_route_is_left(scene: Scene) -> None:
    """Where every route wants a user each is tried once, and nobody is removed."""
    await scene.begin("conference", answers=[{"on": "disconnect", "status": 400, "code": "not.a.user", "times": None}])
    found = await scene.tried()
    assert [call.status for call in found.removal.sent] == [400, 400]
    assert (found.removal.kind, found.is_good, len(await scene.present())) == ("refused_for_good", False, 4)


async def test_no_answer(scene: Scene) -> None:
    """An answer that was lost is watched like a yes, for it may have acted; what it did is seen."""
    await scene.begin("conference", answers=[{"on": "disconnect", "status": 500, "effect": True}])
    found = await scene.tried()
    assert (found.removal.kind, found.removal.is_accepted, found.is_good) == ("unclear", False, True)


async def test_not_now(scene: Scene) -> None:
    """A 429, for the removal or a look, is kept as what it is; a look waits as long as it is told to."""
    await scene.begin("conference", answers=[{"on": "disconnect", "status": 429, "headers": {"Retry-After": "3"}}])
    found = await scene.tried()
    assert (found.removal.kind, found.removal.reply.status, found.repeat) == ("throttled", 429, None)
    preview = await scene.preview()
    switches = {"answers": [{"on": "look", "status": 429, "headers": {"Retry-After": "3"}}]}
    assert (await scene.http.put(f"/sandbox/conversations/{scene.cid}/switches", json=switches)).is_success
    began = scene.clock.at
    found = await scene.trial.run(preview)
    assert found.is_good
    assert scene.clock.at - began > 3 + AFTER_SECONDS
    assert found.present_seconds is None


async def test_a_late_removal_does_not_leave(scene: Scene) -> None:
    """A machine that stands still between consent and the call sends nothing: the guard stops it."""

    class Frozen(HandClock):
        """Behind the clock of the client, as if that one had slept since the deadline was set."""

        def monotonic(self) -> float:
            return scene.clock.monotonic() - 60

    await scene.begin("conference")
    preview = await scene.preview()
    found = await Trial(scene.cloud, scene.witness, Frozen(), scene.policy).run(preview)
    assert (found.removal.kind, found.removal.sent, found.is_good) == ("egressrefused", (), False)
    assert await scene.patches() == []


async def test_the_end_is_not_seen(scene: Scene) -> None:
    """Where the conversation cannot be read at the end, nothing is said of the others."""
    await scene.begin("conference", lag_seconds=0)
    preview = await scene.preview()

    class Blinding(HandClock):
        """Lets the sandbox forget everything while the trial waits for the others."""

        def monotonic(self) -> float:
            return scene.clock.monotonic()

        async def sleep(self, seconds: float) -> None:
            if seconds == AFTER_SECONDS:
                assert (await scene.http.post("/sandbox/reset")).is_success
            await scene.clock.sleep(seconds)

    found = await Trial(scene.cloud, scene.witness, Blinding(), scene.policy).run(preview)
    assert (found.is_readable, found.remaining, found.vanished) == (False, {}, {})
    assert found.repeat is not None
    assert found.repeat.reply.status == 404
