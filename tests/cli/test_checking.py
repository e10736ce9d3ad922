"""The command that says whether the service can keep its promises, and what the others say when it cannot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis as blocking

from tests.cli.conftest import Commands
from tests.store.servers import DURABLE, server
from tests.wiring.running import stand
from tests.wiring.test_processes import OFFLINE


@pytest.fixture(scope="module")
def lossy() -> Iterator[str]:
    """Give the URL of a Redis that does not wait for its disk."""
    with server(*DURABLE, "--appendfsync", "everysec") as url:
        yield url


def test_beside_a_running_service(beside: Commands) -> None:
    """Where all is well each finding is a line, and the exit code is 0."""
    assert beside("check") == 0
    lines = beside.out.splitlines()
    assert len(lines) == 10
    assert all(line.startswith("fine     ") for line in lines)
    assert "fine     durability:  Redis has what it confirms on its disk" in lines


def test_a_fault(onhook: Commands, lossy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is a line that says what to do, and the exit code is 1."""
    stand(monkeypatch, OFFLINE | {"ONHOOK_REDIS__URL": lossy})
    assert onhook("check") == 1
    (fault,) = [line for line in onhook.out.splitlines() if not line.startswith("fine")]
    assert fault.startswith("fault    durability:  Redis has appendfsync everysec: a power cut loses what was accepted")


def test_unknown(onhook: Commands, lossy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody can tell is said, and is no fault."""
    with blocking.Redis.from_url(lossy, protocol=2) as client:
        client.execute_command("ACL", "SETUSER", "shy", "on", ">pass", "allkeys", "allchannels", "+@all", "-config")
    stand(monkeypatch, OFFLINE | {"ONHOOK_REDIS__URL": lossy.replace("unix://", "unix://shy:pass@")})
    assert onhook("check") == 0
    assert "unknown  durability:  whether Redis has appendfsync always" in onhook.out


def test_no_settings(onhook: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that cannot be used end it with 2."""
    stand(monkeypatch, {"ONHOOK_REDIS__URL": "http://here"})
    assert (onhook("check"), onhook.out) == (2, "")
    assert "redis.url" in onhook.err


@pytest.mark.parametrize("command", ["up", "serve", "work"])
def test_no_beginning(onhook: Commands, lossy: str, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """What runs does not begin on a Redis that only a person can mend: in words on standard error, with 2."""
    stand(monkeypatch, OFFLINE | {"ONHOOK_REDIS__URL": lossy})
    assert onhook(command) == 2
    assert "onhook: Redis has appendfsync everysec: a power cut loses what was accepted; set it to" in onhook.err
