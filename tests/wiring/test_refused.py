"""What was refused, read beside the process that refused it."""

from __future__ import annotations

from pathlib import Path

import pytest

from service import settings
from service.core import model as m
from service.core.errors import Misconfigured
from service.wiring.house import opened_store, refusal_book
from service.wiring.machine import SystemClock
from service.wiring.refused import refusals
from tests.store.servers import DURABLE, server
from tests.wiring.running import own, stand
from tests.wiring.test_processes import OFFLINE


async def test_the_newest_of_all_sources(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one source or of all, the newest first; a name that is no source is said with those that are."""
    with server(*DURABLE) as url:
        stand(monkeypatch, own(folder) | OFFLINE | {"ONHOOK_REDIS__URL": url})
        assert list(await refusals("")) == []
        said, clock = settings.read(), SystemClock()
        noted = [m.Refusal("desk", at, "unauthorized", "no signature fits", 10) for at in (1, 2)]
        async with opened_store(said, may_start=False) as (_, link, _):
            book = refusal_book(said, link, clock)
            for one in noted:
                book.note(one)
            await book.write()
        assert list(await refusals("desk")) == list(await refusals("")) == noted[::-1]
        with pytest.raises(Misconfigured, match=r"there is no \[sources.dusk\]; there is desk"):
            await refusals("dusk")
