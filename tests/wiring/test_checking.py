"""What is found of the settings and their Redis, before anybody relies on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as blocking

from service.core.errors import Misconfigured
from service.store.health import Finding, Topic, Verdict
from service.wiring.checking import check
from tests.store.servers import DURABLE, server
from tests.wiring.running import own, stand
from tests.wiring.test_processes import OFFLINE


@pytest.fixture(scope="module")
def durable() -> Iterator[str]:
    """Give the URL of a Redis that is set up as it should be."""
    with server(*DURABLE) as url:
        yield url


def _wrong(findings: object) -> list[tuple[Topic, Verdict]]:
    assert isinstance(findings, list)
    return [(one.topic, one.verdict) for one in findings if one.verdict is not Verdict.FINE]


async def test_all_is_well(folder: Path, durable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is wrong each thing that was looked at is said, with the settings as they were understood."""
    stand(monkeypatch, own(folder) | OFFLINE | {"ONHOOK_REDIS__URL": durable, "ONHOOK_ORGS__ACME__MODE": "shadow"})
    findings = await check()
    assert _wrong(findings) == []
    looked = set(Topic) - {Topic.REPLICA}
    assert {one.topic for one in findings} == looked
    assert findings[0] == Finding(Topic.SETTINGS, Verdict.FINE, "org acme (shadow), source desk (for acme)")
    assert findings[-1] == Finding(Topic.WAKES, Verdict.FINE, "the channel onhook:wake can be heard")


async def test_lossy(folder: Path, durable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """That Redis may forget is said, though it is allowed; and that nothing is configured."""
    stand(monkeypatch, own(folder) | {"ONHOOK_REDIS__URL": durable, "ONHOOK_REDIS__ALLOW_LOSSY": "true"})
    findings = await check()
    assert findings[0].sentence.startswith("neither org nor source")
    assert findings[0].sentence.endswith("allow_lossy: Redis may forget what it confirmed")
    assert not {Topic.DURABILITY, Topic.EVICTION} & {one.topic for one in findings}


async def test_not_heard(folder: Path, durable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who may not subscribe is a fault: all is noticed later."""
    with blocking.Redis.from_url(durable, protocol=2) as client:
        rights = ("ACL", "SETUSER", "onhook", "on", ">pass", "allkeys", "allchannels", "+@all", "-subscribe")
        client.execute_command(*rights)
    url = durable.replace("unix://", "unix://onhook:pass@")
    stand(monkeypatch, own(folder) | OFFLINE | {"ONHOOK_REDIS__URL": url})
    findings = await check()
    assert _wrong(findings) == [(Topic.WAKES, Verdict.LASTING)]
    assert "may not SUBSCRIBE to onhook:wake: let it" in findings[-1].sentence


async def test_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a Redis that does not answer nothing else is said."""
    stand(monkeypatch, own(folder) | OFFLINE | {"ONHOOK_REDIS__URL": f"unix://{folder}/nobody"})
    assert _wrong(await check()) == [(Topic.REACH, Verdict.PASSING)]


async def test_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that name no Redis are no use, unless an `onhook up` runs."""
    stand(monkeypatch, own(folder) | OFFLINE)
    with pytest.raises(Misconfigured, match="start `onhook up`"):
        await check()
