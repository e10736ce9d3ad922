"""The command that a container is watched with: who is alive, who is stuck, and that nobody there is no health."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.conftest import Commands, Service


@contextmanager
def door(answer: bytes | None) -> Iterator[str]:
    """Answer one connection with these bytes and close it, or never answer; give the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            met, _ = listening.accept()
            with met:
                met.recv(1000)
                if answer is None:
                    met.recv(1000)  # until the other side has had enough
                else:
                    met.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/livez"
        thread.join()


def test_alive(beside: Commands, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A running service is alive: at the door that the settings name, though another is shut, and at a URL."""
    monkeypatch.setenv("ONHOOK_DOORS__PRIVATE", service.private.removeprefix("http://"))
    assert (beside("healthy"), beside.err) == (0, "")
    assert beside.out.startswith(f'{service.private}/livez: 200 {{"status":"alive"')
    assert beside("healthy", f"{service.private}/readyz") == 0
    assert '"status":"ready"' in beside.out


def test_any_door(beside: Commands, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings are not asked which process runs here: the door of one that only works counts as much."""
    monkeypatch.setenv("ONHOOK_DOORS__WORKER", service.private.removeprefix("http://"))
    assert beside("healthy") == 0


def test_stuck(onhook: Commands, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that says that it is stuck is not well, whatever the other door says; its words are one harmless line."""
    with door(b"HTTP/1.1 503 Oh\r\ncontent-length: 15\r\n\r\nstuck\n\x1b[31m red") as url:
        monkeypatch.setenv("ONHOOK_DOORS__PRIVATE", service.private.removeprefix("http://"))
        monkeypatch.setenv("ONHOOK_DOORS__WORKER", url.removeprefix("http://").removesuffix("/livez"))
        assert onhook("healthy") == 1
    assert onhook.out.splitlines()[1] == f"{url}: 503 stuck  [31m red"


@pytest.mark.parametrize(
    "answer, said",
    [(None, "no answer within 2 s"), (b"", "no answer: RemoteDisconnected"), (b"hello\n", "no answer: BadStatusLine")],
    ids=["silent", "cut", "not-http"],
)
def test_no_answer(onhook: Commands, answer: bytes | None, said: str) -> None:
    """Who takes a connection and gives no answer is not well, and is not waited for."""
    with door(answer) as url:
        assert (onhook("healthy", url), onhook.out) == (1, f"{url}: {said}\n")


def test_nobody(onhook: Commands) -> None:
    """Where nobody listens, nothing is alive."""
    assert onhook("healthy") == 1
    assert onhook.err.startswith("onhook: nobody listens at http://127.0.0.1:0/livez")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        shut = f"http://127.0.0.1:{listening.getsockname()[1]}"
    assert (onhook("healthy", shut), onhook.err) == (1, f"onhook: nobody listens at {shut}\n")


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/livez", "127.0.0.1:8081", "http://", "http://[::1", "http://a:b"])
def test_no_url(onhook: Commands, url: str) -> None:
    """What is no URL of a door is said, with one that is."""
    assert onhook("healthy", url) == 2
    assert "http://127.0.0.1:8081/livez" in onhook.err
