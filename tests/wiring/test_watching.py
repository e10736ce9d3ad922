"""What a command opens, and whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from service import settings
from service.core.errors import Misconfigured
from service.wiring.watching import org_meant, orgs_meant, watching
from tests.wiring.kept import Kept


async def test_what_is_opened(kept: Kept) -> None:
    """The store, and the archive beside it, of all orgs, of one, or of that of a source."""
    action_id = await kept.accepted()
    for org, source, orgs in (("", "", ["acme", "beta"]), ("beta", "", ["beta"]), ("", "desk", ["acme"])):
        async with watching(org, source) as watch:
            assert list(watch.orgs) == orgs
            assert await watch.store.read(action_id) is not None
            assert await watch.archive.dead(orgs[0], 1) == ()


@pytest.mark.parametrize(
    "org, source, why",
    [
        ("dusk", "", r"there is no \[orgs.dusk\]; there is acme, beta"),
        ("", "dusk", r"there is no \[sources.dusk\]; there is desk, jsm"),
        ("beta", "desk", "sources.desk acts on org acme, not on beta: leave --org out"),
    ],
)
async def test_who_is_not_there(kept: Kept, org: str, source: str, why: str) -> None:
    """An org or a source that is not there is said, with those that are."""
    with pytest.raises(Misconfigured, match=why):
        orgs_meant(settings.read(), org, source)


def test_nobody_is_there(folder: Path) -> None:
    """Where nothing is configured there is nothing to look at, and that is said."""
    with pytest.raises(Misconfigured, match="orgs: there is none; run this where the settings of the service are"):
        orgs_meant(settings.Settings(state_dir=folder), "", "")


async def test_whose_action(kept: Kept) -> None:
    """An action's id says whose it is; what is none, or is nobody's here, is said with how they begin here."""
    async with watching() as watch:
        assert org_meant(watch, f"beta.{'0' * 26}") == "beta"
        with pytest.raises(Misconfigured, match=r"there is no \[orgs.dusk\].*here they begin with acme.…, beta.…"):
            org_meant(watch, f"dusk.{'0' * 26}")
        with pytest.raises(Misconfigured, match=r"“..” is no action's id: that is its org, a full stop and 26 char"):
            org_meant(watch, "..")
