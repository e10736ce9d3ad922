"""How a person stops claims, of one org, of one source or of all, and lets them go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from service import settings
from service.core import model as m
from service.core.errors import Misconfigured
from service.store.embedded import EmbeddedRedis
from service.store.ledger import RedisLedger
from service.wiring.house import opened_store
from service.wiring.secret import throw_away_secret
from service.wiring.steering import steer
from tests.wiring.running import own, stand
from tests.wiring.test_house import OTHER
from tests.wiring.test_processes import OFFLINE

ANNA = m.Operator("anna", "for the night")


@pytest.mark.parametrize(
    "org, source, orgs, paused",
    [
        ("", "", ["acme", "other"], {"acme": {""}, "other": {""}}),
        ("acme", "", ["acme"], {"acme": {""}, "other": set()}),
        ("", "jira", ["other"], {"acme": set(), "other": {"jira"}}),
        ("other", "jira", ["other"], {"acme": set(), "other": {"jira"}}),
    ],
)
async def test_steer(
    folder: Path, monkeypatch: pytest.MonkeyPatch, org: str, source: str, orgs: list[str], paused: dict[str, set[str]]
) -> None:
    """A person pauses everything, one org or one source, by her name, and takes it back."""
    stand(monkeypatch, own(folder) | OFFLINE | OTHER)
    with EmbeddedRedis(folder):
        steered = await steer(org, source, ANNA, is_pause=True)
        assert {name: set(what) for name, what in steered.items()} == {name: paused[name] for name in orgs}
        async with opened_store(settings.read(), may_start=False) as (store, link, _):
            assert {name: set(await store.paused(name)) for name in paused} == paused
            pauses = [one.by for name in paused for one in (await RedisLedger(link).pauses(name)).values()]
            assert set(pauses) == {ANNA}
            assert await steer(org, source, ANNA, is_pause=False) == {name: [] for name in orgs}
            assert [await store.paused(name) for name in paused] == [frozenset(), frozenset()]


async def test_steer_a_sandbox(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The org and the source that `up --sandbox` brings can be steered too, though no settings name them."""
    stand(monkeypatch, own(folder))
    throw_away_secret(folder)
    with EmbeddedRedis(folder):
        assert await steer("", "", ANNA, is_pause=True) == {"sandbox": [""]}
        assert await steer("", "sandbox", ANNA, is_pause=True) == {"sandbox": ["", "sandbox"]}
        assert await steer("sandbox", "", ANNA, is_pause=False) == {"sandbox": ["sandbox"]}


@pytest.mark.parametrize(
    "org, source, why",
    [
        ("acne", "", "there is no [orgs.acne]; there is acme, other"),
        ("", "dusk", "there is no [sources.dusk]; there is desk, jira"),
        ("acme", "jira", "sources.jira acts on org other, not on acme: leave --org out"),
    ],
)
async def test_steer_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch, org: str, source: str, why: str) -> None:
    """Whoever names what is not there hears what is."""
    stand(monkeypatch, own(folder) | OFFLINE | OTHER)
    with pytest.raises(Misconfigured) as caught:
        await steer(org, source, ANNA, is_pause=True)
    assert caught.value.faults == (why,)


async def test_steer_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no org is configured nothing is paused in silence."""
    stand(monkeypatch, own(folder))
    with pytest.raises(Misconfigured, match="orgs: there is none; run this where the settings of the service are"):
        await steer("", "", ANNA, is_pause=True)
