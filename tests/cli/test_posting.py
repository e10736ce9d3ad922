"""How `send` speaks with a door: also with one that is away, goes away, or is something else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import pytest

from service.cli.posting import NO_OUTCOME, NOT_ACCEPTED, post

RECEIPT = {
    "status": "accepted",
    "action": "acme.01",
    "outcome": None,
    "links": {"self": "https://onhook.example/hooks/actions/acme.01?key=k"},
}
DONE = {"outcome": {"kind": "disconnected"}, "explanation": "Removed."}


class Peer(ThreadingHTTPServer):
    """A door that says what it was told to, one answer after another, and the last one for ever."""

    daemon_threads = True
    answers: list[tuple[int, object]]
    asked: list[tuple[str, str, str]]
    location = ""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a connection that was cut."""


class Answering(BaseHTTPRequestHandler):
    """One connection to the peer."""

    def do_GET(self) -> None:
        """Give the next answer; an answer of None is a cut connection."""
        peer = cast("Peer", self.server)
        self.rfile.read(int(self.headers.get("content-length", "0")))
        peer.asked.append((self.command, self.path, self.headers.get("prefer", "")))
        status, content = peer.answers.pop(0) if len(peer.answers) > 1 else peer.answers[0]
        if content is None:
            self.connection.close()
            return
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if peer.location:
            self.send_header("location", peer.location)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Give the next answer."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def peer() -> Iterator[Peer]:
    """Run a door of our own making."""
    with Peer(("127.0.0.1", 0), Answering) as made:
        made.answers, made.asked = [], []
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def send(peer: Peer, wait: float = 0) -> int:
    """Post a body to the peer."""
    return post(f"http://127.0.0.1:{peer.server_port}", "desk", {"webhook-id": "x"}, b"{}", wait)


def test_accepted(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    """A yes is printed as it came; without a wait nothing more is asked."""
    peer.answers = [(202, RECEIPT)]
    assert send(peer) == 0
    assert json.loads(capsys.readouterr().out) == RECEIPT
    assert peer.asked == [("POST", "/webhooks/desk", "")]


def test_outcome_by_the_link(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    """The link's action and key are asked for at the door that was sent to, until there is an outcome."""
    peer.answers = [(202, RECEIPT), (200, {"outcome": None}), (200, DONE)]
    assert send(peer, 45) == 0
    assert peer.asked[1] == peer.asked[2] == ("GET", "/actions/acme.01?key=k", "wait=20")
    assert capsys.readouterr().out.endswith("\ndisconnected: Removed.\n")


def test_outcome_in_the_receipt(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    """An outcome that is known at once is not asked for."""
    peer.answers = [(200, RECEIPT | {"outcome": {"kind": "expired"}, "explanation": "Late."})]
    assert send(peer, 5) == 12
    assert len(peer.asked) == 1
    assert capsys.readouterr().out.endswith("\nexpired: Late.\n")


def test_ignored(peer: Peer) -> None:
    """What the source ignores has no outcome to wait for."""
    peer.answers = [(200, {"status": "ignored", "reason": "our own"})]
    assert (send(peer), send(peer, 5)) == (0, NO_OUTCOME)
    assert len(peer.asked) == 2


def test_a_receipt_in_another_shape(peer: Peer) -> None:
    """Where the source's system reads another shape, the action stands in the header; a yes without one is none."""
    peer.answers = [(200, {"type": "message", "text": "The click has arrived."}), (200, DONE)]
    peer.location = "https://onhook.example/hooks/actions/acme.01?key=k"
    assert send(peer, 15) == 0
    assert peer.asked[1][:2] == ("GET", "/actions/acme.01?key=k")
    peer.answers, peer.location = [(200, {"status": "rejected", "reason": "nobody is named"})], ""
    assert send(peer) == NOT_ACCEPTED


@pytest.mark.parametrize("away", [(503, {}), (200, "no json"), (200, []), (0, None)])
def test_door_away_for_a_moment(peer: Peer, away: tuple[int, object]) -> None:
    """A door that is busy or gone while we wait is asked again, and not as fast as it refuses."""
    peer.answers = [(202, RECEIPT), away, (200, DONE)]
    assert send(peer, 10) == 0
    assert len(peer.asked) == 3


def test_door_away_for_good(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    """A door that does not come back while we wait is no outcome."""
    peer.answers = [(202, RECEIPT), (404, {})]
    assert send(peer, 0.7) == NO_OUTCOME
    assert len(peer.asked) <= 3
    assert "no outcome in time" in capsys.readouterr().err


def test_outcome_of_a_newer_door(peer: Peer) -> None:
    """An outcome that only a newer door knows counts as unknown, and not as a success."""
    peer.answers = [(200, RECEIPT | {"outcome": {"kind": "teleported"}, "explanation": "?"})]
    assert send(peer, 1) == 14


@pytest.mark.parametrize(
    "answer", [(200, "<html>"), (200, ["status"]), (200, {"hello": 1}), (401, {"status": 401}), (500, "")]
)
def test_not_accepted(peer: Peer, capsys: pytest.CaptureFixture[str], answer: tuple[int, object]) -> None:
    """A no, and whatever no Onhook would answer, is printed and ends with 3."""
    peer.answers = [answer]
    assert send(peer, 5) == NOT_ACCEPTED
    assert f"answered {answer[0]}" in capsys.readouterr().err


def test_door_away(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    """A door where nobody listens, or that hangs up, is said in words."""
    assert post("http://127.0.0.1:9", "desk", {}, b"{}", 0) == NOT_ACCEPTED
    assert "onhook: no answer from http://127.0.0.1:9 (" in capsys.readouterr().err
    peer.answers = [(0, None)]
    assert send(peer) == NOT_ACCEPTED
    assert "is that the public door of a running service?" in capsys.readouterr().err
