"""What `onhook refusals` says, beside a running service that refused something."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Commands, Service
from tests.commands import documented
from tests.store.servers import DURABLE, server
from tests.wiring.running import own, stand
from tests.wiring.test_processes import OFFLINE


def test_refusals(beside: Commands, service: Service) -> None:
    """A bad signature is shown with its reason, as words and as JSON; what was sent is not, and the body never."""
    sent = httpx.post(f"{service.door}/webhooks/sandbox", json={"secret": "canary"}, trust_env=False)
    assert sent.status_code == 401
    ends = time.monotonic() + 20
    while True:
        assert (beside("refusals", "--source", "sandbox"), beside.err) == (0, "")
        if "webhook-id" in beside.out or time.monotonic() > ends:
            break
        time.sleep(0.1)  # real processes: the service writes once a second
    assert "\tsandbox\tunauthorized\twebhook-id, webhook-timestamp and webhook-signature must each" in beside.out
    assert "\t19\t" in beside.out
    assert "canary" not in beside.out
    assert beside("refusals", "--json") == 0
    lines = [json.loads(line) for line in beside.out.splitlines()]
    assert all(set(line) == documented("A refused delivery") for line in lines)
    assert {(line["source"], line["code"], line["secret"]) for line in lines} >= {("sandbox", "unauthorized", None)}


def test_no_such_source(beside: Commands) -> None:
    """A source that is not there is said, with those that are."""
    assert beside("refusals", "--source", "dusk") == 2
    assert beside.err == "onhook: there is no [sources.dusk]; there is sandbox\n"


def test_nothing_was_refused(onhook: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing was refused that is said, of all sources and of one; as JSON there is no line."""
    with server(*DURABLE) as url:
        stand(monkeypatch, own(tmp_path) | OFFLINE | {"ONHOOK_REDIS__URL": url})
        remembered = "it is remembered for retention.refusals_days.\n"
        assert (onhook("refusals"), onhook.out) == (0, f"Nothing was refused; {remembered}")
        assert (onhook("refusals", "--source", "desk"), onhook.out) == (0, f"Nothing was refused of desk; {remembered}")
        assert (onhook("refusals", "--json"), onhook.out) == (0, "")
