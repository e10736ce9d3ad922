"""Every page in a browser, as a person has it: light, dark, on a phone, by keys; with others' text at its worst."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.web.console.sessions import COOKIE, Role
from tests.fixtures.browser import Reader, Scheme, reading
from tests.web.pages.crowd import Crowd
from tests.web.pages.lookout import Lookout

if TYPE_CHECKING:  # as in the fixture
    from playwright.async_api import Browser


async def enter(reader: Reader, lookout: Lookout, door: str, role: Role = Role.OPERATOR) -> None:
    """Get somebody in."""
    cookie = {"name": COOKIE, "value": lookout.cookies[role], "url": door}
    await reader.page.context.add_cookies([cookie])  # type: ignore[list-item]  # a mapping of these keys is one


@pytest.mark.parametrize(
    "scheme, width, is_kept",
    [
        ("dark", 360, False),  # where most goes wrong; all four take a minute, and leave pictures
        *(
            pytest.param(scheme, width, True, marks=pytest.mark.slow)
            for scheme in ("light", "dark")
            for width in (1280, 360)
        ),
    ],
)
async def test_looks(
    chromium: Browser, lookout: Lookout, crowd: Crowd, door: str, scheme: Scheme, width: int, is_kept: bool
) -> None:
    """Each page can be read and used by everybody, without scrolling to the side; nothing in it runs or is stopped."""
    pages = {
        "now": "",
        "actions": "/actions",
        "nothing-found": "/actions?q=nobody&outcome=failed",
        "action": f"/actions/{crowd.removed}",
        "action-hostile": f"/actions/{crowd.hostile}",
        "action-open": f"/actions/{crowd.open}",
        "action-dead": f"/actions/{crowd.dead}",
        "replay": f"/actions/{crowd.removed}/replay?preview={crowd.preview}",
        "refusals": "/refusals",
        "dead": "/dead",
        "audit": "/audit",
        "error": "/actions?outcome=won",
    }
    async with reading(chromium, scheme=scheme, width=width) as reader:
        await enter(reader, lookout, door)
        for name, path in pages.items():
            await reader.at(f"{door}{path}")
            if name == "now":
                await reader.page.wait_for_selector("[data-drawn=true] canvas")
            if is_kept:
                await reader.shot(f"page-{name}-{scheme}-{width}")
            assert (name, await reader.barriers(), await reader.is_too_wide()) == (name, [], False)
            assert "owned" not in await reader.page.title()
        assert await reader.objections() == []
