"""A screen whose lines a test can read, and that does something when a line is written."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from rich.console import Console

from service.demo.screen import Screen

START_MS = 1_800_000_000_000


@dataclass
class Watched(io.StringIO):
    """A stream that calls `then` once, when `word` was written."""

    word: str = "\0"
    then: Callable[[], None] = field(default=lambda: None)

    def __post_init__(self) -> None:
        """Begin empty."""
        super().__init__()

    def write(self, text: str) -> int:
        """Keep the text; the word may come in any line."""
        written = super().write(text)
        if self.word in self.getvalue():
            self.word = "\0"
            self.then()
        return written


@pytest.fixture
def stream() -> Watched:
    """Give what the screen is written on."""
    return Watched()


@pytest.fixture
def screen(stream: Watched) -> Screen:
    """Give a screen without a terminal, a quarter of a second after its start."""
    moments = iter([START_MS])
    return Screen(Console(file=stream, highlight=False), lambda: next(moments, START_MS + 250))
