"""What `onhook admit` prints: the token once, and the lines that let it in."""

from __future__ import annotations

import hashlib
import json
import re

from tests.cli.conftest import Commands


def test_words(onhook: Commands) -> None:
    """In words: the token stands there once, its hash in lines for onhook.toml."""
    assert onhook("admit", "beth", "--role", "operator") == 0
    (token,) = re.findall(r"onhook_[\w-]{43}", onhook.out)
    hashed = hashlib.sha256(token.encode()).hexdigest()
    assert f'[console.tokens.beth]\nrole = "operator"\ntoken_sha256 = "{hashed}"\n' in onhook.out


def test_a_viewer_unless_said(onhook: Commands) -> None:
    """As a document it is the same; whoever says no role may look and no more."""
    assert onhook("admit", "vera", "--json") == 0
    made = json.loads(onhook.out)
    assert (made["name"], made["role"]) == ("vera", "viewer")
    assert made["token_sha256"] == hashlib.sha256(made["token"].encode()).hexdigest()


def test_wrong(onhook: Commands) -> None:
    """What is no name, or no role, is said, and nothing is made."""
    assert (onhook("admit", "B B"), onhook.out) == (2, "")
    assert "a name is 1 to 64 of" in onhook.err
    assert (onhook("admit", "beth", "--role", "admin"), onhook.out) == (2, "")
