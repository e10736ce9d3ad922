"""`onhook send` against a running service: what it prints, and the exit code of each outcome."""

from __future__ import annotations

import hmac
import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Commands, Service
from tests.needs import needs

PHONE = "+14155550123"
NOBODY = "+14155559999"
LEFT = ["agent", "agent", "external"]
OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU"


def words(service: Service, cid: str, *more: str, phone: str = PHONE) -> tuple[str, ...]:
    """Return the command line of a click on the person with a number."""
    named = ("--phone", phone) if phone else ()
    return ("send", "--url", service.door, "--source", "sandbox", "--conversation", cid, *named, *more)


def test_accepted(beside: Commands, service: Service) -> None:
    """Without --wait the receipt is printed, and 0 means that it is stored."""
    assert beside(*words(service, service.confer())) == 0
    receipt = json.loads(beside.out)
    assert (receipt["status"], receipt["outcome"]) == ("accepted", None)
    assert receipt["links"]["self"].startswith("https://onhook.example/hooks/actions/sandbox.")


def test_removed(beside: Commands, service: Service) -> None:
    """With --wait the outcome is asked for by the receipt's link, at the door it was sent to; then it is said."""
    cid = service.confer()
    assert beside(*words(service, cid, "--wait", "15")) == 0
    assert beside.out.splitlines()[1].startswith("disconnected: The caller was removed from the conversation;")
    assert service.present(cid) == LEFT
    assert beside(*words(service, cid, "--wait", "15")) == 0
    assert beside.out.splitlines()[1].startswith("already_gone: ")


def test_same_delivery(beside: Commands, service: Service) -> None:
    """The same --id is the same delivery, with the same action; its outcome is known at once."""
    click = words(service, service.confer(), "--wait", "15", "--id", "msg_1")
    first = beside(*click), json.loads(beside.out.splitlines()[0])
    again = beside(*words(service, service.confer(), "--id", "msg_1"))
    assert first[0] == 0
    assert again == 3  # another conversation under the same id
    assert json.loads(beside.out)["code"] == "delivery_conflict"


def test_preview(beside: Commands, service: Service) -> None:
    """--preview says who would go, and removes nobody."""
    cid = service.confer()
    assert beside(*words(service, cid, "--preview", "--wait", "15")) == 0
    assert beside.out.splitlines()[1].startswith("previewed: ")
    assert len(service.present(cid)) == 4


def test_ticket(beside: Commands, service: Service) -> None:
    """The outcome is told on the ticket that was named."""
    ticket = httpx.post(f"{service.play}/sandbox/desk/tickets", json={"number": "INC1"}, trust_env=False).json()
    place = f"{ticket['table']}/{ticket['sys_id']}"
    assert beside(*words(service, service.confer(), "--ticket", place, "--number", "INC1", "--wait", "15")) == 0
    notes: list[object] = []
    while not notes:  # each look is a call over the network
        told = httpx.get(f"{service.play}/sandbox/desk/tickets/{place}", trust_env=False)
        notes = told.json()["work_notes"]


REFUSES = {"on": "disconnect", "status": 403, "code": "not.authorized", "message": "You may not.", "times": None}
BLIND = {"on": "look", "status": 403, "code": "not.authorized", "message": "You may not look.", "times": None}


@pytest.mark.parametrize(
    "phone, switches, code, kind",
    [
        (NOBODY, {}, 10, "not_found"),
        ("", {}, 11, "refused"),
        (PHONE, {"answers": [BLIND]}, 13, "failed"),
    ],
    ids=["10", "11", "13"],
)
def test_other_outcomes(
    beside: Commands, service: Service, phone: str, switches: dict[str, Any], code: int, kind: str
) -> None:
    """Every other outcome ends with a code of its own, and says why."""
    cid = service.confer(**switches)
    agent = () if phone else ("--user", "be700000-0000-4000-8000-00000000be70")
    assert beside(*words(service, cid, *agent, "--wait", "15", phone=phone)) == code
    assert beside.out.splitlines()[1].startswith(f"{kind}: ")


def test_no_outcome_in_time(beside: Commands, service: Service) -> None:
    """When there is no outcome in time that is said, and nothing is given up."""
    assert beside("pause") == 0
    try:
        assert beside(*words(service, service.confer(), "--wait", "0.3")) == 4
        assert "onhook: no outcome in time; it is kept on trying, and the link above tells" in beside.err
    finally:
        assert beside("resume") == 0


def test_curl(beside: Commands, service: Service) -> None:
    """What --curl prints is the same request: a shell that runs it gets the outcome; nothing is sent before."""
    needs("curl")
    cid = service.confer()
    assert beside(*words(service, cid, "--curl", "--wait", "15.4")) == 0
    assert len(service.present(cid)) == 4
    assert "prefer: wait=15" in beside.out
    assert beside.out.startswith("curl ")
    done = subprocess.run(["sh", "-c", beside.out], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["outcome"]["kind"] == "disconnected"


def test_the_one_customer(beside: Commands, service: Service) -> None:
    """Named by purpose and medium, the one customer there is removed."""
    cid = service.confer()
    click = words(service, cid, "--purpose", "customer", "--medium", "voice", "--wait", "15", phone="")
    assert beside(*click) == 0
    assert service.present(cid) == LEFT


@pytest.mark.parametrize(
    "option, field",
    [
        ("--participant", "participant_id"),
        ("--phone", "caller_phone"),
        ("--user", "user_id"),
        ("--external-contact", "external_contact_id"),
        ("--communication", "communication_id"),
        ("--attribute", "attribute"),
        ("--purpose", "purpose"),
        ("--medium", "medium"),
        ("--number", "number"),
    ],
)
def test_each_word_has_its_field(beside: Commands, service: Service, option: str, field: str) -> None:
    """What is named on the command line stands in the body under the name that a source reads, and nothing else."""
    assert beside(*words(service, "c", option, "key=a value", "--curl", phone="")) == 0
    printed = shlex.split(beside.out)
    body = json.loads(printed[printed.index("--data-binary") + 1])
    assert body["data"] == {"conversation_id": "c", field: "key=a value"}


def test_curl_without_wait(beside: Commands, service: Service) -> None:
    """Without --wait the printed request asks for none; every word of it survives a shell."""
    assert beside(*words(service, "it's", "--curl")) == 0
    printed = shlex.split(beside.out)
    assert not [word for word in printed if word.startswith("prefer:")]
    assert json.loads(printed[printed.index("--data-binary") + 1])["data"]["conversation_id"] == "it's"


def test_secret_file(onhook: Commands, service: Service, tmp_path: Path) -> None:
    """A secret from a file needs no settings, when --url says where the door is: not even good ones."""
    Path("onhook.toml").write_text("[no")
    click = words(service, service.confer())
    assert onhook(*click, "--secret-file", str(service.folder / "sandbox-secret")) == 0
    wrong = tmp_path / "wrong"
    wrong.write_text(OTHER)
    assert onhook(*click, "--secret-file", str(wrong)) == 3
    assert json.loads(onhook.out)["code"] == "unauthorized"
    assert onhook.err.endswith("answered 401\n")


def test_secret_and_door_of_the_settings(
    onhook: Commands, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --url and --secret-file the door and the secret are those of the settings."""
    secret = (service.folder / "sandbox-secret").read_text().strip()
    (tmp_path / "onhook.toml").write_text(
        f"""
        [doors]
        public = "{service.door.removeprefix("http://")}"
        [orgs.acme]
        region = "us_east_1"
        client_id = "x"
        client_secret = "x"
        [sources.sandbox]
        kind = "standard"
        org = "acme"
        secrets = ["{secret}"]
        """
    )
    monkeypatch.setenv("ONHOOK_CONFIG", "onhook.toml")
    monkeypatch.delenv("ONHOOK_DOORS__PUBLIC")
    assert onhook("send", "--source", "sandbox", "--conversation", service.confer(), "--phone", PHONE) == 0


PAGER = """
[orgs.acme]
region = "us_east_1"
client_id = "x"
client_secret = "x"
[sources.pager]
kind = "pagerduty"
org = "acme"
secrets = ["a play secret of the pager"]
reports = []
"""


@pytest.mark.parametrize("by_file", [False, True])
def test_as_its_system_signs(
    onhook: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, by_file: bool
) -> None:
    """A click is signed as the source's system signs, with a secret of the settings or of a file."""
    (tmp_path / "onhook.toml").write_text(PAGER)
    monkeypatch.setenv("ONHOOK_CONFIG", "onhook.toml")
    file = tmp_path / "secret"
    file.write_text("another secret of the pager\n")
    click = ("send", "--source", "pager", "--conversation", "c", "--phone", PHONE, "--curl")
    assert onhook(*click, *(("--secret-file", str(file)) if by_file else ())) == 0
    printed = shlex.split(onhook.out)
    body = printed[printed.index("--data-binary") + 1].encode()
    secret = b"another secret of the pager" if by_file else b"a play secret of the pager"
    mac = hmac.digest(secret, body, "sha256").hex()
    assert f"x-pagerduty-signature: v1={mac}" in printed
    assert not [word for word in printed if word.startswith("webhook-")]


@pytest.mark.parametrize(
    "content, why",
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff", "is not text"),
        (b"short", "the secret is not base64"),
        (b"AAAA", "the secret has 3 bytes; at least 24 are needed"),
        (b"", "the secret is empty"),
    ],
)
def test_bad_secret_files(onhook: Commands, tmp_path: Path, content: bytes | None, why: str) -> None:
    """A file that holds no secret is said in words, without what is in it."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    click = ("send", "--source", "desk", "--conversation", "x", "--secret-file", str(path))
    assert onhook(*click) == 2
    assert why in onhook.err


@pytest.mark.parametrize(
    "more, why",
    [
        (
            ("--source", "nobody"),
            "there is no [sources.nobody]; there is sandbox",
        ),
        (("--source", "../x"), "--source: “../x” is no name of a source"),
        (("--url", "localhost:8080"), "--url: is where the public door is, like http://127.0.0.1:8080"),
        (("--url", "http://ho st"), "--url: is where the public door is"),
        (("--id", "a.b"), "a webhook id is 1 to 255 printable ASCII characters, without space or full stop"),
    ],
)
def test_wrong_words(beside: Commands, service: Service, more: tuple[str, ...], why: str) -> None:
    """What cannot be sent as it was typed is said before anything is sent, with exit code 2."""
    assert beside(*words(service, "x", *more)) == 2
    assert why in beside.err
