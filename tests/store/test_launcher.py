"""The process between us and the server: it ends with the pipe, and the server with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.store import launcher


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Give both ends of a pipe; a test that closes the write end says so with -1."""
    read, write = os.pipe()
    yield read, write
    os.close(read)
    os.close(write)


def test_a_server_that_ends_by_itself(pipe: tuple[int, int]) -> None:
    """When the server ends, so does the launcher, with its status."""
    assert launcher.main(["/bin/sh", "-c", "exit 7"], pipe=pipe[0]) == 7


def test_a_pipe_that_closes(pipe: tuple[int, int]) -> None:
    """When nobody holds the pipe any more the server is ended."""
    read, write = os.pipe()
    os.close(write)
    assert launcher.main(["/bin/sleep", "60"], pipe=read) == -signal.SIGTERM
    os.close(read)


def test_a_pipe_on_which_something_is_said(pipe: tuple[int, int]) -> None:
    """Bytes on the pipe are not its end."""
    read, write = pipe
    os.write(write, b"x")
    assert launcher.main(["/bin/sh", "-c", "exit 0"], pipe=read) == 0


def test_a_server_that_does_not_hear(tmp_path: Path) -> None:
    """A server that does not end when asked is killed."""
    read, write = os.pipe()
    ready = tmp_path / "ready"
    os.mkfifo(ready)

    def close_when_ready() -> None:
        ready.read_bytes()
        os.close(write)

    thread = threading.Thread(target=close_when_ready)
    thread.start()
    deaf = f"trap '' TERM; echo > {ready}; while true; do sleep 1; done"
    assert launcher.main(["/bin/sh", "-c", deaf], pipe=read, grace_seconds=0.1) == -signal.SIGKILL
    thread.join()
    os.close(read)


def test_a_parent_that_changed(pipe: tuple[int, int]) -> None:
    """When the parent is another one than at the start, the first one is gone, whoever holds the pipe."""
    assert launcher.main(["/bin/sleep", "60"], pipe=pipe[0], parent=1) == -signal.SIGTERM


def test_as_a_program() -> None:
    """Run by its path, alone, it runs the words it is given."""
    command = [sys.executable, "-I", "-S", launcher.__file__, "/bin/sh", "-c", "exit 5"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.wait(10) == 5
