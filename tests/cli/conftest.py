"""A whole service with its sandbox, started once as its users start it; and the commands, run in this process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redis

from service.cli import main
from service.store.embedded import EmbeddedRedis
from tests.fixtures.redis import short_folder
from tests.wiring.kept import Kept
from tests.wiring.running import child, own, stand


@dataclass
class Service:
    """A running `onhook up --sandbox`."""

    folder: Path
    play: str
    door: str
    private: str

    def confer(self, scenario: str = "conference", **switches: object) -> str:
        """Begin a conversation at the sandbox, and return its id."""
        place = f"{self.play}/sandbox/conversations"
        with httpx.Client(trust_env=False) as client:
            cid: str = client.post(place, json={"scenario": scenario}).json()["conversation_id"]
            client.put(f"{place}/{cid}/switches", json=switches).raise_for_status()
        return cid

    def people(self, cid: str) -> list[dict[str, object]]:
        """Return everybody that the sandbox knows of."""
        answer = httpx.get(f"{self.play}/sandbox/conversations/{cid}", trust_env=False).json()
        return list(answer["participants"])

    def present(self, cid: str) -> list[str]:
        """Return who is really there."""
        return sorted(str(person["purpose"]) for person in self.people(cid) if person["present"])


@dataclass
class Commands:
    """The command line of this process."""

    captured: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""

    def __call__(self, *words: str) -> int:
        """Run `onhook words…`, keep what it says, and return its exit code."""
        with pytest.raises(SystemExit) as ended:
            main(words)
        self.out, self.err = self.captured.readouterr()
        return int(ended.value.code or 0)


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """Run one `onhook up --sandbox` for all tests of the commands."""
    folder = short_folder()
    variables = {"ONHOOK_DOORS__PUBLIC_URL": "https://onhook.example/hooks"}
    with child(folder, "up", "--sandbox", "--sandbox-port", "0", is_tied=True, variables=variables) as it:
        play = it.hear("SANDBOX: a play Genesys Cloud and a play desk at ").removesuffix("/sandbox/")
        yield Service(folder, play, it.hear("The public door is at "), it.hear("The private door is at "))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def onhook(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Give the commands, with nothing configured."""
    monkeypatch.chdir(tmp_path)
    stand(monkeypatch, own(tmp_path))
    return Commands(capsys)


@pytest.fixture
def beside(onhook: Commands, service: Service, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Give the commands as a person beside the running service runs them."""
    monkeypatch.setenv("ONHOOK_STATE_DIR", str(service.folder))
    return onhook


@pytest.fixture
def kept(
    onhook: Commands,
    redis_client: redis.Redis,
    redis_server: EmbeddedRedis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Kept:
    """Give what a service kept in an emptied Redis, which the commands find by their settings."""
    return Kept(redis_server.url, tmp_path, monkeypatch)
