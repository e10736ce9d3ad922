"""Three usual mistakes of a rollout, planted: who has the console and nothing else finds the cause and the remedy."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.findings import write_evidence
from tests.fixtures.browser import Reader, reading
from tests.story.stage import Stage, staged

if TYPE_CHECKING:  # as in the fixture
    from playwright.async_api import Browser

COMMAND = "uv run pytest -n 0 -m slow tests/story/test_console_causes.py"
SECONDS = 180.0  # within which a person is to find a cause
FOUND: list[dict[str, Any]] = []


@dataclass
class Search:
    """Somebody who looks for a cause: what he clicked and read is kept."""

    reader: Reader
    clicked: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    async def click(self, selector: str) -> str:
        """Click what the page shows, and return what it says then."""
        link = self.reader.page.locator(selector).first
        await link.wait_for()
        self.clicked.append(" ".join((await link.inner_text()).split()))
        async with self.reader.page.expect_navigation():
            await link.click()
        return await self.reader.shown()

    async def sees(self, selector: str) -> str:
        """Read what stands in one place of the page."""
        text = " ".join((await self.reader.page.locator(selector).first.inner_text()).split())
        self.read.append(text)
        return text

    def ends(self, fault: str) -> None:
        """Keep what was done, for the evidence."""
        spent = round(time.monotonic() - self.began, 1)
        FOUND.append({"planted": fault, "clicked": self.clicked, "read": self.read, "seconds": spent})
        assert spent < SECONDS


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Give doors and a worker, and somebody with a token for the console."""
    async with staged() as set_up:
        set_up.environment["TOKEN"] = set_up.admit("viewer")
        serving = await set_up.serve()
        set_up.environment["CONSOLE"] = f"{await serving.url('private')}/console"
        await set_up.work()
        yield set_up


@pytest.fixture
async def search(chromium: Browser, stage: Stage) -> AsyncIterator[Search]:
    """Give somebody at the first page, who is in."""
    async with reading(chromium) as reader:
        await reader.login(stage.environment["CONSOLE"], stage.environment["TOKEN"])
        yield Search(reader)
        assert await reader.objections() == []


async def failed(stage: Stage, **data: object) -> None:
    """Let one click end in nobody."""
    conversation = await stage.conversation()
    receipt = (await stage.post(stage.webhook(conversation, ticket=await stage.ticket(), **data))).json()
    account = await stage.settled(receipt)
    assert account["outcome"]["kind"] == "not_found"
    assert "customer" in await stage.present(conversation)


@pytest.mark.slow
async def test_a_wrong_secret(stage: Stage, search: Search) -> None:
    """A sender with another secret: the first page is red, and one click on says which secret, and how to find out."""
    for _ in range(3):
        refused = await stage.post(stage.webhook(await stage.conversation()), secret=secrets.token_bytes(32))
        assert refused.status_code == 401
    red = "text=everything it sent within the last hour was refused"
    await search.reader.page.wait_for_selector(red)
    await search.click(red)
    assert "fits a secret of this source" in await search.sees("article h3")
    assert "signed by no secret of this source" in await search.sees("article p")
    remedy = await search.sees("article p:has(strong)")
    assert "Compare the secret in the sender with sources.desk.secrets" in remedy
    assert "onhook verify --source desk --headers FILE" in remedy
    search.ends("the sender signs with another secret")


@pytest.mark.slow
async def test_a_wrong_medium(stage: Stage, search: Search) -> None:
    """A template that says chat for every call: the action's page names the field, and what is wrong with it."""
    await failed(stage, caller_phone="+14155550123", medium="chat")
    await search.click("a:text('1 not found')")
    await search.click("tbody tr a")
    assert "by chat" in await search.sees("section[aria-labelledby=asked]")
    assert "customer" in await search.sees("section[aria-labelledby=people]")
    hint = await search.sees(".notice.warn")
    assert "there by chat" in hint
    assert "correct the field medium in the sender, or leave it out" in hint
    search.ends("the template says medium chat for a call")


@pytest.mark.slow
async def test_a_stale_id(stage: Stage, search: Search) -> None:
    """A participant's id from an earlier call: the action's page says what such an id is, and what to send instead."""
    earlier = await stage.people(await stage.conversation())
    (old,) = [one["id"] for one in earlier if one["purpose"] == "customer"]
    await failed(stage, participant_id=old)
    await search.click("a:text('1 not found')")
    await search.click("tbody tr a")
    hint = await search.sees(".notice.warn")
    assert "is of one leg of one call" in hint
    assert "when somebody clicks, not when the ticket is opened" in hint
    assert "caller_phone" in hint
    search.ends("the ticket holds the participant's id of an earlier call")


@pytest.mark.slow
def test_it_is_written_down() -> None:
    """What was clicked and read is kept, once all three were found."""
    assert len(FOUND) == 3
    counters = {"planted": 3, "found": len(FOUND), "clicks": sum(len(one["clicked"]) for one in FOUND)}
    write_evidence("console_causes", command=COMMAND, counters=counters, findings=[], searches=FOUND)
