"""What a house of many orgs costs when it is opened: what is alike for all is made once."""

from __future__ import annotations

import base64
from pathlib import Path

import redis as blocking

from service import settings
from service.store.embedded import EmbeddedRedis
from service.wiring.house import opened
from tests.counted import calls_counted
from tests.wiring.running import own

ORGS = 30


def _secret(number: int) -> str:
    return base64.b64encode(b"obviously fake, and long %7d" % number).decode()


def _many(orgs: int) -> dict[str, str]:
    said: dict[str, str] = {}
    for number in range(orgs):
        org = {"REGION": "eu_central_1", "CLIENT_ID": "fake", "CLIENT_SECRET": "obviously-fake"}
        desk = {"KIND": "servicenow", "ORG": f"o{number}", "SECRETS": f"whsec_{_secret(number)}"}
        desk |= {"INSTANCE_URL": "https://desk.invalid", "USERNAME": "fake", "PASSWORD": "obviously-fake"}
        said |= {f"ONHOOK_ORGS__O{number}__{name}": value for name, value in org.items()}
        said |= {f"ONHOOK_SOURCES__S{number}__{name}": value for name, value in desk.items()}
    return said


async def test_one_tls_context_for_all_orgs(folder: Path) -> None:
    """However many orgs and desks there are, the trusted certificates are read once: 30 ms and 0.7 MB for each else."""
    said = settings.read(own(folder) | _many(ORGS))
    with EmbeddedRedis(folder), calls_counted() as calls:
        async with opened(said, print, may_start=False) as house:
            assert (len(house.place.genesys), len(house.place.sources)) == (ORGS, ORGS)
    assert calls["load_verify_locations"] == 1


async def test_a_probe_asks_once(folder: Path, redis_server: EmbeddedRedis, redis_client: blocking.Redis) -> None:
    """How all orgs stand is one question to Redis: a probe waits no longer for thirty than for one."""
    said = settings.read(own(folder) | _many(ORGS) | {"ONHOOK_REDIS__URL": redis_server.url})
    async with opened(said, print, may_start=False) as house:
        await house.store.pause("o7", "s7")
        with calls_counted() as calls:
            standing = await house.standing()
    assert {org for org, one in standing.items() if one["paused"]} == {"o7"}
    assert len(standing) == ORGS
    assert 1 <= calls["words"] <= 5  # of a question to Redis; who looks whether it is well may ask meanwhile
