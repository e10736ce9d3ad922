"""`onhook preview`, beside a running service: who would go, or why nobody; and nobody goes."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Commands, Service
from tests.wiring.running import PHONE

ASKED = ("preview", "--source", "sandbox", "--conversation")


def test_who_would_go(beside: Commands, service: Service) -> None:
    """The one who would go and those who would stay are named, and all of them are still there."""
    cid = service.confer()
    before = service.present(cid)
    assert beside(*ASKED, cid, "--phone", PHONE) == 0
    assert beside.out.startswith("previewed: ")
    assert "caller" in beside.out
    assert service.present(cid) == before


def test_why_nobody(beside: Commands, service: Service) -> None:
    """What the policy refuses is refused to a preview as well, with the setting that would allow it."""
    cid = service.confer()
    assert beside(*ASKED, cid, "--purpose", "agent", "--requester", "beth.anglin") == 11
    agent, *_ = [person for person in service.people(cid) if person["purpose"] == "agent"]
    assert beside(*ASKED, cid, "--participant", str(agent["id"])) == 11
    assert "orgs.sandbox.purposes" in beside.out
    assert "a click would be refused for the same reason" in beside.out
    assert "agent" in service.present(cid)


def test_no_outcome_in_time(beside: Commands, service: Service) -> None:
    """Where nobody works on it in time, that is said, with the id under which it can be found."""
    assert beside("pause") == 0
    try:
        assert beside(*ASKED, service.confer(), "--phone", PHONE, "--wait", "0") == 4
    finally:
        assert beside("resume") == 0


@pytest.mark.parametrize(
    "words, why",
    [
        (("--source", "dusk", "--conversation", "x"), "there is no [sources.dusk]"),
        (("--source", "sandbox", "--conversation", "x"), "conversation"),
        (("--source", "sandbox", "--conversation", "0f9a1d4e-5b7c-4d21-9e3a-2c4b6d8e0f1a"), "nobody is named"),
    ],
)
def test_what_cannot_be_asked(beside: Commands, words: tuple[str, ...], why: str) -> None:
    """A source that is not there, and words that name nobody, are said as a sender would hear it."""
    assert beside("preview", *words) == 2
    assert why in beside.err
