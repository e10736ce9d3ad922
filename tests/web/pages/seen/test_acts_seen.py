"""What an operator does in a browser: by mouse and by keys, asked whether he is sure, told what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.core import model as m
from service.web.console.sessions import Role
from tests.fixtures.browser import reading
from tests.flow.stage import ORG, SOURCE
from tests.web.pages.crowd import Crowd
from tests.web.pages.lookout import Lookout
from tests.web.pages.seen.test_seen import enter

if TYPE_CHECKING:  # as in the fixture
    from playwright.async_api import Browser


async def test_pause_by_hand(chromium: Browser, lookout: Lookout, crowd: Crowd, door: str) -> None:
    """A pause is taken back and made again by its buttons; whoever is not sure leaves it, and nothing happens."""
    store = lookout.stage.store
    async with reading(chromium) as reader:
        await enter(reader, lookout, door)
        page = reader.page
        await reader.at(door)
        await page.click("[data-live-pause]")
        await page.click("form[action$=resume] button")
        await page.click("#sure button[value=no]")
        assert await store.paused(ORG) == {SOURCE}
        await page.click("form[action$=resume] button")
        await page.click("#sure button[value=yes]")
        await page.wait_for_selector("text=Going on: source desk.")
        assert await store.paused(ORG) == frozenset()
        await page.select_option("#what", "acme/desk")
        await page.fill("#pause-why", "<b>flood</b>")
        await page.press("#pause-why", "Enter")
        await page.click("#sure button[value=yes]")
        await page.wait_for_selector("text=Paused: source desk. Clicks are kept")
        assert "by operator: <b>flood</b>" in await reader.shown()
        assert await reader.objections() == []


async def test_an_action_by_keys(chromium: Browser, lookout: Lookout, crowd: Crowd, door: str) -> None:
    """An action is found and opened by keys alone, copied, dropped with a reason, and says so."""
    async with reading(chromium) as reader:
        await enter(reader, lookout, door)
        page = reader.page
        await reader.at(f"{door}/actions")
        await page.keyboard.press("/")
        await page.keyboard.type("INC0010112")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{door}/actions?q=INC0010112&*")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{door}/actions/{crowd.open}")
        await page.click(f"button[data-copy='{crowd.open}']")
        await page.wait_for_selector("button.copy:text-matches('Copied|Marked')")
        await page.fill("#drop-why", "the wrong call")
        await page.press("#drop-why", "Enter")
        await page.click("#sure button[value=yes]")
        await page.wait_for_selector("text=Dropped: nobody is removed for it")
        outcome = (await lookout.stage.account(crowd.open)).action.outcome
        assert outcome is not None
        assert outcome.reason == "dropped"
        assert await reader.objections() == []


async def test_ask_again(chromium: Browser, lookout: Lookout, crowd: Crowd, door: str) -> None:
    """An action is asked again after a look at who would go; its own page moves by itself to what came of it."""
    stage = lookout.stage
    scene = await stage.scene()
    await stage.store.resume(ORG, SOURCE)
    action_id = await stage.click(scene, caller_phone=None, participant_id=scene.id(), sys_id=await stage.ticket())
    await stage.finish(action_id)
    async with reading(chromium) as reader:
        await enter(reader, lookout, door)
        page = reader.page
        await reader.at(f"{door}/actions/{action_id}")
        async with page.expect_request(f"{door}/actions/*/replay?preview=*") as asked:
            # not by a click of the driver's: it waits for the page, and that waits for the preview
            await page.evaluate("setTimeout(() => document.querySelector('form[action$=rehearse] button').click())")
        preview_id = (await asked.value).url.partition("preview=")[2]
        await stage.finish(preview_id)
        stage.bells.ring(f"settled:{preview_id}")
        await page.wait_for_selector("text=Who would go")
        assert "had already left the conversation" in await reader.shown()
        await page.fill("#why", "he is back")
        await page.press("#why", "Enter")
        await page.click("#sure button[value=yes]")
        await page.wait_for_selector("text=This is the new action.")
        new_id = page.url.partition("/actions/")[2].partition("?")[0]
        await stage.finish(new_id)
        await page.wait_for_selector("main .badge:text('already gone')")
        assert await reader.objections() == []
    assert (await stage.account(new_id)).action.replay_of == action_id


async def test_letters_without_scripts(chromium: Browser, lookout: Lookout, crowd: Crowd, door: str) -> None:
    """Where scripts do not run, a form is sent at once, and the page says what came of it."""
    async with reading(chromium, scripts=False) as reader:
        await enter(reader, lookout, door)
        await reader.at(f"{door}/dead")
        await reader.page.locator("form", has_text="INC0099999").get_by_role("button").click()
        await reader.page.wait_for_selector("text=1 to be told again")
        assert reader.faults == []
    assert (await lookout.stage.report(crowd.dead)).state is m.ReportState.DUE


async def test_a_viewer_looks(chromium: Browser, lookout: Lookout, crowd: Crowd, door: str) -> None:
    """A viewer reads every page, and finds nothing to press but to leave and to look."""
    async with reading(chromium) as reader:
        await enter(reader, lookout, door, Role.VIEWER)
        for path in ("", "/dead", f"/actions/{crowd.open}"):
            await reader.at(f"{door}{path}")
            assert await reader.page.locator("main form[method=post] button").count() == 0
        assert await reader.at(f"{door}/actions/{crowd.open}/replay") == 403
        assert "You are here as a viewer" in await reader.shown()


async def test_a_button_that_is_held_down(chromium: Browser, lookout: Lookout, crowd: Crowd, door: str) -> None:
    """News that comes while somebody presses a link waits until he has let go of it: no click is lost."""
    async with reading(chromium) as reader:
        await enter(reader, lookout, door)
        page = reader.page
        await reader.at(f"{door}/actions")
        await page.hover("tbody a")
        await page.mouse.down()
        async with page.expect_response(lambda answer: "x-onhook-live" in answer.request.headers) as news:
            new_id = await lookout.stage.click(await lookout.stage.scene())
        assert new_id in await (await news.value).text()
        await page.evaluate("new Promise((done) => setTimeout(done, 50))")
        await page.mouse.up()
        await page.wait_for_url(f"{door}/actions/{crowd.open}")
        assert await reader.objections() == []
