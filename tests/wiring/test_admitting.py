"""A token for the console: long, made anew each time, and let in by exactly the lines that come with it."""

from __future__ import annotations

import tomllib

import pytest

from service import settings
from service.core.errors import Misconfigured
from service.settings import ConsoleSettings
from service.web.console.sessions import TOKEN, Sessions
from service.wiring.admitting import admitted
from service.wiring.console import holders_of


@pytest.mark.parametrize("name", ["beth", "beth@acme.example", "b.2-c_d"])
@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_the_lines_let_the_token_in(name: str, role: str) -> None:
    """What is printed for the settings is read by them, and lets in that token as that person, and no other."""
    made, other = admitted(name, role), admitted(name, role)
    said = ConsoleSettings.model_validate(tomllib.loads(made.lines)["console"])
    sessions = Sessions(holders_of(said), b"key", 60)
    holder = sessions.holder_of(made.token)
    assert holder
    assert (holder.name, holder.role.value) == (name, role)
    assert sessions.holder_of(other.token) is None


def test_tokens_are_chance() -> None:
    """Each token is another one, of the form that alone is taken; the lines do not hold it."""
    made = [admitted("beth", "viewer") for _ in range(100)]
    assert len({one.token for one in made}) == 100
    assert all(TOKEN.fullmatch(one.token) for one in made)
    assert not any(one.token in one.lines or one.token[7:] in one.lines for one in made)


def test_no_name() -> None:
    """What the settings would not take as a name gets no token."""
    assert settings.CONSOLE_NAME.fullmatch("beth")
    with pytest.raises(Misconfigured, match="a name is 1 to 64 of"):
        admitted("Beth B.", "viewer")
