"""What the pages stand on knows its orgs and sources, and nobody else's."""

from __future__ import annotations

from dataclasses import replace

from service.core import model as m
from tests.flow.stage import ORG, SOURCE
from tests.web.pages.lookout import Lookout


async def test_orgs_and_sources(lookout: Lookout) -> None:
    """A source belongs to the org it acts on; one that is not configured any more is told in English."""
    german = m.SourceTerms("chat", "other", 60.0, (), language="de")
    watch = replace(lookout.watch, sources={**lookout.watch.sources, "chat": german})
    assert watch.orgs == (ORG,)
    assert watch.of_org(ORG) == (SOURCE,)
    assert (watch.language("chat"), watch.language(SOURCE), watch.language("gone")) == ("de", "en", "en")


async def test_minted(lookout: Lookout) -> None:
    """A new action's id carries its org, and no two are alike."""
    one, two = lookout.watch.minted(ORG), lookout.watch.minted(ORG)
    assert m.org_of(one.action_id) == ORG
    assert one != two


async def test_around(lookout: Lookout) -> None:
    """Every page is given how each org stands."""
    shown = await lookout.watch.around()
    assert shown == {"standings": await lookout.standings()}
