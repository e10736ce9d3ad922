"""`onhook sign` and `onhook verify`: what they print, how they end, and that a real door believes what is signed."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from service.cli import app
from tests.cli.conftest import Commands, Service
from tests.wiring.running import PHONE

CID = "0f9a1d4e-5b7c-4d21-9e3a-2c4b6d8e0f1a"
BODY = json.dumps({"type": "caller.remove", "data": {"conversation_id": CID, "caller_phone": PHONE}}).encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a file with a body."""
    path = tmp_path / "body.json"
    path.write_bytes(BODY)
    return path


def test_a_real_door_believes_it(beside: Commands, service: Service, file: Path) -> None:
    """What `sign` prints is believed by a running service, and `verify` says so."""
    assert beside("sign", "--source", "sandbox", "--body", str(file), "--json") == 0
    made = json.loads(beside.out)
    assert made["url"].endswith("/webhooks/sandbox")
    answer = httpx.post(f"{service.door}/webhooks/sandbox", content=BODY, headers=made["headers"], trust_env=False)
    assert answer.status_code == 202
    named = [word for name, value in made["headers"].items() for word in ("--header", f"{name}: {value}")]
    assert beside("verify", "--source", "sandbox", "--body", str(file), *named) == 0
    assert beside.out.startswith("valid: it is signed by secret ")
    assert "\nit asks that whoever has the number …0123 leaves conversation " in beside.out


def test_headers_to_paste(beside: Commands, file: Path, tmp_path: Path) -> None:
    """The headers are printed one a line, and are read from a file just so; standard input may be the body."""
    done = CliRunner().invoke(app, ["sign", "--source", "sandbox", "--id", "click-1"], input=BODY)
    assert done.exit_code == 0
    assert [line.partition(": ")[0] for line in done.output.splitlines()] == [
        "content-type", "webhook-id", "webhook-timestamp", "webhook-signature",
    ]  # fmt: skip
    (tmp_path / "headers").write_text(done.output)
    words = ["verify", "--source", "sandbox", "--headers", str(tmp_path / "headers")]
    assert CliRunner().invoke(app, words, input=BODY).exit_code == 0
    assert beside(*words, "--body", str(file), "--json") == 0
    said = json.loads(beside.out)
    assert set(said) == {"source", "valid", "secret", "causes", "sentences", "warnings", "asked"}
    assert (said["valid"], said["causes"], len(said["secret"])) == (True, [], 8)


def test_why_not(beside: Commands, service: Service, file: Path, tmp_path: Path) -> None:
    """Why it is not valid is said, with what it would ask, and ends with 1; no secret is shown."""
    assert beside("sign", "--source", "sandbox", "--body", str(file)) == 0
    (tmp_path / "headers").write_text(beside.out)
    file.write_bytes(BODY + b"\n")
    words = ("verify", "--source", "sandbox", "--headers", str(tmp_path / "headers"), "--body", str(file))
    assert beside(*words) == 1
    assert beside.out.startswith("not valid: the signature of secret ")
    assert "fits the body without the line end behind it" in beside.out
    assert "\nwere it valid, it asks that " in beside.out
    assert beside(*words, "--header", "content-type: text/plain", "--json") == 1
    said = json.loads(beside.out)
    assert (said["valid"], said["causes"], len(said["warnings"])) == (False, ["body_changed"], 1)
    secret = (service.folder / "sandbox-secret").read_text().strip().removeprefix("whsec_")
    assert secret not in beside.out


def test_curl(beside: Commands, file: Path) -> None:
    """--curl is a command that sends the very bytes: those of the file, or the text itself."""
    assert beside("sign", "--source", "sandbox", "--body", str(file), "--curl") == 0
    words = shlex.split(beside.out)
    assert words[:2] == ["curl", "-sS"]
    assert words[words.index("--data-binary") + 1] == f"@{file}"
    assert words[-1] == "http://127.0.0.1:0/webhooks/sandbox"
    done = CliRunner().invoke(app, ["sign", "--source", "sandbox", "--curl"], input="it's €".encode())
    assert shlex.split(done.output)[-2] == "it's €"


@pytest.mark.parametrize("body", [b"\xff", b"a\0b", b"@/etc/passwd"])
def test_what_no_shell_holds(beside: Commands, body: bytes) -> None:
    """A body that a shell would not hand over as it is must come from a file."""
    done = CliRunner().invoke(app, ["sign", "--source", "sandbox", "--curl"], input=body)
    assert "put it into a file" in str(done.exception)


@pytest.mark.parametrize(
    "words, why",
    [
        (("sign", "--source", "dusk"), "there is no [sources.dusk]; there is sandbox"),
        (("verify", "--source", "dusk"), "there is no [sources.dusk]; there is sandbox"),
        (("verify", "--source", "sandbox", "--header", "x"), "--header: header 1 of 1 is not written"),
        (("verify", "--source", "sandbox", "--headers", "nowhere"), "--headers: nowhere cannot be read: No such file"),
        (("verify", "--source", "sandbox", "--at", "soon"), "--at: is a time with its offset"),
        (("sign", "--source", "sandbox", "--id", "a.b"), "--id: a webhook id is"),
    ],
)
def test_what_cannot_be_done(beside: Commands, file: Path, words: tuple[str, ...], why: str) -> None:
    """A source that is not there and what cannot be read end with 2, in words."""
    assert beside(*words, "--body", str(file)) == 2
    assert beside.err.startswith(f"onhook: {why}")


@pytest.mark.parametrize("command", ["sign", "verify"])
def test_no_such_body(beside: Commands, command: str) -> None:
    """A body's file that is not there is said."""
    assert beside(command, "--source", "sandbox", "--body", "nowhere") == 2
    assert beside.err == "onhook: --body: nowhere cannot be read: No such file or directory\n"
