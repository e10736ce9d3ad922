"""`onhook dead`: what could not be told, by cause; told again, one, many or all."""

from __future__ import annotations

import asyncio
import json

import pytest
from typer.testing import CliRunner

from service.cli import app, retelling
from tests.cli.conftest import Commands
from tests.commands import documented
from tests.wiring.kept import OTHER, Kept

CLOSED = "403: … is closed"


async def _letters(kept: Kept) -> list[str]:
    """Leave three dead letters of two causes."""
    return [
        await kept.dead(),
        await kept.dead(error="403: INC0010112 is closed"),
        await kept.dead(OTHER, "403: INC0010113 is closed"),
    ]


def test_list(onhook: Commands, kept: Kept) -> None:
    """Letters are shown by cause, or each; for programs each is a line with its cause."""
    assert (onhook("dead", "list"), onhook.out) == (
        0,
        "There is no dead letter: every ticket was told, or is still tried.\n",
    )
    assert (onhook("dead", "list", "--json"), onhook.out) == (0, "")
    missing, closed, other = asyncio.run(_letters(kept))
    assert onhook("dead", "list") == 0
    assert onhook.out == f"2\tdesk, jsm\t{CLOSED}\n1\tdesk\t404: no such ticket\n"
    assert onhook("dead", "list", "--each", "--org", "acme") == 0
    assert [line.split("\t")[0] for line in onhook.out.splitlines()] == [closed, missing]
    assert onhook("dead", "list", "--json") == 0
    lines = [json.loads(line) for line in onhook.out.splitlines()]
    assert (lines[0]["report"], lines[0]["cause"]) == (other, CLOSED)


def test_retell_by_id(onhook: Commands, kept: Kept) -> None:
    """Named letters are told again at once, and what is none is said; where none was, it ends with 1."""
    missing, closed, _ = asyncio.run(_letters(kept))
    assert onhook("dead", "retell", missing, "none", "--why", "opened again") == 0
    assert onhook.out == "Due again: 1 dead letter.\n"
    assert onhook.err == f"onhook: none was left: {retelling._LEFT}\n"
    assert onhook("dead", "retell", missing, "--json") == 1
    assert json.loads(onhook.out) == {"told": [], "left": [missing]}
    assert documented("Told again") == {"told", "left"}
    assert onhook("audit", "--json", "--org", "acme") == 0
    deeds = [json.loads(line) for line in onhook.out.splitlines()]
    (retold,) = [one for one in deeds if one["deed"] == "retell"]
    assert (retold["about"], retold["why"], retold["ticket"]) == (missing, "opened again", "INC0010112")
    assert closed not in {one["about"] for one in deeds}


@pytest.mark.parametrize(
    "answer, code, said", [("n", 1, "nothing was told again"), ("y", 0, "Due again: 2 dead letters.")]
)
def test_retell_by_cause(onhook: Commands, kept: Kept, answer: str, code: int, said: str) -> None:
    """Before many are told again the person is asked, and a no changes nothing."""
    asyncio.run(_letters(kept))
    done = CliRunner().invoke(app, ["dead", "retell", "--cause", "is closed"], input=f"{answer}\n")
    assert "Tell 2 dead letters again?" in done.output
    assert said in done.output
    assert done.exit_code == code
    assert onhook("dead", "list", "--json") == 0
    assert len(onhook.out.splitlines()) == (3 if code else 1)


def test_retell_all(onhook: Commands, kept: Kept) -> None:
    """All are told again without a question where that was said; where there is none it ends with 1."""
    letters = asyncio.run(_letters(kept))
    assert onhook("dead", "retell", "--all", "--json") == 2
    assert onhook.err == "onhook: --json does not ask: say --yes to tell 3 dead letters again\n"
    assert onhook("dead", "retell", "--all", "--yes", "--json") == 0
    assert set(json.loads(onhook.out)["told"]) == set(letters)
    assert onhook("dead", "retell", "--all", "--yes") == 1
    assert onhook.err == "onhook: there is no dead letter: every ticket was told, or is still tried\n"


@pytest.mark.parametrize("words", [(), ("x", "--all"), ("--all", "--cause", "x")])
def test_which(onhook: Commands, words: tuple[str, ...]) -> None:
    """It is to be said which letters, in one way."""
    assert onhook("dead", "retell", *words) == 2
    assert onhook.err == "onhook: say which dead letters: their ids, or --cause, or --all\n"


def test_no_such_cause(onhook: Commands, kept: Kept) -> None:
    """Words that fit no cause are said, with the causes that there are."""
    asyncio.run(_letters(kept))
    assert onhook("dead", "retell", "--cause", "gone", "--yes") == 1
    assert f"onhook:   {CLOSED} (2)\n" in onhook.err
