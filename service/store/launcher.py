"""The process between us and the embedded Redis: ends the server when our process is gone, however it went.

Run by path, with the standard library only. The kernel's own signal at a parent's death (PR_SET_PDEATHSIG) comes when
the *thread* that forked ends. Our process has many threads, this one has one: so the server is tied to this process by
that signal, and this process to ours by a pipe.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
# the pipe tells at once; this is for a copy of its write end that a fork of our process kept
LOOK_SECONDS = 0.5
# AOF always: nothing is lost by killing a server that takes longer
GRACE_SECONDS = 3.0


def _tie(parent: int) -> None:  # pragma: no cover - runs between fork and exec, in a child that coverage does not see
    """Die with the launcher. A parent that is gone already sends no signal, so it is looked for once."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def main(
    command: Sequence[str], *, pipe: int = 0, parent: int | None = None, grace_seconds: float = GRACE_SECONDS
) -> int:
    """Run `command` until it ends, or nobody holds the other end of `pipe`, or our parent is gone.

    Args:
        command: the server and its words.
        pipe: the read end; standard input.
        parent: whose end is ours; the process that started this one when None.
        grace_seconds: how long the server has to end when asked to.

    Returns:
        its exit status.
    """
    parent, own = os.getppid() if parent is None else parent, os.getpid()
    # close_fds=False: the lock on the state directory goes on to the server
    server = subprocess.Popen(  # noqa: S603 - what our own process says
        command,
        stdin=subprocess.DEVNULL,
        close_fds=False,
        preexec_fn=lambda: _tie(own),  # noqa: PLW1509 - this process has one thread
    )
    while server.poll() is None:
        readable, _, _ = select.select([pipe], [], [], LOOK_SECONDS)
        if (readable and not os.read(pipe, 1)) or os.getppid() != parent:
            break
    server.terminate()
    try:
        return server.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        server.kill()
        return server.wait()


if __name__ == "__main__":  # pragma: no cover - as a program it is seen to run by test_launcher
    sys.exit(main(sys.argv[1:]))
