"""The vendor's own SDK talks to the sandbox: what it sends is known here, and it understands what it is answered."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest

from service.sandbox.conversations import MEDIA
from service.wiring.playing import play
from tests.needs import needs
from tests.sandbox.play import NOBODY
from tests.wiring.running import running

MODELS = {
    "call": "Call",
    "callback": "Callback",
    "chat": "ConversationChat",
    "cobrowsesession": "Cobrowsesession",
    "email": "Email",
    "message": "Message",
    "internalMessage": "InternalMessage",
    "screenMonitoring": "ScreenMonitoring",
    "screenshare": "Screenshare",
    "socialExpression": "SocialExpression",
    "video": "Video",
}


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 -- a library without types
    """Import the vendor's SDK, once: it is big. It finds no settings of its user, and watches no folder of his."""
    needs("PureCloudPlatformClientV2")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        imported = importlib.import_module("PureCloudPlatformClientV2")
        imported.configuration  # noqa: B018 -- made now, while there is no home
    return imported


@dataclass
class Vendor:
    """One sandbox on a real port, one SDK that is logged in there, and one conversation."""

    sdk: Any
    api: Any
    control: httpx.AsyncClient

    async def begin(self, scenario: str) -> tuple[str, list[dict[str, Any]]]:
        """Begin a scenario; return the conversation's id and the participants."""
        told = (await self.control.post("/conversations", json={"scenario": scenario})).json()
        return told["conversation_id"], told["participants"]

    async def call(self, name: str, *words: object) -> Any:  # noqa: ANN401 -- the SDK's models
        """Make one call of the SDK, which blocks, while the sandbox runs in this thread."""
        return await asyncio.to_thread(getattr(self.api, name), *words)

    def off(self) -> Any:  # noqa: ANN401 -- as above
        """Return the body of a removal, as its user would build it."""
        body = self.sdk.MediaParticipantRequest()
        body.state = "disconnected"
        return body

    async def received(self) -> dict[str, Any]:
        """Return the last call as the sandbox received it."""
        return dict((await self.control.get("/calls")).json()["calls"][-1])

    async def raw(self, path: str) -> dict[str, Any]:
        """Return a view as it came, before the SDK drops what it does not know."""
        url = str(self.control.base_url.join("/api/v2/conversations")) + path
        client = self.api.api_client
        return dict((await self.control.get(url, headers={"Authorization": f"Bearer {client.access_token}"})).json())

    def fields(self, model: str) -> set[str]:
        """Return the fields a model of the SDK has, as they are called in JSON."""
        return set(getattr(self.sdk, model)().attribute_map.values())

    async def present(self, cid: str) -> list[str]:
        """Return who is really present."""
        told = (await self.control.get(f"/conversations/{cid}")).json()["participants"]
        return [one["id"] for one in told if one["present"]]


@pytest.fixture
async def vendor(sdk: Any) -> AsyncIterator[Vendor]:  # noqa: ANN401 -- as above
    """Start a sandbox on a free port, and log the SDK in there."""
    async with running(partial(play, port=0)) as sandbox:
        url = await sandbox.hear("The sandbox is at ")
        async with httpx.AsyncClient(base_url=f"{url}/sandbox", trust_env=False, timeout=30) as control:
            keys = (await control.get("/credentials")).json()
            client = sdk.api_client.ApiClient(host=url)
            log_in = partial(client.get_client_credentials_token, keys["client_id"], keys["client_secret"])
            await asyncio.to_thread(log_in)
            yield Vendor(sdk, sdk.ConversationsApi(client), control)
            await sandbox.end()


async def test_the_token(vendor: Vendor) -> None:
    """The SDK's login is a POST of a form with the grant type, and the token it gets is good."""
    call = await vendor.received()
    assert (call["method"], call["path"], call["body"]) == ("POST", "/oauth/token", "grant_type=client_credentials")
    assert call["authorized"]
    cid, _ = await vendor.begin("pair")
    assert (await vendor.call("get_conversation", cid)).id == cid


async def test_the_generic_look(vendor: Vendor) -> None:
    """The SDK reads the generic view into its own models: legs with ids and states, no state of a participant."""
    cid, people = await vendor.begin("conference")
    seen = await vendor.call("get_conversation", cid)
    assert [one.id for one in seen.participants] == [one["id"] for one in people]
    caller = seen.participants[0]
    assert (caller.calls[0].id, caller.calls[0].state) == (people[0]["communication_ids"][0], "connected")
    assert (caller.attributes, caller.media_roles) == ({"ticket": "INC0010112"}, ["full"])
    assert seen.participants[2].queue_id
    assert [one.division.name for one in seen.divisions] == ["Home"]
    call = await vendor.received()
    assert (call["method"], call["path"], call["body"]) == ("GET", f"/api/v2/conversations/{cid}", "")


async def test_the_look_at_a_call(vendor: Vendor) -> None:
    """The SDK reads the calls view into its own models: participants with a state."""
    cid, people = await vendor.begin("monitored")
    seen = await vendor.call("get_conversations_call", cid)
    assert [one.state for one in seen.participants] == ["connected", "terminated", "connected", "connected"]
    assert seen.participants[3].monitored_participant_id == people[2]["id"]
    call = await vendor.received()
    assert (call["method"], call["path"], call["body"]) == ("GET", f"/api/v2/conversations/calls/{cid}", "")


Way = tuple[str, str, int, Callable[[str, list[dict[str, Any]]], tuple[str, ...]]]
WAYS: dict[str, Way] = {
    "generic": (
        "patch_conversation_participant", "/{cid}/participants/{pid}", 202, lambda cid, one: (cid, one[0]["id"]),
    ),
    "calls": (
        "patch_conversations_call_participant", "/calls/{cid}/participants/{pid}", 202,
        lambda cid, one: (cid, one[0]["id"]),
    ),
    "on behalf": (
        "patch_conversations_call_participant_user_user_id", "/calls/{cid}/participants/{pid}/user/{user}", 202,
        lambda cid, one: (cid, one[0]["id"], one[2]["user_id"]),
    ),
    "communication": (
        "patch_conversations_call_participant_communication",
        "/calls/{cid}/participants/{pid}/communications/{leg}", 200,
        lambda cid, one: (cid, one[0]["id"], one[0]["communication_ids"][0]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
async def test_a_removal(vendor: Vendor, way: str) -> None:
    """Each way of removing arrives as method, path and body of the contract, and exactly the caller is gone."""
    name, path, status, words = WAYS[way]
    cid, people = await vendor.begin("conference")
    before = await vendor.present(cid)
    answer = await vendor.call(name, *words(cid, people), vendor.off())
    assert answer == ({} if way == "communication" else None) or not vars(answer)
    call = await vendor.received()
    ids = {"cid": cid, "pid": people[0]["id"], "leg": people[0]["communication_ids"][0], "user": people[2]["user_id"]}
    assert (call["method"], call["path"]) == ("PATCH", "/api/v2/conversations" + path.format(**ids))
    assert (call["body"], call["status"], call["effect"]) == ('{"state": "disconnected"}', status, True)
    assert await vendor.present(cid) == [one for one in before if one != people[0]["id"]]


@pytest.mark.parametrize(
    "medium, path",
    [("callback", "callbacks"), ("email", "emails"), ("message", "messages"), ("cobrowsesession", "cobrowsesessions")],
)
async def test_a_removal_by_medium(vendor: Vendor, medium: str, path: str) -> None:
    """The SDK's removal by medium, and of one leg of it, arrive on that medium's paths and remove that leg."""
    cast = [{"media": [medium]}, {"media": [medium]}, {"purpose": "agent", "media": [medium]}, {"purpose": "user"}]
    told = (await vendor.control.post("/conversations", json={"participants": cast})).json()
    cid, (first, second, *_) = told["conversation_id"], told["participants"]
    name = f"patch_conversations_{medium}_participant"
    is_old = medium == "cobrowsesession"  # deprecated by the vendor, and there
    with pytest.warns(DeprecationWarning, match=name) if is_old else nullcontext():
        await asyncio.to_thread(partial(getattr(vendor.api, name), cid, first["id"], body=vendor.off()))
    assert (await vendor.received())["path"] == f"/api/v2/conversations/{path}/{cid}/participants/{first['id']}"
    leg = second["communication_ids"][0]
    with pytest.warns(DeprecationWarning, match=name) if is_old else nullcontext():
        await vendor.call(f"{name}_communication", cid, second["id"], leg, vendor.off())
    there = f"/api/v2/conversations/{path}/{cid}/participants/{second['id']}/communications/{leg}"
    assert (await vendor.received())["path"] == there
    assert not {first["id"], second["id"]} & set(await vendor.present(cid))
    assert len(await vendor.present(cid)) == 2


@pytest.mark.parametrize(
    "method, name", [("POST", "post_conversation_disconnect"), ("DELETE", "delete_conversation"), ("PATCH", "")]
)
async def test_the_calls_that_drop_everyone(vendor: Vendor, method: str, name: str) -> None:
    """The three calls of the SDK that drop everyone do drop everyone."""
    cid, _ = await vendor.begin("conference")
    assert len(await vendor.present(cid)) == 4
    body = vendor.sdk.Conversation()
    body.state = "disconnected"
    await vendor.call(name or "patch_conversations_call", *((cid,) if name else (cid, body)))
    assert (await vendor.received())["method"] == method
    assert await vendor.present(cid) == []


async def test_an_error(vendor: Vendor) -> None:
    """The SDK takes an error apart: status, the body's code, and the correlation id."""
    with pytest.raises(vendor.sdk.rest.ApiException) as caught:
        await vendor.call("get_conversation", NOBODY)
    error = caught.value
    assert error.status == 404
    assert '"code":"not.found"' in error.body
    assert (await vendor.received())["correlation_id"] in error.body


async def test_every_field_and_word_is_the_vendors(vendor: Vendor) -> None:
    """Each field of both views, of each medium, running and ended, is in the SDK's model, and each enum value known."""
    ended: dict[str, object] = {"state": "disconnected", "end_offset_seconds": -60}
    cut: dict[str, object] = {"error_code": "error.ininedgecontrol.session.inactive"}
    cast = [
        {"purpose": purpose, "media": [medium], "start_offset_seconds": -90, **how}
        for medium in MEDIA
        for purpose, how in (("agent", {}), ("agent", ended), ("customer", ended | cut), ("customer", {"held": True}))
    ]
    told = (await vendor.control.post("/conversations", json={"participants": cast})).json()
    cid, words = told["conversation_id"], dict[str, set[str]]()
    view, flat = await vendor.raw(f"/{cid}"), await vendor.raw(f"/calls/{cid}")
    read = await vendor.call("get_conversation", cid)
    assert set(view) <= vendor.fields("Conversation")
    for person, model in zip(view["participants"], read.participants, strict=True):
        assert set(person) <= vendor.fields("Participant")
        names = {theirs: ours for ours, theirs in model.attribute_map.items()}
        for medium, array in MEDIA.items():
            for leg, leg_model in zip(person[array], getattr(model, names[array]), strict=True):
                assert set(leg) <= vendor.fields(MODELS[medium]), medium
                said = {leg_model.state, leg_model.disconnect_type, getattr(leg_model, "initial_state", None)}
                words.setdefault(medium, set()).update(said - {None})
    assert list(words) == list(MEDIA)
    assert all("connected" in said and said & {"disconnected", "terminated"} for said in words.values())
    unknown = "outdated_sdk_version"  # what the SDK reads where it does not know the word
    assert not [medium for medium, said in words.items() if unknown in said]
    assert set(flat) <= vendor.fields("CallConversation")
    for person in flat["participants"]:
        assert set(person) <= vendor.fields("CallMediaParticipant")
