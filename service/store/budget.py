"""An org's budget: one bucket in Redis for all workers, which learns from what Genesys says with each answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from service.core.ports import Call, Dice, Told
from service.store.keys import Keys, Lives, hex_in
from service.store.script import Runner, script

# what is believed of a window's allowance: below, ten removals a minute would not fit, so a word that says so is taken
# for this; above ten times what the vendor gives everybody, it is a slip of somebody's, and nothing of it is believed
LEAST_ALLOWED, MOST_ALLOWED = 30, 3_000
# more than any window has calls, and still an exact number in Lua
_MOST_COUNTED = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """What an org's Genesys API takes until it says so itself.

    Attributes:
        per_minute: calls a minute, shared by all workers.
        burst: so many at once after a rest, a tenth of what a window has. All of it is for a confirming look; a removal
            leaves a quarter of it, a first look half of it: what was begun is ended before more is begun.
        window_seconds: how long Genesys counts before it begins anew; the vendor's is a minute.
    """

    per_minute: float = 300.0
    burst: int = 30
    window_seconds: float = 60.0

    @property
    def words(self) -> tuple[str, str, str]:
        """The window in microseconds, its calls, and the burst, as the scripts take them."""
        allowed = self.per_minute * self.window_seconds / 60
        return f"{self.window_seconds * 1_000_000:.0f}", repr(float(allowed)), str(self.burst)


def ms_of(seconds: float) -> str:
    """Return whole milliseconds, none below zero, as the scripts take them."""
    return f"{max(seconds, 0.0) * 1000:.0f}"


class RedisBudget:
    """Meets the port `Budget`.

    Args:
        runner: brings scripts to Redis; `client.Link` in production.
        dice: for the nonce by which a step is known when it is asked again, and the name of our window.
        keys: the names of all keys.
        lives: how long what has ended stays.
        rate: the budget of an org that has not told its own yet.
        now_ms: the clock of a simulation; None in production, where Redis' own clock counts.
    """

    def __init__(
        self,
        runner: Runner,
        dice: Dice,
        *,
        keys: Keys | None = None,
        lives: Lives | None = None,
        rate: Rate | None = None,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self._runner = runner
        self._dice = dice
        self._keys = keys or Keys()
        self._lives = lives or Lives()
        self._rate = rate or Rate()
        self._now_ms = now_ms
        # Genesys counts by token, and each process has one of its own
        self._window = self._nonce()
        self._listening: dict[str, Callable[[], Told | None]] = {}

    def listen(self, org: str, told: Callable[[], Told | None]) -> None:
        """Let the calls of `org` bring along what `told` knows: nothing is asked of Redis for its sake."""
        self._listening[org] = told

    async def spend(self, org: str, call: Call = "look") -> float:
        """Take one call from the budget and return 0.0, or take nothing and return the seconds to wait."""
        step = self._nonce()
        reply = await self._runner.run(
            script("spend"),
            [self._keys.step(org, step), self._keys.floor(org), *self._purse(org)],
            [*self._head(org), call, str(self._lives.step), *self._spending(org)],
        )
        return int(cast("str", reply)) / 1_000_000

    async def throttle(self, org: str, seconds: float) -> None:
        """Let nobody of `org` call before `seconds` are over: a Retry-After is a floor for all workers."""
        step = self._keys.step(org, self._nonce())
        args = [*self._head(org), ms_of(seconds), str(self._lives.step)]
        await self._runner.run(script("throttle"), [self._keys.floor(org), step], args)

    def _spending(self, org: str) -> list[str]:
        """Return what a script that takes a call is told: the window, the rate, and what Genesys said."""
        return [*self._rate.words, *self._believed(org)]

    def _believed(self, org: str) -> list[str]:
        """Return what Genesys said since the last call, within the bounds of sense, for a script; or empty words.

        No header of anybody's may shut an org out, or open the gate: see the bounds above, and `budget_of` in the
        prologue, where a count narrows the budget to a trickle at most.
        """
        listening = self._listening.get(org)
        told = listening() if listening else None
        if told is None or not 0 <= told[0] <= MOST_ALLOWED or not 0 <= told[1] <= _MOST_COUNTED:
            return ["", "", "", ""]
        allowed, count, reset_seconds = told
        reset = ms_of(min(reset_seconds, self._rate.window_seconds))
        return [str(max(allowed, LEAST_ALLOWED)), str(count), reset, str(self._lives.allowance)]

    def _purse(self, org: str) -> list[str]:
        """Return the keys that say what an org may spend, in the order of `budget_of` in the prologue."""
        return [self._keys.budget(org), self._keys.allowance(org), self._keys.window(org, self._window)]

    def _head(self, org: str) -> list[str]:
        now = "" if self._now_ms is None else str(self._now_ms())
        return [now, self._keys.base(org)]

    def _nonce(self) -> str:
        return hex_in(self._dice.token())
