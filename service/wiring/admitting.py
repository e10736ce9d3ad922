"""What `onhook admit` makes: a token for the console, which is seen once, and the lines of settings that know it."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import dataclass

from service.core.errors import Misconfigured
from service.settings import CONSOLE_NAME

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)  # a key of TOML that needs no quotes
_TOKEN_BYTES = 32  # nobody tries those out, so a plain hash of them is enough


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody who may get in, as soon as the settings say so.

    Attributes:
        token: what is typed at the console; it is kept nowhere.
        lines: for onhook.toml.
    """

    name: str
    role: str
    token: str
    token_sha256: str

    @property
    def lines(self) -> str:
        """What onhook.toml is to say."""
        key = self.name if _BARE.fullmatch(self.name) else json.dumps(self.name)
        return f'[console.tokens.{key}]\nrole = "{self.role}"\ntoken_sha256 = "{self.token_sha256}"\n'


def admitted(name: str, role: str) -> Admitted:
    """Return a new token for `name`.

    Raises:
        Misconfigured: that is no name.
    """
    if not CONSOLE_NAME.fullmatch(name):
        raise Misconfigured(["a name is 1 to 64 of a-z, 0-9, . _ @ -, with a letter or digit at both ends"])
    token = token_made()
    return Admitted(name, role, token, sha256_of(token))


def token_made() -> str:
    """Return a new token: a word by which scanners know it for a secret, and 32 bytes of chance."""
    return f"onhook_{secrets.token_urlsafe(_TOKEN_BYTES)}"


def sha256_of(token: str) -> str:
    """Return what the settings know a token by."""
    return hashlib.sha256(token.encode()).hexdigest()
