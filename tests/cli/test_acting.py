"""`onhook actions`: find, look at, write out, ask again, give up; on a terminal, in a pipe, and for programs."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from service.cli import acting, app
from service.core import model as m
from service.wiring.documents import action_line
from tests.cli.conftest import Commands, Service
from tests.cli.test_printing import ACTING, HOSTILE
from tests.commands import documented
from tests.store.stories import ORG, uuid
from tests.wiring.kept import OTHER, Kept
from tests.wiring.running import PHONE

FAILED = m.Outcome(
    m.OutcomeKind.FAILED, "no_effect", m.Reply(409, "conflict", "still there", "c-1"), remaining={"agent": 2}
)
BY_ID = m.Selector(m.SelectorKind.PARTICIPANT_ID, uuid(3))
NOBODY = f"{ORG}.{'0' * 26}"
WHY = ("--why", "wrong caller")


def test_list(onhook: Commands, kept: Kept) -> None:
    """Actions stand in a row each, the newest first; for programs with all that is known, and where to go on."""
    old = asyncio.run(kept.settled(outcome=FAILED, requester="beth.anglin"))
    new = asyncio.run(kept.accepted(OTHER))
    assert (onhook("actions", "list"), onhook.err) == (0, "")
    rows = [line.split("\t") for line in onhook.out.splitlines()]
    assert [(row[0], row[1], row[5], row[6], row[7]) for row in rows] == [
        (new, "open", "", "jsm", ""),
        (old, "failed", "no_effect", "desk", "beth.anglin"),
    ]
    assert onhook("actions", "list", "--limit", "1", "--json") == 0
    page = json.loads(onhook.out)
    assert set(page) == {"actions", "after"}
    assert set(page["actions"][0]) == set(action_line(asyncio.run(kept.account(old)).action))
    assert onhook("actions", "list", "--limit", "1") == 0
    assert onhook.err == f"onhook: there is more: the same with --after {page['after']}\n"
    assert onhook("actions", "list", "--after", page["after"], "--search", "beth.anglin") == 0
    assert onhook.out.startswith(old)


def test_nothing_fits(onhook: Commands, kept: Kept) -> None:
    """Where nothing fits that is said beside the answer, which is empty; what is misspelt ends with 2."""
    assert (onhook("actions", "list"), onhook.out) == (0, "")
    assert onhook.err == "onhook: nothing fits; with fewer words, or for a longer time, there may be more\n"
    assert onhook("actions", "list", "--outcome", "gone") == 2
    assert "there are: " in onhook.err
    assert set(acting._outcomes()) == {"open", *m.OutcomeKind}


def test_the_last_page(onhook: Commands, kept: Kept) -> None:
    """A page that is empty because the one before was the last gives no advice."""
    action_id = asyncio.run(kept.accepted())
    assert onhook("actions", "list", "--after", action_id.rpartition(".")[2]) == 0
    assert onhook.err == "onhook: nothing fits\n"


@pytest.mark.parametrize("is_terminal", [False, True])
def test_show(onhook: Commands, kept: Kept, monkeypatch: pytest.MonkeyPatch, is_terminal: bool) -> None:
    """One action is told whole: how it ended and why, what an operator needs, the timeline, sends and reports."""
    action_id, other = asyncio.run(kept.settled(outcome=FAILED, requester="beth.anglin")), asyncio.run(_sent(kept))
    if is_terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "200")
    assert (onhook("actions", "show", action_id), onhook.err) == (0, "")
    for said in ("failed (no_effect)", "desk, INC0010112, beth.anglin", "phone …0123", "2 agent", "c-1"):
        assert said in onhook.out
    assert ("Timeline" in onhook.out) is is_terminal
    assert "from the click" in onhook.out
    assert onhook("actions", "show", other) == 0
    assert "accepted" in onhook.out
    assert onhook("actions", "show", action_id, "--json") == 0
    told = json.loads(onhook.out)
    assert (told["action"], told["outcome"]["kind"], told["requester"]) == (action_id, "failed", "beth.anglin")


async def _sent(kept: Kept) -> str:
    """Leave an open action without a ticket of which something was sent."""
    action_id = await kept.accepted(OTHER, ticket=None)
    async with kept.opened() as (store, _, _):
        (claim,) = await store.claim(OTHER, "w1", kept.dice.token(), 10)
        await store.mark_sent(claim.lease, claim.epoch, m.Progress(), ())
        await store.answered(claim.lease, 1, m.Answer(m.AnswerKind.ACCEPTED, m.Reply(status=202), 5), ())
    return action_id


def test_an_answer_that_never_came(onhook: Commands, kept: Kept) -> None:
    """A send without an answer is shown without one."""

    async def marked() -> str:
        action_id = await kept.accepted()
        async with kept.opened() as (store, _, _):
            (claim,) = await store.claim(ORG, "w1", kept.dice.token(), 10)
            await store.mark_sent(claim.lease, claim.epoch, m.Progress(), ())
        return action_id

    assert onhook("actions", "show", asyncio.run(marked())) == 0
    (send,) = [line for line in onhook.out.splitlines() if line.startswith("1\t")]
    assert send.split("\t")[1:6] == [""] * 5


def test_which_action(onhook: Commands, kept: Kept) -> None:
    """What is there not, or more than once, ends with 1 and says what to do; an org that is not here with 2."""
    ids = [asyncio.run(kept.accepted()), asyncio.run(kept.accepted(OTHER))]
    assert onhook("actions", "show", "INC0010112") == 1
    assert "fits 2 actions; say which, by its id:" in onhook.err
    assert all(one in onhook.err for one in ids)
    assert onhook("actions", "show", NOBODY, "--json") == 1
    assert (onhook.out, onhook.err.startswith(f"onhook: there is no action {NOBODY}")) == ("", True)
    assert onhook("actions", "show", f"dusk.{'0' * 26}") == 2
    assert "here they begin with acme.…, beta.…" in onhook.err


def test_hostile_words(onhook: Commands, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody wrote into a webhook acts on no terminal and in no spreadsheet, whichever way it is shown."""
    hostile = HOSTILE.replace("\ud800", "")  # a lone surrogate is refused at the door, and in no encoding of Redis
    action_id = asyncio.run(
        kept.settled(requester=f"=1+1 {hostile}", reason=hostile, ticket=m.Ticket("incident/9", hostile))
    )
    for words in (("list",), ("list", "--json"), ("show", action_id), ("show", action_id, "--json"), ("export",)):
        assert onhook("actions", *words) == 0
        assert "owned" in onhook.out
        assert not set(ACTING) & set(onhook.out)
    assert onhook("actions", "export", "--format", "csv") == 0
    (row,) = csv.DictReader(io.StringIO(onhook.out))
    assert row["requester"].startswith("'=1+1 ")
    assert not set(ACTING) & set(row["requester"] + row["ticket"])
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "400")
    for words in (("list",), ("show", action_id)):
        assert onhook("actions", *words) == 0
        assert not set(ACTING) - {"\x1b"} & set(onhook.out)
        assert "\x1b[2J" not in onhook.out
        assert "\x1b]" not in onhook.out


def test_export(onhook: Commands, kept: Kept) -> None:
    """All that fit are written, as lines of JSON or as CSV with the same keys; a table is not."""
    ids = asyncio.run(kept.many(3))
    assert onhook("actions", "export") == 0
    lines = [json.loads(line) for line in onhook.out.splitlines()]
    assert [line["action"] for line in lines] == ids[::-1]
    assert onhook("actions", "export", "--format", "csv", "--since", "1h") == 0
    rows = list(csv.DictReader(io.StringIO(onhook.out)))
    assert [row["action"] for row in rows] == ids[::-1]
    assert set(rows[0]) == set(lines[0])
    assert onhook("actions", "export", "--format", "table") == 2
    assert "`onhook actions list` shows a table" in onhook.err


def test_whoever_stops_reading(onhook: Commands, kept: Kept) -> None:
    """A pipe that closes early (`| head`) ends it quietly: no traceback, nothing on standard error."""
    asyncio.run(kept.many(300))
    reading, writing = os.pipe()
    with subprocess.Popen(
        (sys.executable, "-m", "service", "actions", "export"),
        env=os.environ,
        stdout=writing,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(writing)
        assert os.read(reading, 1) == b"{"
        os.close(reading)
        _, err = process.communicate(timeout=60)
    assert err == b""


def test_replay(beside: Commands, service: Service) -> None:
    """Who would go is shown first; asked again it is done, and how it ended is told; without a yes nothing is."""
    cid = service.confer()
    (customer,) = [one for one in service.people(cid) if one["purpose"] == "customer"]
    asked = ("--conversation", cid, "--participant", str(customer["id"]), "--wait", "20")
    assert beside("send", "--source", "sandbox", "--url", service.door, *asked) == 0
    old = str(json.loads(beside.out.splitlines()[0])["action"])
    again = ("actions", "replay", old, "--within", "60", "--why", "she is back")
    assert beside(*again, "--json") == 1
    told = json.loads(beside.out)
    assert set(told) == documented("Asked again")
    assert (told["of"], told["replay"], told["ended"]) == (old, None, None)
    assert (told["preview"]["preview"], told["preview"]["outcome"]["kind"]) == (True, "already_gone")
    no = CliRunner().invoke(app, list(again), input="n\n")
    assert no.exit_code == 1
    assert "Preview: already_gone: " in no.output
    assert "nothing was asked again" in no.output
    assert beside(*again, "--yes") == 0
    assert "Asked again as sandbox." in beside.out
    assert beside(*again, "--yes", "--json") == 0
    told = json.loads(beside.out)
    assert (told["ended"]["replay_of"], told["ended"]["outcome"]["kind"]) == (old, "already_gone")
    assert service.present(cid) == ["agent", "agent", "external"]


def test_replay_while_nobody_works(onhook: Commands, kept: Kept) -> None:
    """Where no worker settles the preview in time that is said; what cannot be asked again ends with 1, in words."""
    old = asyncio.run(kept.settled(outcome=FAILED, selector=BY_ID))
    assert onhook("actions", "replay", old, "--yes", "--wait", "0", *WHY) == 0
    assert "Preview: no outcome in 0 s; does a worker run, and is the org paused?" in onhook.out
    assert "Asked again as acme." in onhook.out
    cut = asyncio.run(kept.settled(outcome=FAILED))
    assert onhook("actions", "replay", cut, *WHY) == 1
    assert "click again on the ticket" in onhook.err


def test_drop(onhook: Commands, kept: Kept) -> None:
    """An open action is given up after a yes; one that has ended is said to have."""
    action_id = asyncio.run(kept.accepted())
    no = CliRunner().invoke(app, ["actions", "drop", action_id, *WHY], input="n\n")
    assert (no.exit_code, "nothing was dropped" in no.output) == (1, True)
    assert onhook("actions", "drop", action_id, "--json", *WHY) == 2
    assert onhook.err == "onhook: --json does not ask: say --yes to drop it\n"
    assert onhook("actions", "drop", action_id, "--yes", *WHY) == 0
    assert onhook.out == f"Dropped: {action_id}.\n"
    assert onhook("actions", "drop", action_id, "--yes", *WHY) == 1
    other = asyncio.run(kept.accepted())
    assert (onhook("actions", "drop", other, "--yes", "--json", *WHY), json.loads(onhook.out)) == (
        0,
        {"dropped": other},
    )
    assert documented("Given up") == {"dropped"}
    assert onhook("actions", "show", action_id, "--json") == 0
    assert json.loads(onhook.out)["outcome"]["reason"] == "dropped"


@pytest.mark.parametrize("act", ["replay", "drop"])
def test_nothing_without_a_reason(onhook: Commands, act: str) -> None:
    """Who has somebody removed, or not removed, says why: it stands in the audit."""
    assert onhook("actions", act, NOBODY, "--yes") == 2
    assert "Missing option '--why'" in onhook.err


def test_the_number_is_never_whole(onhook: Commands, kept: Kept) -> None:
    """Also while an action is open, and its record has the number whole, no way to look at it shows more than four."""
    action_id = asyncio.run(kept.accepted(reason=f"call {PHONE}"))
    for words in (("list",), ("list", "--json"), ("show", action_id), ("show", action_id, "--json"), ("export",)):
        assert onhook("actions", *words) == 0
        assert "0123" in onhook.out
        assert "5550123" not in onhook.out
