"""Who asks may wait for the outcome: by RFC 7240, or because his source's settings say so. Waiting spoils nothing."""

import asyncio
import time
from collections.abc import Callable

import pytest

from service.sources.options import WAIT_MOST
from service.web import front
from tests.web.doors import Desk, counted

ACTION = f"acme.{1:026}"


def settling(desk: Desk, after: int) -> Callable[[], None]:
    """Settle the action in the wait with that number."""
    return lambda: desk.shelf.settle(ACTION) if len(desk.waiter.waits) == after else None


async def test_prefer_wait_gets_the_outcome(desk: Desk) -> None:
    """Who waits hears how it ended as soon as it did, with what to make of it."""
    desk.waiter.meanwhile = settling(desk, 3)
    answer = await desk.post(prefer="wait=10")
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=10")
    assert answer.json()["outcome"] == {"kind": "disconnected", "reason": ""}
    assert answer.json()["explanation"].endswith("Still there: 1 agent. There is nothing more to do.")
    assert len(desk.waiter.waits) == 3


@pytest.mark.parametrize(
    "prefer, applied, waited",
    [("wait=2", 2, 2.0), ("wait=99999999999", 20, 20.0), ("wait=0", 0, 0.0), ("WAIT = 000000001;x", 1, 1.0)],
)
async def test_prefer_wait_is_over_in_time(desk: Desk, prefer: str, applied: int, waited: float) -> None:
    """Who waited in vain hears 202 and for how long it was waited: never longer than the cap."""
    desk.source.success_status = 200
    answer = await desk.post(prefer=prefer)
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, f"wait={applied}")
    assert answer.json()["outcome"] is None
    assert sum(desk.waiter.waits) == waited


async def test_a_duplicate_waits_for_the_same_outcome(desk: Desk) -> None:
    """A duplicate of an action that ended is told at once, also if it came to wait."""
    await desk.post()
    desk.shelf.settle(ACTION)
    answer = await desk.post(prefer="wait=10")
    assert (answer.status_code, answer.json()["status"], desk.waiter.waits) == (200, "duplicate", [])


@pytest.mark.parametrize(
    "prefer, seconds",
    [
        (["wait=7"], 7),
        (["respond-async, wait=7; x=1"], 7),
        (["return=minimal", 'Wait="7"'], 7),
        (["wait=7, wait=9"], 7),
        (["wait=a, wait=9"], None),
        (["wait=\u00b2"], None),
        (["wait=-1"], None),
        (["wait=1.5"], None),
        (["wait="], None),
        (["wait"], None),
        (["await=7"], None),
        (['wait=""'], None),
        (['foo="a, wait=9", wait=3'], 3),
        (['foo="a\\", wait=9", wait=3'], 3),
        (["foo; wait=9"], None),
        (['foo; bar="x, wait=9"; wait=8, wait=3'], 3),
        (['foo="unended', "wait=3"], 3),
        (['foo="unended, wait=9'], None),
        (['foo="ends so\\', "wait=3"], 3),
        (["foo", "", ", ,", " wait\t=\t3 ;x"], 3),
        (["wait=5", "wait=9"], 5),
        (["wait=,wait=9"], None),
        (["=7"], None),
        ([], None),
    ],
)
def test_prefer_is_read_as_its_rfc_says(prefer: list[str], seconds: int | None) -> None:
    """The first wait counts, over several headers too; what is no number of seconds is ignored."""
    assert front.wait_in(prefer) == seconds


def test_a_hostile_preference_takes_no_time() -> None:
    """What is asked is read in one go, however it is written: quotes and escapes that never end cost nothing."""
    began = time.process_time()
    for text in ('"', '\\"', '"\\', "a=", ";", ",", '"a",'):
        front.wait_in([text * 60_000])
    assert time.process_time() - began < 5  # this takes a twentieth of a second; read quadratically, over a minute


async def test_a_stop_ends_the_wait(desk: Desk) -> None:
    """A wait under way when the process is told to stop ends within a second, and tells what is true."""

    def stop() -> None:
        desk.is_draining = True

    desk.waiter.meanwhile = stop
    answer = await desk.post(prefer="wait=20")
    assert (answer.status_code, desk.waiter.waits) == (202, [1.0])


async def test_a_store_lost_while_waiting(desk: Desk) -> None:
    """What was stored before the store went away was stored: the answer is 202, not 503."""

    def lose() -> None:
        desk.shelf.is_down = True

    desk.waiter.meanwhile = lose
    assert (await desk.post(prefer="wait=20")).status_code == 202


async def test_only_so_many_wait(desk: Desk) -> None:
    """While as many wait as may, the next ones are answered at once: a preference may be ignored."""
    release, full = asyncio.Event(), asyncio.Event()
    desk.waiter.gate = release
    desk.waiter.meanwhile = lambda: full.set() if len(desk.waiter.waits) == front.MAX_WAITING else None
    async with asyncio.TaskGroup() as group:
        waiting = [
            group.create_task(desk.post({"remove": f"+{n}"}, prefer="wait=20")) for n in range(front.MAX_WAITING)
        ]
        await full.wait()
        too_many = await desk.post(prefer="wait=20")
        release.set()
    assert (too_many.status_code, too_many.headers.get("preference-applied")) == (202, None)
    assert {task.result().headers["preference-applied"] for task in waiting} == {"wait=20"}
    assert (await desk.post(prefer="wait=1")).headers["preference-applied"] == "wait=1"


async def test_a_source_may_let_its_sender_wait(desk: Desk) -> None:
    """A source that is set to wait is told the outcome and what to make of it, under the status it takes for a yes."""
    desk.source.wait, desk.source.success_status, desk.source.language = 5, 200, "de"
    desk.waiter.meanwhile = settling(desk, 2)
    answer = await desk.post()
    assert (answer.status_code, "preference-applied" in answer.headers) == (200, False)
    assert answer.json()["outcome"]["kind"] == "disconnected"
    assert answer.json()["explanation"].endswith("Mehr ist nicht zu tun.")
    assert sum(desk.waiter.waits) <= 5


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_a_wait_in_vain_is_a_yes(desk: Desk, status: int) -> None:
    """Who never asked to wait gets the status it takes for a yes, also when the outcome is not known in time."""
    desk.source.wait, desk.source.success_status = 3, status
    answer = await desk.post()
    assert (answer.status_code, answer.json()["outcome"], answer.json()["explanation"]) == (status, None, None)
    assert sum(desk.waiter.waits) == 3


@pytest.mark.parametrize(
    "prefer, waited, applied",
    [
        ("wait=1", 1, "wait=1"),
        ("wait=0", 0, "wait=0"),
        ("wait=9", 9, "wait=9"),
        ("respond-async", 0, None),
        ("respond-async, wait=2", 2, "wait=2"),
        ("wait=soon", 4, None),
        ("return=minimal", 4, None),
    ],
)
async def test_what_is_asked_goes_before_the_setting(
    desk: Desk, prefer: str, waited: float, applied: str | None
) -> None:
    """A sender that says how long, or that it will not wait, is heard before its source's setting."""
    desk.source.wait = 4
    answer = await desk.post(prefer=prefer)
    assert (answer.status_code, answer.headers.get("preference-applied")) == (202, applied)
    assert sum(desk.waiter.waits) == waited


def test_the_setting_ends_where_the_door_does() -> None:
    """No source can be set to wait longer than the door waits for anybody."""
    assert WAIT_MOST == front.MAX_WAIT_SECONDS


@pytest.mark.parametrize("prefer, status", [("", 201), ("wait=5", 202)])
async def test_waiting_spoils_nothing(desk: Desk, prefer: str, status: int) -> None:
    """Whatever goes wrong while somebody waits, a stored action is a yes; the log has the fault."""

    def fail() -> None:
        raise ZeroDivisionError("canary")

    desk.source.wait, desk.source.success_status, desk.waiter.meanwhile = 5, 201, fail
    answer = await desk.post(prefer=prefer)
    assert (answer.status_code, answer.json()["status"], answer.json()["action"]) == (status, "accepted", ACTION)
    assert [(line["event"], line.get("fault")) for line in desk.lines()] == [
        ("delivery.accepted", None),
        ("fault.raised", "ZeroDivisionError"),
    ]
    desk.waiter.meanwhile = lambda: None
    assert (await desk.post(prefer="wait=1")).headers["preference-applied"] == "wait=1"


async def test_a_refusal_is_told_at_once(desk: Desk) -> None:
    """Nobody waits for what was not stored."""
    desk.source.wait = 5
    before = counted("desk", "unreadable")
    assert (await desk.post({"nothing": 1})).status_code == 422
    assert (counted("desk", "unreadable"), desk.waiter.waits) == (before + 1, [])
