"""The page for Slack: its manifest says what Slack documents, its settings are taken, and its words are read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from service.settings.reading import read
from service.sources import slack
from service.sources.slack_asking import Click, sent_in
from tests.sources.senders import PHONE, Outdoors
from tests.sources.workspace import PlaySlack, button, command

PAGE = (Path(__file__).parents[2] / "deploy" / "slack" / "README.md").read_text(encoding="utf-8")
ORG = '[orgs.acme]\nregion = "eu_central_1"\nclient_id = "i"\nclient_secret = "s"\n'


def block(language: str) -> str:
    """Return the one block of the page in this language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_manifest() -> None:
    """It parses, sends commands and clicks to our door, and asks for the rights that we use and no more."""
    manifest: dict[str, Any] = yaml.safe_load(block("yaml"))
    assert set(manifest) == {"display_information", "features", "oauth_config", "settings"}
    assert len(manifest["display_information"]["name"]) <= 35
    (slash,) = manifest["features"]["slash_commands"]
    assert set(slash) == {"command", "url", "description", "usage_hint"}
    addresses = {slash["url"], manifest["settings"]["interactivity"]["request_url"]}
    assert addresses == {"https://YOUR-HOST/webhooks/slack"}
    assert manifest["settings"]["interactivity"]["is_enabled"] is True
    rights = {"commands", "chat:write", "channels:history", "groups:history", "metadata.message:read"}
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == rights


def test_the_settings(tmp_path: Path) -> None:
    """They are taken as they stand, and whoever clicked and the channel are told."""
    (tmp_path / "onhook.toml").write_text(f"{ORG}{block('toml')}", encoding="utf-8")
    (options,) = read({"ONHOOK_CONFIG": str(tmp_path / "onhook.toml")}).sources.values()
    assert isinstance(options, slack.Options)
    source = slack.Slack("slack", options, Outdoors(PlaySlack().app).outside)
    assert source.terms.channels == ("response", "channel")


def test_the_words() -> None:
    """What the page says to type, and to put into a button, names the conversation and the caller."""
    typed = re.search(r"`/remove-caller ([^`]*)`", PAGE)
    written = re.search(r"`(\{\"conversation_id\"[^`]*)`", PAGE)
    assert typed
    assert written
    value = json.dumps(json.loads(written[1].replace("+1…", PHONE)))
    bodies = (command(typed[1]), command(f"{typed[1]} ticket=INC0010112 medium=voice preview"), button(value))
    clicks = [found for body in bodies if isinstance(found := sent_in(body, "remove_caller"), Click)]
    assert [click.asked.fields.values["caller_phone"] for click in clicks] == [PHONE] * 3
    assert [click.ticket.label for click in clicks] == ["", "INC0010112", "INC0010112"]


def test_what_it_admits() -> None:
    """It says what was not tried, and how often who is told."""
    assert "Untested against a live workspace" in PAGE
    assert "**at least once**" in PAGE
