"""A trial opens what it needs and asks for consent; the commands' own tests show the rest of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from service.core.errors import Misconfigured
from service.wiring.playing import played
from service.wiring.trial import NoTrial, Preview
from service.wiring.trying import Wish, try_out
from tests.genesys.peers import CID, PID
from tests.wiring.running import confer, own, present, stand, wired
from tests.wiring.test_processes import OFFLINE


@pytest.fixture(scope="module")
async def play() -> AsyncIterator[str]:
    """Give the URL of a sandbox in a process of its own."""
    async with played(0) as url:
        yield url


async def _caller(client: httpx.AsyncClient, play: str, cid: str) -> str:
    people = (await client.get(f"{play}/sandbox/conversations/{cid}")).json()["participants"]
    return next(str(one["id"]) for one in people if one["purpose"] == "customer")


def _never(_: Preview) -> None:
    raise AssertionError("nobody is to be asked")


async def test_consent_comes_first(
    play: str, folder: Path, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is asked sees who would go; only a yes makes a file and removes, the named file in shadow mode too."""
    stand(monkeypatch, own(folder) | await wired(play, folder) | {"ONHOOK_ORGS__SANDBOX__MODE": "shadow"})
    cid = await confer(client, play, lag_seconds=0)
    wish = Wish("sandbox", cid, await _caller(client, play, cid), evidence=folder / "proof.json")

    def refuse(preview: Preview) -> None:
        raise NoTrial(preview.sentence)

    with pytest.raises(NoTrial, match=r"would go: customer .* would stay: 2 agent, 1 external"):
        await try_out(wish, refuse)
    assert not (folder / "proof.json").exists()
    assert len(await present(client, play, cid)) == 4
    tried = await try_out(wish, lambda _: None)
    assert (tried.is_good, tried.evidence, len(tried.lines)) == (True, folder / "proof.json", 8)
    assert await present(client, play, cid) == ["agent", "agent", "external"]


async def test_a_file_that_cannot_be_made(
    play: str, folder: Path, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the proof cannot be kept nobody is removed."""
    stand(monkeypatch, own(folder) | await wired(play, folder))
    cid = await confer(client, play)
    wish = Wish("", cid, await _caller(client, play, cid), evidence=folder / "no" / "proof.json")
    with pytest.raises(Misconfigured, match="nobody was removed"):
        await try_out(wish, lambda _: None)
    assert len(await present(client, play, cid)) == 4


async def test_which_org(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where several orgs are configured, or none, the org is to be said."""
    stand(monkeypatch, own(folder))
    with pytest.raises(Misconfigured, match="say which org the conversation is in; there is none"):
        await try_out(Wish("", CID, PID), _never)
    other = {name.replace("ACME", "OTHER"): said for name, said in OFFLINE.items() if "ORGS" in name}
    stand(monkeypatch, OFFLINE | other)
    with pytest.raises(Misconfigured, match="there is acme, other"):
        await try_out(Wish("", CID, PID), _never)
    with pytest.raises(NoTrial, match="cannot be read"):
        await try_out(Wish("other", CID, PID), _never)
