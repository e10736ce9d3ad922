"""The page on connecting a Genesys Cloud org says what the code does: messages, regions, settings, commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.cli import app
from service.genesys.options import REGIONS, GenesysOptions
from service.sandbox import diagnosis
from service.settings import OrgSettings
from tests.deploy import guide

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "deploy" / "genesys" / "README.md").read_text(encoding="utf-8")

PIECES = (
    "Cannot disconnect participant p-12345678-90ab-cdef-1234-567890abcdef",
    "Participant is not in a disconnectable",
)
IN_FLUX = "The requested action cannot be completed because of the current state of the resource."
VERBATIM = [
    "409 Participant is not in the conversation.",
    f'409 {{"message":"{PIECES[0]}: {PIECES[1]} state","errors":[]}}',
    "204 success, and the call ended for everyone",
    "404",
    f'409 {{"code":"conflict","message":"{IN_FLUX}"}}',
]


def test_what_the_messages_mean_is_the_table() -> None:
    """The explanations stand there as the table has them, made from it word for word."""
    begin, end = PAGE.index(guide.BEGIN), PAGE.index(guide.END) + len(guide.END)
    assert PAGE[begin:end] == guide.guide(), "python -m tests.deploy.guide prints what must stand there"


@pytest.mark.parametrize("message", VERBATIM)
def test_each_message_stands_there_verbatim(message: str) -> None:
    """Whoever searches for the message that he saw finds it, with what it tells and what to do instead."""
    _, _, after = PAGE.partition(f"### `{message}`\n")
    said = after.partition("###")[0]
    assert f"Why you saw {message[:3]} is not confirmed; this tells you: " in said
    assert "- Instead: " in said


def test_no_other_call_is_left_out() -> None:
    """Every call that the table knows to be wrong is explained on the page."""
    for row in diagnosis.TABLE:
        assert row.is_right or row.name == diagnosis.ELSEWHERE or row.does in PAGE


def test_the_regions_are_all_there() -> None:
    """The page names each region with its domain, and none that is not."""
    rows = re.findall(r"`([a-z]+_[a-z_]+_\d)` \| `([a-z0-9.-]+)`", PAGE)
    assert dict(rows) == dict(REGIONS)


def test_the_ways_are_the_settings() -> None:
    """The table of ways names each value that the setting takes."""
    field = GenesysOptions.model_fields["route"]
    known = re.findall(r"'(\w+)'", str(field.annotation))
    assert known
    assert re.findall(r"^\| `(\w+)` \| ", PAGE, re.MULTILINE)[-len(known) :] == known


def test_it_names_only_what_there_is() -> None:
    """Commands and settings that the page speaks of are there; the permissions and scopes are those of the table."""
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert set(re.findall(r"`onhook (\w+)", PAGE)) <= commands
    settings = {"mode", "last_pair", "region", "route", "on_behalf_of"}
    assert all(f"`{name}" in PAGE for name in settings)
    assert settings <= set(OrgSettings.model_fields)
    assert all(f"`{scope}`" in PAGE for scope in diagnosis._SCOPES)
    role = PAGE.partition("exactly two permissions")[2].partition("2. An OAuth client")[0]
    assert re.findall(r"`([a-z:]+)`", role) == diagnosis._PERMISSIONS.split(" and ")
