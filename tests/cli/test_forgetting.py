"""`onhook forget`, beside a running service that removed somebody."""

from __future__ import annotations

import asyncio
import json
import os

import pytest
from typer.testing import CliRunner

from service import settings
from service.cli import app, forgetting
from service.wiring.house import opened_store
from tests.cli.conftest import Commands, Service
from tests.fixtures.redis import CountingDice
from tests.store.stories import offered
from tests.wiring.running import PHONE

TICKET = ("--ticket", "incident/f0e9d8c7b6a594837261504f3e2d1c0b", "--number", "INC0077001")


def _removed(beside: Commands, service: Service) -> None:
    """Let the service remove the caller of a new conversation, for a ticket."""
    cid = service.confer()
    asked = ("--conversation", cid, "--phone", PHONE, "--wait", "20", "--url", service.door)
    assert beside("send", "--source", "sandbox", *asked, *TICKET) == 0


def test_forget(beside: Commands, service: Service) -> None:
    """What just ended is named and stays, with exit code 1 and nothing of the ticket said; the log says who asked."""
    _removed(beside, service)
    assert beside("forget", "--ticket", "INC0077001", "--yes", "--by", "anna, request 7") == 1
    assert "org sandbox: 0 actions to forget" in beside.out
    assert "Forgotten: 0 actions" in beside.out
    assert "stays: " in beside.out
    assert "wait until it has ended, or `onhook pause`" in beside.out
    assert "INC0077001" not in beside.out
    assert beside("forget", "--log") == 0
    assert "sandbox  anna, request 7: a ticket, 0 actions, 0 refused deliveries" in beside.out
    assert beside("forget", "--ticket", "INC0077001", "--json") == 1
    (one,) = json.loads(beside.out)["orgs"].values()
    assert (one["found"], one["changed"], len(one["still_open"])) == (0, 0, 1)


async def _late() -> None:
    """Leave a click that is over already: the service settles it as expired, and no ticket is told."""
    clicked = {"event_at": 1, "max_age_seconds": 0, "channels": (), "requester": "late.riser", "source": "sandbox"}
    async with opened_store(settings.read(), may_start=False) as (store, _, _):
        receipt = await store.accept(offered(CountingDice(), action_id=f"sandbox.{7:026d}", org="sandbox", **clicked))
        async with asyncio.timeout(20):
            while (it := await store.read(receipt.action_id)) and not it.action.outcome:  # noqa: ASYNC110 - no bell
                await asyncio.sleep(0.05)  # real processes: the service settles it when it comes to it


@pytest.mark.parametrize("answer, code, said", [("n", 1, "Nothing was changed."), ("y", 0, "Forgotten: 1 action,")])
def test_asked_first(beside: Commands, answer: str, code: int, said: str) -> None:
    """Before anything is forgotten the person is asked, and a no changes nothing."""
    asyncio.run(_late())
    done = CliRunner().invoke(app, ["forget", "--requester", "Late.Riser", "--org", "sandbox"], input=f"{answer}\n")
    assert "org sandbox: 1 action to forget" in done.stdout
    assert said in done.stdout
    assert done.exit_code == code


def test_nothing_is_kept(beside: Commands) -> None:
    """Where there is nothing to forget nobody is asked, and it ends well; it is written down by the login name."""
    assert beside("forget", "--requester", "nobody at all") == 0
    assert "Forgotten: 0 actions, and the reasons of 0 refused deliveries." in beside.out
    assert beside("forget", "--log", "--json") == 0
    assert json.loads(beside.out.splitlines()[0])["by"] == forgetting._login()


def test_what_cannot_be_asked(beside: Commands) -> None:
    """Nobody named, or an org that is not there, is said."""
    assert beside("forget") == 2
    assert beside.err == "onhook: say one of --phone, --requester and --ticket\n"
    assert beside("forget", "--phone", PHONE, "--org", "dusk") == 2
    assert "there is no [orgs.dusk]" in beside.err


def test_nobody_is_logged_in() -> None:
    """In a container where the user has no name, the number of the user is written down."""

    def nameless() -> str:
        raise KeyError("no entry")

    assert forgetting._login(nameless) == f"uid {os.getuid()}"
