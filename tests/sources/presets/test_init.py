"""The presets: one file for a system, short, with a sample; one may begin as another."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.sources import KINDS, presets
from service.sources.generic import Options
from service.sources.presets import NAMES, preset, under

FOLDER = Path(presets.__file__).parent


def test_each_is_a_kind() -> None:
    """Each file is a kind of source by its name, and each of the systems that are promised has one."""
    promised = "zendesk jira jsm freshservice freshdesk pagerduty teams hubspot salesforce dynamics intercom opsgenie"
    assert set(promised.split()) <= NAMES <= KINDS.keys()


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_is_short_and_says_where_it_has_it_from(name: str) -> None:
    """A preset is read at a glance, and begins by saying what it is and whose pages it is from."""
    lines = (FOLDER / f"{name}.toml").read_text("utf-8").splitlines()
    said = " ".join(line for line in lines if line.startswith("# "))
    assert lines[0].startswith("# ")
    assert len(lines) <= 75
    assert "pages" in said or '("' in said
    assert [line for line in lines if len(line) > 120 and "{" not in line] == []


def test_one_like_another() -> None:
    """A preset that says `like` is that one but for what it says itself, and has its sample."""
    jira, jsm = preset("jira"), preset("jsm")
    assert jsm.sample == jira.sample
    assert jsm.options["ask"] == jira.options["ask"]
    assert jsm.options["tell"]["look"] == jira.options["tell"]["look"]
    assert jsm.options["tell"]["path"] != jira.options["tell"]["path"]
    assert "like" not in jsm.options


def test_what_is_above_counts() -> None:
    """Tables are laid over each other name by name; texts to fill and lists are taken whole."""
    below = {"a": {"b": 1, "c": 2}, "tell": {"path": "/x", "body": {"note": "{note}", "old": 1}}, "list": [1]}
    above = {"a": {"c": 3}, "tell": {"body": {"text": "{note}"}}, "list": [2], "new": {"d": 4}}
    assert under(below, above) == {
        "a": {"b": 1, "c": 3},
        "tell": {"path": "/x", "body": {"text": "{note}"}},
        "list": [2],
        "new": {"d": 4},
    }
    assert below["a"] == {"b": 1, "c": 2}


def test_an_operator_counts_before_the_preset() -> None:
    """What the settings say of a source goes before its preset, and leaves the rest of it."""
    given = {"kind": "opsgenie", "org": "acme", "secrets": ["sixteen bytes or more"], "reports": []}
    options = Options.model_validate(given | {"ask": {"timestamp": "/alert/createdAt"}, "success_status": 202})
    assert options.success_status == 202
    assert options.ask
    assert options.ask.timestamp
    assert (options.ask.timestamp.text, options.ask.timestamp_form) == ("/alert/createdAt", "milliseconds")
