"""`onhook explain`: the five calls from the field, told to a person and to a program."""

from __future__ import annotations

import json
from pathlib import Path

from service.cli import app
from tests.cli.conftest import Commands

FIRST = '{"participants":[{"participantId":"abc-123","action":"disconnect"}]}'
HERE = "/api/v2/conversations/calls/xyz-456"


def test_a_wrong_call(onhook: Commands) -> None:
    """What was tried, what it does, what was reported, the ids, the right call and the webhook: each on its line."""
    assert onhook("explain", "PATCH", HERE, "--body", FIRST) == 0
    lines = onhook.out.splitlines()
    assert [line[:16].strip() for line in lines] == [
        "", "vendor:", "reported only:", "", "your ids:", "your ids:", "right:", "or the webhook:"
    ]  # fmt: skip
    assert lines[0].strip().startswith("You tried to remove one participant by changing the whole call")
    assert lines[2].endswith("Somebody got: 409 Participant is not in the conversation.")
    assert lines[3].strip().startswith("Why you saw 409 is not confirmed; this tells you: ")
    assert lines[4][16:].startswith("xyz-456 is not a Genesys conversation id")


def test_a_right_call(onhook: Commands) -> None:
    """A call that is right is called so, and what nobody reported is not said."""
    assert onhook("explain", "get", "https://api.mypurecloud.de/api/v2/conversations/{conversationId}") == 0
    assert "This reads the conversation." in onhook.out
    assert "seen live:" in onhook.out
    assert "reported" not in onhook.out


def test_for_a_program(onhook: Commands, tmp_path: Path) -> None:
    """--json says the same as one object, and --body takes a file."""
    file = tmp_path / "body.json"
    file.write_text(FIRST, encoding="utf-8")
    assert onhook("explain", "PATCH", HERE, "--body", f"@{file}", "--json") == 0
    said = json.loads(onhook.out)
    assert (said["call"], said["ground"], said["is_right"]) == ("list-on-the-call", "vendor", False)
    assert said["reported"]["answer"] == "Participant is not in the conversation."
    assert len(said["ids"]) == 2
    assert onhook("explain", "DELETE", "/api/v2/conversations/{conversationId}", "--json") == 0
    assert json.loads(onhook.out)["reported"] is None


def test_no_such_file(onhook: Commands) -> None:
    """A body that cannot be read is said, and the exit code is 2."""
    assert onhook("explain", "PATCH", HERE, "--body", "@nowhere.json") == 2
    assert "--body: nowhere.json cannot be read" in onhook.err


def test_it_is_a_command() -> None:
    """It stands among the commands."""
    assert "explain" in {command.callback.__name__ for command in app.registered_commands if command.callback}
