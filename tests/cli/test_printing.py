"""How commands show what they found: nothing of it acts on a terminal or in a spreadsheet."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from service.cli import printing
from service.wiring.watching import NotDone

# colours and clears a screen, sets a window's title, turns what follows, hides it; eight-bit controls as well
HOSTILE = "\x1b[31m\x1b[2J\x1b]0;owned\x07 \x9b31m\u202ereversed\u200b\r\nforged line \ud800 [bold red]no[/] :skull:"
ACTING = "\x1b\x07\x9b\u202e\u200b\r\ud800"


@pytest.fixture(params=[False, True], ids=["pipe", "terminal"])
def is_terminal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Print into a pipe, and on a terminal of eighty columns."""
    if request.param:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "200")
    return bool(request.param)


def test_a_table(is_terminal: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal rows stand under their heads; in a pipe there are the values alone, tabs between."""
    printing.table(["who", "how many", "back"], [("anna", 3, True), ("", None, False)], "People")
    out = capsys.readouterr().out
    if not is_terminal:
        assert out == "anna\t3\tyes\n\t\t\n"
        return
    assert "People" in out
    assert "how many" in out
    assert out.index("who") < out.index("anna")


@pytest.mark.parametrize(
    "columns, shown, left",
    [
        ("80", ["action", "outcome", "note"], "more"),
        ("60", ["action", "outcome"], "note, more"),
        ("20", ["action"], ""),
    ],
)
def test_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: str, shown: list[str], left: str
) -> None:
    """What has no room is left out and named; an id is never cut, and only the last column is folded."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", columns)
    note = "several words that go on and on and on and on"
    printing.table(["action", "outcome", "note", "more"], [("a" * 34, "disconnected", note, "b" * 30)])
    out = re.sub("\x1b\\[[0-9;]*m", "", capsys.readouterr().out)
    assert out.split("\n")[0].split() == shown
    assert ("a" * 34 in out) is (columns != "20")
    assert ("on and on" in out) is ("note" in shown)
    assert "bb" not in out
    assert f"Not shown: {left}" in " ".join(out.split())


def test_hostile_text_in_a_table(is_terminal: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Text of a webhook colours nothing, turns nothing, makes no line of its own, and is no markup."""
    printing.table(["said"], [(HOSTILE,)])
    out = capsys.readouterr().out
    said = next(row for row in out.split("\n") if "forged" in row)
    assert "[bold red]no[/] :skull:" in said
    assert "owned" in said
    assert not set(ACTING) & set(said)


def test_hostile_text_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor does it in JSON, however deep, in facts, in CSV, and in what is said beside."""
    printing.line({"said": [HOSTILE, {"deep": HOSTILE}], "none": None, "number": 1.5})
    printing.facts([("said", HOSTILE), ("nothing", ""), ("none", None)])
    printing.writer(is_csv=True)({"said": HOSTILE})
    printing.say(HOSTILE)
    out, err = capsys.readouterr()
    assert not set(ACTING) & set(out + err)
    assert len(out.splitlines()) == 4
    read = json.loads(out.splitlines()[0])
    assert (read["none"], read["number"], read["said"][1]["deep"]) == (None, 1.5, read["said"][0])


def test_nothing_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing was done of what was asked it ends with 1, in words; else with what came of it."""

    async def work(why: str) -> int:
        await asyncio.sleep(0)
        if why:
            raise NotDone(why)
        return 7

    assert printing.done(work("")) == 7
    with pytest.raises(SystemExit) as ended:
        printing.done(work("it fits two:\n  one\n  two \x1b[31m"))
    assert ended.value.code == 1
    assert capsys.readouterr().err == "onhook: it fits two:\nonhook:   one\nonhook:   two �[31m\n"


def test_a_file_of_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON Lines are a document each; CSV begins with the keys, once."""
    for is_csv, said in ((False, '{"a": 1}\n{"a": 2}\n'), (True, "a\n1\n2\n")):
        write = printing.writer(is_csv=is_csv)
        write({"a": 1})
        write({"a": 2})
        assert capsys.readouterr().out == said


def test_rows_as_they_come(is_terminal: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """A row is shown before the next: under its heads on a terminal, with tabs in a pipe; it acts on neither."""
    show = printing.columns({"said_by": 6, "said": 4, "how": 1})
    show({"said_by": "anna", "said": HOSTILE, "how": 1, "more": "not asked for"})
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) == (3 if is_terminal else 2)
    said = lines[-2]
    assert not set(ACTING) & set(said)
    assert said.startswith("anna    " if is_terminal else "anna\t")
    assert ("said by  said  how" in lines[0]) is is_terminal


def test_progress(is_terminal: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """How far it is is shown on a terminal alone, and never between the answers."""
    with printing.progress("told again", 2) as step:
        step()
        step()
    out, err = capsys.readouterr()
    assert out == ""
    assert ("2/2" in err) is is_terminal
    with printing.progress("written", is_beside=True) as step:
        step()
    assert capsys.readouterr() == ("", ""), "not between lines that are printed to the same terminal"
