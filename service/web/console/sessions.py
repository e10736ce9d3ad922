"""Who somebody at the console is, and what he may do. Nothing of it is kept: a session is what its cookie says.

Each process of a deployment makes the same key out of the same settings, so a session holds at every one of them. The
cookie is signed by that key and by the hash of the token that it was opened with: a token that is changed, or taken out
of the settings, ends its sessions at their next request. The role is looked up each time and stands in no cookie.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# as `onhook admit` makes them: a word for scanners of secrets, and 32 bytes of chance. A token of another form is
# nobody's, so a weak one that a person made up and hashed by hand opens nothing
TOKEN = re.compile(r"onhook_[A-Za-z0-9_-]{43}", re.ASCII)
NAME = r"[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?"  # of who a token is for; no colon: the cookie has those
COOKIE = "onhook"
_COOKIE = re.compile(rf"({NAME}):([0-9]{{1,15}}):([0-9a-f]{{32}}):([0-9a-f]{{64}})", re.ASCII)
_SLACK = 60_000  # milliseconds that the clocks of two machines may differ by


class Role(StrEnum):
    """What somebody may do: look, or also act."""

    VIEWER = "viewer"
    OPERATOR = "operator"

    def covers(self, wanted: Role) -> bool:
        """Whether whoever has this role may do what `wanted` is needed for."""
        return self is wanted or self is Role.OPERATOR


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who has a token.

    Attributes:
        token_sha256: of the token, in lower-case hex. A plain hash does: nobody tries out 32 bytes of chance, and a
            slow one would let any stranger keep the process busy.
    """

    name: str
    role: Role
    token_sha256: str


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is in.

    Attributes:
        who: his name, as it stands in the audit.
        form_token: what each form of his carries, and nobody else's does.
        is_lent: the proxy before us says who he is; there is nothing to log out of.
    """

    who: str
    role: Role
    form_token: str
    is_lent: bool = False


class Sessions:
    """What opens sessions, and tells by their cookies whose they are.

    Args:
        holders: of the tokens.
        key: secret, and the same in each process of the deployment.
        seconds: how long a session lasts.
    """

    def __init__(self, holders: Sequence[Holder], key: bytes, seconds: int) -> None:
        self._holders = {holder.name: holder for holder in holders}
        self._key = key
        self.seconds = seconds

    @property
    def is_empty(self) -> bool:
        """Whether nobody has a token."""
        return not self._holders

    def holder_of(self, token: str) -> Holder | None:
        """Return whose token it is. It takes the same time whoever's it is, and if it is nobody's."""
        hashed = hashlib.sha256(token.encode()).hexdigest() if TOKEN.fullmatch(token) else ""
        found = None
        for holder in self._holders.values():
            if hmac.compare_digest(hashed, holder.token_sha256):
                found = holder
        return found

    def cookie(self, holder: Holder, now: int, chance: str) -> str:
        """Return the cookie of a new session; `chance` is 32 hex digits that no other session has."""
        said = f"{holder.name}:{now + self.seconds * 1000}:{chance}"
        return f"{said}:{self._signature(holder, said)}"

    def session(self, cookie: str, now: int) -> Session | None:
        """Return the session that a cookie stands for, or None: a forged one, one that is over, a token taken away."""
        found = _COOKIE.fullmatch(cookie)
        holder = self._holders.get(found[1]) if found else None
        if found is None or holder is None:
            return None
        said = cookie.rpartition(":")[0]
        if not hmac.compare_digest(found[4], self._signature(holder, said)):
            return None
        left = int(found[2]) - now
        # also where sessions were made shorter meanwhile: what would last longer than one of now is over
        if not 0 < left <= self.seconds * 1000 + _SLACK:
            return None
        return Session(holder.name, holder.role, self._keyed(f"form {said}"))

    def lent(self, who: str, role: Role) -> Session:
        """Return the session of somebody whom a trusted proxy names."""
        return Session(who, role, self._keyed(f"lent form {who}"), is_lent=True)

    def _signature(self, holder: Holder, said: str) -> str:
        return self._keyed(f"session {holder.token_sha256} {said}")

    def _keyed(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), "sha256").hex()
