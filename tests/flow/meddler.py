"""Ports with something happening before and after their calls: a crash, a lost reply, a frozen process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from service.core.errors import StoreDown

Hook = Callable[[str], None]


class Killed(BaseException):
    """The process ended here."""


class Meddler:
    """A port, whole, but for what `before` and `after` do around each call; they are told its name."""

    def __init__(self, port: object, before: Hook | None = None, after: Hook | None = None) -> None:
        self.port, self.before, self.after = port, before, after
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the port has
        real = getattr(self.port, name)
        if not callable(real):
            return real

        async def meddled(*args: Any, **more: Any) -> Any:  # noqa: ANN401 - as the port's own
            self.calls.append(name)
            if self.before:
                self.before(name)
            answer = await real(*args, **more)
            if self.after:
                self.after(name)
            return answer

        return meddled


class Fate:
    """What happens at the nth step of all steps that several ports take together."""

    def __init__(self, number: int, made: Callable[[], BaseException]) -> None:
        self.number, self._made = number, made
        self.steps: list[str] = []
        self.is_met = False

    def step(self, name: str) -> None:
        """Count a step; the fated one fails."""
        self.steps.append(name)
        if len(self.steps) - 1 == self.number:
            self.is_met = True
            raise self._made()


def on(wanted: str, act: Callable[[], object], times: int = 1) -> Hook:
    """Return a hook that acts on the first `times` calls of that name."""
    left = [times]

    def hook(name: str) -> None:
        if name == wanted and left[0]:
            left[0] -= 1
            act()

    return hook


def raising(fault: BaseException) -> Callable[[], object]:
    """Return what raises `fault`."""

    def act() -> object:
        raise fault

    return act


def down() -> StoreDown:
    """Redis does not answer."""
    return StoreDown("Redis did not answer")
