"""Pause and resume, beside a running service."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.cli.conftest import Commands, Service
from tests.commands import documented


def test_pause_and_resume(beside: Commands, service: Service) -> None:
    """What is paused is said here and by the service, until it goes on."""
    assert beside("pause") == 0
    assert beside.out == "Paused: org sandbox. Clicks are kept until they are too old; `onhook resume` goes on.\n"
    ready = httpx.get(f"{service.private}/readyz", trust_env=False).json()
    assert ready["orgs"]["sandbox"]["paused"] == [""]
    assert (beside("resume"), beside.out) == (0, "Going on: org sandbox.\n")
    assert (beside("pause", "--source", "sandbox"), beside.out.split(".")[0]) == (0, "Paused: source sandbox")
    assert "`onhook resume --source sandbox` goes on" in beside.out
    assert beside("resume") == 0
    assert beside.out.splitlines() == [
        "Going on: org sandbox.",
        "Still paused: source sandbox; `onhook resume --source sandbox` lets it go on.",
    ]
    assert (beside("resume", "--source", "sandbox"), beside.out) == (0, "Going on: source sandbox.\n")
    ready = httpx.get(f"{service.private}/readyz", trust_env=False).json()
    assert ready["orgs"]["sandbox"]["paused"] == []


def test_for_programs(beside: Commands) -> None:
    """For programs it is said which orgs are meant, and which source."""
    assert beside("pause", "--source", "sandbox", "--json") == 0
    assert json.loads(beside.out) == {
        "is_paused": True,
        "orgs": ["sandbox"],
        "source": "sandbox",
        "paused": ["source sandbox"],
    }
    assert set(json.loads(beside.out)) == documented("Paused, or going on")
    assert beside("resume", "--json") == 0
    assert json.loads(beside.out) == {
        "is_paused": False,
        "orgs": ["sandbox"],
        "source": None,
        "paused": ["source sandbox"],
    }
    assert beside("resume", "--source", "sandbox") == 0


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_nobody(beside: Commands, command: str) -> None:
    """An org or a source that is not there is said, with those that are."""
    assert (beside(command, "--org", "acne"), beside.err) == (
        2,
        "onhook: there is no [orgs.acne]; there is sandbox\n",
    )
    assert (beside(command, "--source", "dusk"), beside.err) == (
        2,
        "onhook: there is no [sources.dusk]; there is sandbox\n",
    )


def test_nothing(onhook: Commands) -> None:
    """Where nothing is configured and nothing runs, that is said."""
    assert (onhook("pause"), onhook.out) == (2, "")
    assert "orgs: there is none" in onhook.err
