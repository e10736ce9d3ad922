"""The commands that run until they are told to end, as a person starts them."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from tests.cli.conftest import Commands


@pytest.mark.parametrize("command", ["up", "serve", "work"])
def test_nothing_configured(onhook: Commands, command: str) -> None:
    """Without settings each says what it needs, and what to do to try it."""
    assert onhook(command) == 2
    assert f"`onhook {command}` needs at least one" in onhook.err
    assert "onhook up --sandbox" in onhook.err


@pytest.mark.parametrize("command", ["serve", "work"])
def test_no_sandbox_there(onhook: Commands, command: str) -> None:
    """A sandbox that is to be wired in and is not there ends the start, in words."""
    assert onhook(command, "--sandbox-at", "127.0.0.1:9") == 2
    assert "--sandbox-at: no sandbox answers at 127.0.0.1:9" in onhook.err


@pytest.mark.parametrize(
    "words, said",
    [
        ((), "to wire them in by hand\n"),
        (("--world", "reported"), "to wire them in by hand, in the reported world\n"),
        (("--everywhere",), "to wire them in by hand\n"),
    ],
)
def test_sandbox(onhook: Commands, words: tuple[str, ...], said: str) -> None:
    """The sandbox says where it is, and which world it is if not the vendor's; it ends with 0 when it is told to."""
    caught = threading.Event()

    def interrupt() -> None:
        while signal.getsignal(signal.SIGTERM) in {signal.SIG_DFL, signal.SIG_IGN, None}:
            time.sleep(0.02)  # real processes: it listens to signals when it is up
        caught.set()
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    assert onhook("sandbox", "--port", "0", *words) == 0
    assert caught.is_set()
    assert onhook.out.startswith("The sandbox is at http://127.0.0.1:")
    assert onhook.out.endswith(said)


def test_no_third_world(onhook: Commands) -> None:
    """A world that is not there is refused with the two that are."""
    assert onhook("sandbox", "--port", "0", "--world", "real") == 2
    assert "'vendor', 'reported'" in onhook.err
