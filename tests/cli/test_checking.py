"""The command that says whether the service can keep its promises, and what the others say when it cannot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as blocking
from typer.testing import CliRunner

from service.cli import app
from tests.cli.conftest import Commands, Service
from tests.store.servers import DURABLE, server
from tests.wiring.running import stand, wired
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
    assert "fine     durability: Redis has what it confirms on its disk" in lines


def test_a_fault(onhook: Commands, lossy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is a line that says what to do, and the exit code is 1."""
    stand(monkeypatch, OFFLINE | {"ONHOOK_REDIS__URL": lossy})
    assert onhook("check") == 1
    (fault, _) = [line for line in onhook.out.splitlines() if not line.startswith("fine")]
    assert fault.startswith(
        "fault    durability:           Redis has appendfsync everysec: a power cut loses what was accepted"
    )


def test_unknown(onhook: Commands, lossy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody can tell is said, and is no fault."""
    with blocking.Redis.from_url(lossy, protocol=2) as client:
        client.execute_command("ACL", "SETUSER", "shy", "on", ">pass", "allkeys", "allchannels", "+@all", "-config")
    stand(monkeypatch, OFFLINE | {"ONHOOK_REDIS__URL": lossy.replace("unix://", "unix://shy:pass@")})
    assert onhook("check", "--json") == 1  # of that address no Genesys answers, and that is all that is wrong
    said = json.loads(onhook.out)
    assert [one["about"] for one in said["checks"] if one["verdict"] == "fault"] == ["org acme"]
    assert said["is_fine"] is False
    (durability,) = [one for one in said["checks"] if one["topic"] == "durability"]
    assert (durability["about"], durability["verdict"], durability["may_pass"]) == ("redis", "unknown", False)
    assert "whether Redis has appendfsync always" in onhook.out


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


@pytest.fixture
def wired_in(onhook: Commands, service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Commands:
    """Give the commands with the sandbox as the one org; Redis is not needed to try a removal."""
    stand(monkeypatch, asyncio.run(wired(service.play, tmp_path)))
    return onhook


def _caller(service: Service, cid: str) -> str:
    return next(str(one["id"]) for one in service.people(cid) if one["purpose"] == "customer")


def test_a_trial_by_a_script(wired_in: Commands, service: Service, tmp_path: Path) -> None:
    """With the id given twice nobody is asked: one person goes, the answers are said, and the proof is a new file."""
    cid = service.confer(lag_seconds=0)
    pid, proof = _caller(service, cid), tmp_path / "proof.json"
    words = ("check", "--test-call", cid, "--remove", pid, "--yes-remove", pid, "--evidence", str(proof))
    assert wired_in(*words, "--json") == 0
    assert service.present(cid) == ["agent", "agent", "external"]
    content = json.loads(wired_in.out)
    assert content == json.loads(proof.read_text())
    assert (content["is_good"], content["removal"]["routes"], content["removal"]["status"]) == (True, ["generic"], 202)
    assert content["repeat"]["status"] == 202
    assert f"Preview: would go: customer {pid} (connected, calls); would stay: 2 agent, 1 external." in wired_in.err
    assert wired_in(*words) == 1  # he has left
    assert "has left already" in wired_in.err


@pytest.mark.parametrize("typed, code", [("\n", 1), ("yes\n", 1), ("{pid}\n", 0)])
def test_consent_is_typed(wired_in: Commands, service: Service, typed: str, code: int) -> None:
    """A person types the participant's id; anything else removes nobody and leaves no file."""
    cid = service.confer(lag_seconds=0)
    pid = _caller(service, cid)
    done = CliRunner().invoke(app, ["check", "--test-call", cid, "--remove", pid], input=typed.format(pid=pid))
    assert done.exit_code == code
    assert len(service.present(cid)) == (3 if code == 0 else 4)
    assert len(list(Path().glob("onhook-test-call-*.json"))) == (code == 0)
    if code == 0:
        assert '[orgs.sandbox]\nroute = "generic"\nmode = "live"' in done.stdout
        assert "a removal of a participant that has left is answered 202" in done.stdout
    else:
        assert "that is not the participant's id: nobody was removed" in done.stderr


def test_a_trial_that_is_refused(wired_in: Commands, service: Service) -> None:
    """What Genesys refuses ends with 1, says what was said instead, and advises nothing to be written."""
    refusal = {"on": "disconnect", "status": 403, "code": "missing.permissions"}
    cid = service.confer(answers=[refusal])
    pid = _caller(service, cid)
    assert wired_in("check", "--test-call", cid, "--remove", pid, "--yes-remove", pid, "--evidence", "proof.json") == 1
    assert "permission:          refused (403 missing.permissions" in wired_in.out
    assert "Write into onhook.toml" not in wired_in.out


@pytest.mark.parametrize(
    "words, why",
    [
        (("--test-call", "x"), "both are needed"),
        (("--remove", "x"), "both are needed"),
        (("--test-call", "x", "--remove", "y", "--yes-remove", "z"), "--yes-remove: is not the id"),
        (("--test-call", "x", "--remove", "y"), "--test-call: is an id of Genesys, a UUID like"),
        (("--test-call", "x", "--remove", "y", "--org", "no"), "--org: there is no [orgs.no]; there is sandbox"),
    ],
)
def test_a_wish_that_cannot_be_used(wired_in: Commands, words: tuple[str, ...], why: str) -> None:
    """What is asked wrongly ends with 2, and nothing is called."""
    assert wired_in("check", *words) == 2
    assert why in wired_in.err
