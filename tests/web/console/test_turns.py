"""However many pages are asked for at once, few are made at once, and the others are made after them or said no to."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from service.web.console.troubles import BUSY, TurnedAway
from service.web.console.turns import AT_ONCE, WAITING_MOST, Turns
from tests.web.console.ground import Browser, Ground


async def test_few_at_once() -> None:
    """No more are in than may be, each that waits comes in, one too many is turned away, and so is nobody later."""
    turns, go_on = Turns(2, 3), asyncio.Event()
    most = inside = done = 0

    async def visit() -> None:
        nonlocal most, inside, done
        async with turns.turn():
            inside += 1
            most = max(most, inside)
            await go_on.wait()
            inside -= 1
            done += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(visit())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(TurnedAway) as turned:
            await visit()
        assert (turned.value.trouble, most) == (BUSY, 2)
        go_on.set()
    assert (most, done) == (2, 5)
    await visit()


async def test_who_gives_up() -> None:
    """Whoever leaves while waiting, or in the middle, takes no place from those who come after."""
    turns = Turns(1, 1)

    async def visit() -> None:
        async with turns.turn():
            await asyncio.Event().wait()

    first, second = asyncio.create_task(visit()), asyncio.create_task(visit())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in (second, first):
        task.cancel()
    await asyncio.wait([first, second])
    async with turns.turn():
        pass


async def test_pages_take_turns(ground: Ground, vera: Browser, beth: Browser, stranger: Browser) -> None:
    """Of very many pages that are asked for at once each is made in its turn or is a 503; the login and acts go on."""
    turns, form_token = ground.site.turns, await beth.form_token()
    async with AsyncExitStack() as stack:
        for _ in range(AT_ONCE):
            await stack.enter_async_context(turns.turn())
        asked = [asyncio.create_task(vera.get("/")) for _ in range(WAITING_MOST + 1)]
        done, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        refused = done.pop().result()
        assert (refused.status_code, refused.headers["retry-after"], done) == (503, "5", set())
        assert "Too much at once" in refused.text
        assert (await stranger.get("/login")).status_code == 200
        assert (await beth.post("/act", {"form_token": form_token, "what": "pause"})).status_code == 303
    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200] * WAITING_MOST


async def test_who_waits_takes_no_turn(ground: Ground, vera: Browser) -> None:
    """A page that waits for somebody else is made beside those that take turns."""
    object.__setattr__(ground.site, "places", [replace(one, is_patient=True) for one in ground.site.places])
    async with AsyncExitStack() as stack:
        for _ in range(AT_ONCE):
            await stack.enter_async_context(ground.site.turns.turn())
        assert (await vera.get("/")).status_code == 200
