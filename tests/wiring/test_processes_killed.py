"""A process that is killed leaves nobody behind, and what it had accepted is done by the next one."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import pytest

from service import settings
from service.core import model as m
from service.wiring.house import opened_store
from service.wiring.playing import played
from service.wiring.steering import steer
from tests.wiring.kin import descendants_of, is_running
from tests.wiring.running import child, click, confer, own, present, stand, until, wired

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc, to see whose children run")


def test_no_orphans(folder: Path) -> None:
    """When `up --sandbox` is killed, its sandbox and its Redis end too."""
    with child(folder, "up", "--sandbox", "--sandbox-port", "0") as it:
        it.hear("The private door is at ")
        kin = descendants_of(it.process.pid)
        parts = ("service sandbox", "launcher.py", "-server unixsocket")  # redis or valkey
        assert all(any(part in words for words in kin.values()) for part in parts), kin
        assert it.end(signal.SIGKILL) == -signal.SIGKILL
        until(lambda: not [pid for pid in kin if is_running(pid)], 5)


async def test_accepted_before_the_kill(
    folder: Path, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `up` accepted and had not done when it was killed is done by the next one on the same state directory."""
    async with played(0) as play:
        variables = await wired(play, folder)
        stand(monkeypatch, own(folder) | variables)
        with child(folder, "up", variables=variables) as first:
            door = first.hear("The public door is at ")
            assert await steer("", "", m.SOMEBODY, is_pause=True) == {"sandbox": [""]}
            cid = await confer(client, play)
            receipt = (await click(client, door, folder, cid)).json()
            assert receipt["status"] == "accepted"
            assert first.end(signal.SIGKILL) == -signal.SIGKILL
        with child(folder, "up", variables=variables) as second:
            door, private = second.hear("The public door is at "), second.hear("The private door is at ")
            ready = (await client.get(f"{private}/readyz")).json()
            assert ready["orgs"] == {"sandbox": {"mode": "live", "paused": [""], "shadow": []}}
            assert len(await present(client, play, cid)) == 4
            await steer("", "", m.SOMEBODY, is_pause=False)
            link = httpx.URL(receipt["links"]["self"])
            known = await client.get(f"{door}{link.path}?{link.query.decode()}", headers={"prefer": "wait=15"})
            assert known.json()["outcome"]["kind"] == "disconnected"
            assert await present(client, play, cid) == ["agent", "agent", "external"]
            async with opened_store(settings.read(), may_start=False) as (store, _, _):
                assert len((await store.read(receipt["action"]) or pytest.fail("gone")).action.sends) == 1
