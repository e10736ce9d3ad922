"""A session is what its signed cookie says, for as long as the settings know its token; nobody makes one himself."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from service.web.console.sessions import NAME, Holder, Role, Sessions
from tests.web.console.ground import BETH, HOLDERS, VERA

KEY, CHANCE, NOW = b"the key", "0f" * 16, 1_795_165_200_123
HOUR = 3600


def sessions(*holders: Holder, key: bytes = KEY, seconds: int = HOUR) -> Sessions:
    """Return what tells sessions of two people, or of others."""
    return Sessions(holders or HOLDERS, key, seconds)


def cookie(of: Holder = HOLDERS[0]) -> str:
    """Return a fresh cookie."""
    return sessions().cookie(of, NOW, CHANCE)


@pytest.mark.parametrize(
    "token, name",
    [
        (BETH, "beth"),
        (VERA, "vera"),
        ("", None),
        (BETH[:-1], None),
        (BETH + "b", None),
        (BETH.upper(), None),
        (BETH + "\n", None),
        (f" {BETH}", None),
        ("onhook_" + "ü" * 43, None),
        ("\ud800", None),
        (HOLDERS[0].token_sha256, None),
    ],
)
def test_whose_token(token: str, name: str | None) -> None:
    """A token is its holder's, to the letter; its hash, which stands in the settings, is nobody's token."""
    found = sessions().holder_of(token)
    assert (found and found.name) == name


def test_a_weak_token_is_nobodys() -> None:
    """A word that a person made up and hashed by hand opens nothing: only what `onhook admit` makes is a token."""
    weak = Holder("ann", Role.OPERATOR, hashlib.sha256(b"secret").hexdigest())
    empty = Holder("eve", Role.OPERATOR, hashlib.sha256(b"").hexdigest())
    assert sessions(weak, empty).holder_of("secret") is None
    assert sessions(weak, empty).holder_of("") is None


def test_a_session() -> None:
    """A cookie stands for its holder until it ends, in each process with the same key."""
    made = cookie()
    for moment in (NOW, NOW + HOUR * 1000 - 1):
        found = sessions().session(made, moment)
        assert found
        assert (found.who, found.role, found.is_lent) == ("beth", Role.OPERATOR, False)
    assert sessions().session(made, NOW + HOUR * 1000) is None


def test_every_character_counts() -> None:
    """A cookie with any one character changed, left out or added is nobody's."""
    made = cookie()
    told = sessions()
    for place, old in enumerate(made):
        for new in ("", "0" if old != "0" else "1", old + "0"):
            assert told.session(made[:place] + new + made[place + 1 :], NOW) is None
    assert told.session("", NOW) is None
    assert told.session(made + "\n", NOW) is None


def test_nobody_signs_for_another() -> None:
    """Neither another key, nor somebody else's name, nor a later end fits a signature."""
    made = cookie()
    assert sessions(key=b"another").session(made, NOW) is None
    name, ends, chance, signature = made.split(":")
    assert sessions().session(f"vera:{ends}:{chance}:{signature}", NOW) is None
    assert sessions().session(f"{name}:{int(ends) + 1}:{chance}:{signature}", NOW) is None


def test_a_token_that_is_taken_away_ends_its_sessions() -> None:
    """Whoever is not in the settings any more, or has a new token there, is out at his next request."""
    beth, vera = HOLDERS
    assert sessions(vera).session(cookie(beth), NOW) is None
    assert sessions(replace(beth, token_sha256="ab" * 32), vera).session(cookie(beth), NOW) is None
    assert sessions(vera).session(cookie(vera), NOW) is not None


def test_the_role_is_that_of_now() -> None:
    """Who was made a viewer meanwhile is one at his next request."""
    beth, vera = HOLDERS
    found = sessions(replace(beth, role=Role.VIEWER), vera).session(cookie(beth), NOW)
    assert found
    assert found.role is Role.VIEWER


def test_shorter_sessions_end_longer_ones() -> None:
    """Where sessions were made shorter, those that would last longer are over; clocks may differ by a minute."""
    made = cookie()
    assert sessions(seconds=HOUR - 61).session(made, NOW) is None
    assert sessions(seconds=HOUR - 60).session(made, NOW) is not None


def test_each_session_has_its_own_forms() -> None:
    """What the forms of one session carry fits no other, also of the same person; a lent one's is its person's."""
    told = sessions()
    one, other = told.cookie(HOLDERS[0], NOW, CHANCE), told.cookie(HOLDERS[0], NOW, "1f" * 16)
    found = [told.session(made, NOW) for made in (one, other, one)]
    tokens = [session and session.form_token for session in found]
    assert tokens[0] == tokens[2] != tokens[1]
    lent = [told.lent(name, Role.VIEWER).form_token for name in ("beth", "vera", "beth")]
    assert lent[0] == lent[2] != lent[1]
    assert len({*tokens, *lent}) == 4


@pytest.mark.parametrize(
    "has, wanted, may",
    [
        ("viewer", "viewer", True),
        ("viewer", "operator", False),
        ("operator", "viewer", True),
        ("operator", "operator", True),
    ],
)
def test_roles(has: str, wanted: str, may: bool) -> None:
    """A viewer looks; an operator looks and acts."""
    assert Role(has).covers(Role(wanted)) is may


def test_names_have_no_colon() -> None:
    """What stands between the parts of a cookie is in no name."""
    assert ":" not in NAME.replace("(?:", "")
    assert sessions().is_empty is False
    assert Sessions((), KEY, HOUR).is_empty is True
