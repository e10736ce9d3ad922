"""What is found of the settings, their Redis and their orgs, before anybody relies on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import redis as blocking

from service.core.errors import Misconfigured
from service.store.health import Topic, Verdict
from service.wiring.checked import Line
from service.wiring.checking import check
from tests.store.servers import DURABLE, server
from tests.wiring.running import own, stand
from tests.wiring.test_processes import OFFLINE


@pytest.fixture(scope="module")
def durable() -> Iterator[str]:
    """Give the URL of a Redis that is set up as it should be."""
    with server(*DURABLE) as url:
        yield url


def _wrong(lines: Sequence[Line], about: str = "redis") -> list[tuple[str, Verdict]]:
    return [(one.topic, one.verdict) for one in lines if one.verdict is not Verdict.FINE and one.about == about]


async def test_all_is_well(folder: Path, durable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is wrong each thing that was looked at is said, with the settings as they were understood."""
    modes = {"ONHOOK_ORGS__ACME__MODE": "shadow", "ONHOOK_SOURCES__DESK__MODE": "shadow"}
    stand(monkeypatch, own(folder) | OFFLINE | {"ONHOOK_REDIS__URL": durable} | modes)
    lines = await check()
    assert _wrong(lines) == []
    looked = set(Topic) - {Topic.REPLICA, Topic.SETTINGS}
    assert {one.topic for one in lines if one.about == "redis"} == {topic.value for topic in looked}
    assert lines[0] == Line("settings", "settings", Verdict.FINE, "org acme (shadow), source desk (for acme, shadow)")
    assert Line("redis", "wakes", Verdict.FINE, "the channel onhook:wake can be heard") in lines
    assert _wrong(lines, "org acme") == [("connection", Verdict.PASSING)]  # of that address nobody answers


async def test_lossy(folder: Path, durable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """That Redis may forget is said, though it is allowed; and that nothing is configured."""
    stand(monkeypatch, own(folder) | {"ONHOOK_REDIS__URL": durable, "ONHOOK_REDIS__ALLOW_LOSSY": "true"})
    findings = await check()
    assert findings[0].sentence.startswith("neither org nor source")
    assert findings[0].sentence.endswith("allow_lossy: Redis may forget what it confirmed")
    assert not {"durability", "eviction"} & {one.topic for one in findings}


async def test_not_heard(folder: Path, durable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who may not subscribe is a fault: all is noticed later."""
    with blocking.Redis.from_url(durable, protocol=2) as client:
        rights = ("ACL", "SETUSER", "onhook", "on", ">pass", "allkeys", "allchannels", "+@all", "-subscribe")
        client.execute_command(*rights)
    url = durable.replace("unix://", "unix://onhook:pass@")
    stand(monkeypatch, own(folder) | OFFLINE | {"ONHOOK_REDIS__URL": url})
    findings = await check()
    assert _wrong(findings) == [("wakes", Verdict.LASTING)]
    (wakes,) = [one for one in findings if one.topic == "wakes"]
    assert "may not SUBSCRIBE to onhook:wake: let it" in wakes.sentence


async def test_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a Redis that does not answer nothing is said but where it was looked for, without the password."""
    places = {f"unix://{folder}/nobody": f"{folder}/nobody", "redis://me:secret@127.0.0.1:1/0": "127.0.0.1:1"}
    for url, place in places.items():
        stand(monkeypatch, own(folder) | OFFLINE | {"ONHOOK_REDIS__URL": url})
        lines = await check()
        assert _wrong(lines) == [("reach", Verdict.PASSING)]
        (reach,) = [line for line in lines if line.topic == "reach"]
        assert reach.sentence.endswith(f"; it was looked for at {place}, where redis.url leads")
        assert "secret" not in reach.sentence


async def test_the_first_day(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any Redis yet an org can be asked all the same; of Redis it is said what brings one."""
    stand(monkeypatch, own(folder) | OFFLINE)
    lines = await check()
    assert _wrong(lines) == [("reach", Verdict.UNKNOWN)]
    assert "`onhook up`" in lines[1].sentence
    assert _wrong(lines, "org acme") == [("connection", Verdict.PASSING)]


async def test_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that name neither a Redis nor an org are no use, unless an `onhook up` runs; nor is an unusable URL."""
    stand(monkeypatch, own(folder))
    with pytest.raises(Misconfigured, match="start `onhook up`"):
        await check()
    stand(monkeypatch, OFFLINE | {"ONHOOK_REDIS__URL": "redis://127.0.0.1:1?bogus=1"})
    with pytest.raises(Misconfigured, match="bogus"):
        await check()
