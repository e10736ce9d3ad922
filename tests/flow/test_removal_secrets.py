"""What we log in with stays where it is: in no log, no record and no error, however a removal goes."""

from __future__ import annotations

import base64
from dataclasses import replace

import httpx
import pytest
import redis

from service.genesys import GenesysCloud, GenesysOptions
from service.outbound import Outgoing
from tests.flow.stage import PHONE, URL, Stage, Wire


class Overhearing(Wire):
    """The way to the sandbox; it keeps every credential that passes."""

    heard: set[str]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        kind, _, value = request.headers["authorization"].partition(" ")
        self.heard |= {value, *(base64.b64decode(value).decode().split(":")[1:] if kind == "Basic" else [])}
        return await super().handle_async_request(request)


def dumped(client: redis.Redis) -> str:
    """Everything in Redis, as the bytes of its dumps: small values stand in them as they are."""
    return "".join(repr((key, client.dump(key), _read(client, key))) for key in client.scan_iter())


def _read(client: redis.Redis, key: str) -> object:
    match client.type(key):
        case "hash":
            return client.hgetall(key)
        case "list":
            return client.lrange(key, 0, -1)
        case "zset":
            return client.zrange(key, 0, -1)
        case _:
            return client.get(key)


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [{"status": 401}],
        [{"status": 401, "times": None}],
        [{"status": 403, "code": "missing.permissions"}],
        [{"status": 409}, {"status": 500}, {"cut": "after"}],
        [{"status": 429, "headers": {"Retry-After": "1"}}, {"status": 502, "body": "", "content_type": "text/html"}],
    ],
)
async def test_what_we_log_in_with_stays_inside(
    stage: Stage, answers: list[dict[str, object]], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a token nor the secret stands in a log of any library, in Redis, in an account or in an error."""
    caplog.set_level("DEBUG")
    way = Overhearing(stage.app, stage.broken)
    way.heard = set()
    keys = {name: stage.credentials[name] for name in ("client_id", "client_secret")}
    options = GenesysOptions.model_validate({"api_url": URL, "login_url": URL, **keys})
    cloud = GenesysCloud(options, stage.clock, Outgoing(), transport=lambda: way)
    stage.stack.push_async_callback(cloud.aclose)
    scene = await stage.scene()
    await scene.answers(*({"on": "disconnect", **answer} for answer in answers))
    place = replace(stage.place("w1"), genesys=dict.fromkeys(stage.place().genesys, cloud))
    stage.broken.append(("PATCH", httpx.ConnectError("no way there")))
    action_id = await stage.click(scene)
    await stage.finish(action_id, place)
    account = await stage.account(action_id)
    told = caplog.text + "".join(capsys.readouterr()) + dumped(stage.client) + repr(account) + repr(vars(cloud))
    assert not stage.broken  # the fault struck
    assert stage.credentials["client_secret"] in way.heard
    assert len(way.heard) >= 3  # Basic, the secret in it, and at least one token
    assert [secret for secret in way.heard if secret in told] == []


async def test_no_number_is_left_when_it_has_ended(stage: Stage) -> None:
    """Neither the selector, nor what the requester wrote, nor what Genesys said keeps a number after the end."""
    scene = await stage.scene()
    said = f"the participant {PHONE} cannot be changed"
    await scene.answers({"on": "disconnect", "status": 400, "code": "bad.request", "message": said})
    action_id = await stage.click(scene, reason=f"calls from {PHONE} all day", external_contact_id=None)
    assert PHONE in repr((await stage.account(action_id)).action.removal)
    outcome = await stage.finish(action_id)
    assert outcome.reply is not None
    assert outcome.reply.message == "the participant …0123 cannot be changed"
    account = await stage.account(action_id)
    assert account.action.removal.reason == "calls from …0123 all day"
    assert PHONE.removeprefix("+") not in dumped(stage.client)
