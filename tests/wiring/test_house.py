"""Where the Redis is that a process works on, and how its parts are opened and closed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import redis as blocking

from service import settings
from service.core import model as m
from service.core.errors import Misconfigured
from service.flow.worker import Worker
from service.flow.workplace import Workplace
from service.store import script
from service.store.embedded import EmbeddedRedis, attach
from service.wiring.house import opened, opened_store
from tests.wiring.running import own
from tests.wiring.test_processes import OFFLINE

ANNA = m.Operator("anna", "for the night")

OTHER = {name.replace("ACME", "OTHER").replace("DESK", "JIRA"): value for name, value in OFFLINE.items()} | {
    "ONHOOK_SOURCES__JIRA__ORG": "other",
    "ONHOOK_SOURCES__JIRA__SECRETS": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrscChlQ",
}

SHADOW = {
    "ONHOOK_ORGS__OTHER__MODE": "shadow",
    "ONHOOK_SOURCES__DESK__MODE": "shadow",
    "ONHOOK_SOURCES__DESK__REQUESTER_RATE": "9",
}


async def test_no_redis(folder: Path) -> None:
    """Without a configured Redis, and without a running `up`, there is none: in words."""
    with pytest.raises(Misconfigured, match=r"no `onhook up` runs with this state directory; set redis\.url"):
        async with opened_store(settings.read(own(folder)), may_start=False):
            raise AssertionError


async def test_attached(folder: Path) -> None:
    """What may not start a Redis works on the one of a running `up`, which stays when it ends."""
    with EmbeddedRedis(folder) as embedded:
        async with opened_store(settings.read(own(folder)), may_start=False) as (store, _, url):
            assert url == embedded.url
            assert (await store.health()).faults == ()
        assert attach(folder) == embedded.url


async def test_started(folder: Path) -> None:
    """What may start a Redis has one of its own, gone when it ends."""
    async with opened_store(settings.read(own(folder)), may_start=True) as (_, link, url):
        assert await link.ask("PING") in {"PONG", True}
        assert attach(folder) == url
    assert attach(folder) is None


async def test_configured(folder: Path, redis_server: EmbeddedRedis, redis_client: blocking.Redis) -> None:
    """A configured Redis is the one, and its keys have the configured prefix."""
    said = settings.read(own(folder) | {"ONHOOK_REDIS__URL": redis_server.url, "ONHOOK_REDIS__PREFIX": "here"})
    async with opened_store(said, may_start=True) as (store, _, url):
        assert url == redis_server.url
        await store.pause("acme")
    assert "here:{acme}:paused" in redis_client.keys("*")
    assert {str(key).partition(":{acme}:")[0] for key in redis_client.keys("*")} == {"here"}
    assert not (folder / "redis.sock").exists()


async def test_opened(folder: Path) -> None:
    """Everything the flow needs is there by its configured name, under its terms."""
    with EmbeddedRedis(folder):
        (folder / "words.toml").write_text('[fr]\ndisconnected = "Fini."\n', encoding="utf-8")
        words = {"ONHOOK_WORDING__FILE": str(folder / "words.toml"), "ONHOOK_SOURCES__JIRA__LANGUAGE": "fr"}
        said = settings.read(own(folder) | OFFLINE | OTHER | SHADOW | words)
        async with opened(said, print, may_start=False) as house:
            place = house.place
            assert (set(place.genesys), set(place.sources)) == ({"acme", "other"}, {"desk", "jira"})
            assert (place.sources["jira"].terms.org, place.sources["jira"].terms.language) == ("other", "fr")
            assert place.wording.languages == ("de", "en", "fr")
            await house.store.pause("acme", "desk")
            assert await house.standing() == {
                "acme": {"mode": "live", "paused": ["desk"], "shadow": ["desk"]},
                "other": {"mode": "shadow", "paused": [], "shadow": []},
            }
            # what is accepted and what is done stand under the same terms, the source's own among them
            assert place.terms_of("acme", "desk") == m.Terms(narrowed_by=m.Limits(is_live=False, requester_rate=9))
            nobody = m.Limits(purposes=frozenset())
            assert place.terms_of("acme", "gone") == m.Terms(narrowed_by=nobody)
            assert await house.faults() == []
            house.stop.is_leaving = True
            assert await house.faults() == ["is about to end"]
            assert Worker(place).claim_age_seconds() is None


async def test_scripts_are_read_at_the_start(folder: Path) -> None:
    """What a process runs by is its own version's, though another one is installed over its files."""
    script.script.cache_clear()
    with EmbeddedRedis(folder):
        async with opened(settings.read(own(folder) | OFFLINE), print, may_start=False):
            assert script.script.cache_info().currsize == len(script.names())


async def test_opened_through(folder: Path) -> None:
    """What the worker works with can be made from the real ports."""
    seen: list[Workplace] = []

    def through(place: Workplace) -> Workplace:
        seen.append(replace(place, worker="another"))
        return seen[0]

    with EmbeddedRedis(folder):
        async with opened(settings.read(own(folder) | OFFLINE), print, may_start=False, through=through) as house:
            assert [house.place] == seen


@pytest.mark.parametrize("turns", range(0, 12, 2))
async def test_closed_at_once(redis_server: EmbeddedRedis, folder: Path, turns: int) -> None:
    """What is closed while it still connects is closed: the end of a process does not hang on its beginning."""
    said = settings.read(own(folder) | OFFLINE | {"ONHOOK_REDIS__URL": redis_server.url})
    moment = asyncio.get_running_loop().time
    began = moment()
    async with asyncio.timeout(5):
        async with opened(said, print, may_start=False):
            for _ in range(turns):
                await asyncio.sleep(0)
    # what swallows the word to end swallows the timeout's too: that it came is seen by the time alone
    assert moment() - began < 5
