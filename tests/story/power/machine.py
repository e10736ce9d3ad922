"""A Redis whose power can be cut: what it never really wrote to disk is gone, whatever the page cache still has."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.redis import short_folder
from tests.needs import needs

SOURCE = Path(__file__).with_name("fsyncs.c")
SYNC_MICROSECONDS = 2_000  # a fair disk
START_SECONDS = 30.0


class Machine:
    """One server on a socket of its own, under the shim.

    Attributes:
        url: where clients find it, before and after each cut.
        cut_bytes: how much was written and was not on disk when the power went, in all cuts.
    """

    def __init__(self, folder: Path, program: Path, shim: Path, appendfsync: str) -> None:
        self.url = f"unix://{folder / 's'}"
        self.cut_bytes = 0
        self._folder, self._program, self._shim, self._appendfsync = folder, program, shim, appendfsync
        self._process: subprocess.Popen[bytes] | None = None
        self._synced.mkdir(parents=True)
        self._files.mkdir()

    @property
    def _synced(self) -> Path:
        return self._folder / "synced"

    @property
    def _files(self) -> Path:
        return self._folder / "files"

    async def start(self) -> None:
        """Start it on what is left on disk; returns when it has read it."""
        words = ["--port", "0", "--unixsocket", str(self._folder / "s"), "--dir", str(self._files), "--save", ""]
        words += ["--appendonly", "yes", "--appendfsync", self._appendfsync, "--maxmemory-policy", "noeviction"]
        shim = {"LD_PRELOAD": str(self._shim), "SYNCED_DIR": str(self._synced)}
        shim["SYNC_MICROSECONDS"] = str(SYNC_MICROSECONDS)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
                [str(self._program), *words], stdout=log, stderr=log, env=os.environ | shim
            )
        ends = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert self._process.poll() is None, (self._folder / "log").read_text()[-2_000:]
            assert time.monotonic() < ends
            await asyncio.sleep(0.01)  # real processes: a server comes up

    def cut_power(self) -> int:
        """Kill it, and cut each file back to what was on disk; return how many bytes that were."""
        self.stop()
        lost = sum(self._cut_back(path) for path in self._files.rglob("*") if path.is_file())
        self.cut_bytes += lost
        return lost

    def stop(self) -> None:
        """Kill it, and leave the files as they are."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _cut_back(self, path: Path) -> int:
        known, size = self._synced / str(path.stat().st_ino), path.stat().st_size
        length = int(known.read_text()) if known.exists() else 0
        if length >= size:
            return 0
        os.truncate(path, length)
        return size - length

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(self._folder / "s"))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")  # not while it is loading
        return False


@contextmanager
def powered(programs: list[tuple[Path, str]]) -> Iterator[list[Machine]]:
    """Give a machine for each program and its `appendfsync`; not started. Skips where there is no C compiler."""
    compiler = needs("cc", "gcc")
    folder = short_folder()
    shim = folder / "fsyncs.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", shim, SOURCE, "-ldl"], check=True)
    machines = [
        Machine(folder / str(at), program, shim, appendfsync) for at, (program, appendfsync) in enumerate(programs)
    ]
    try:
        yield machines
    finally:
        for machine in machines:
            machine.stop()
        shutil.rmtree(folder)
