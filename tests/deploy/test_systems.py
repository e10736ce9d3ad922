"""The pages of the ticketing systems: each preset has one, its settings are taken, and its body says what is meant."""

from __future__ import annotations

import hmac
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from service.cli import app
from service.core import model as m
from service.settings.reading import read
from service.sources.generic import Generic, Options
from service.sources.presets import NAMES, preset
from tests.sources.senders import NOW, Outdoors

DEPLOY = Path(__file__).parents[2] / "deploy"
TOGETHER = {"jsm": "jira", "freshdesk": "freshservice"}  # on the page of their sibling
FILES = {name: DEPLOY / TOGETHER.get(name, name) / "README.md" for name in sorted(NAMES)}
PAGES = {name: file.read_text("utf-8") for name, file in FILES.items() if file.exists()}
OWN = sorted(set(PAGES) - set(TOGETHER))
ORG = '[orgs.acme]\nregion = "eu_central_1"\nclient_id = "i"\nclient_secret = "s"\n'
SECRET = "a play secret of the page"
SCREEN = 60  # lines: what a new contributor reads at once
# what a system fills in; the bodies then are what their presets have as a sample
FILLED: Mapping[str, Mapping[str, str]] = {
    "zendesk": {
        "{{ticket.ticket_field_1001}}": "conversationId",
        "{{ticket.requester.phone}}": "caller_phone",
        "{{ticket.id}}": "ticket",
        "{{current_user.name}}": "requested_by",
        "{{ticket.updated_at_with_timestamp}}": "timestamp",
    },
    "freshservice": {
        "{{ticket.cf_conversation}}": "conversationId",
        "{{ticket.requester.phone}}": "caller_phone",
        "{{ticket.id_numeric}}": "ticket",
        "{{event.agent.name}}": "requested_by",
        "{{ticket.updated_at}}": "timestamp",
    },
    "salesforce": {
        "{!$Record.Genesys_Conversation__c}": "conversationId",
        "{!$Record.ContactPhone}": "caller_phone",
        "{!$Record.Id}": "ticket",
        "{!$Record.CaseNumber}": "number",
        "{!$User.Username}": "requested_by",
        "{!clicked}": "timestamp",
    },
    "dynamics": {
        "@{triggerOutputs()?['body/new_genesysconversation']}": "conversationId",
        "@{triggerOutputs()?['body/new_callerphone']}": "caller_phone",
        "@{triggerOutputs()?['body/incidentid']}": "ticket",
        "@{triggerOutputs()?['body/ticketnumber']}": "number",
        "@{triggerOutputs()?['body/_modifiedby_value']}": "requested_by",
        "@{triggerOutputs()?['body/modifiedon']}": "timestamp",
    },
}


def block(page: str, language: str) -> str:
    """Return the one block of a page in this language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return str(found)


def settings_of(text: str, folder: Path) -> Any:  # noqa: ANN401 - the options of whatever kind it is
    """Return the one source that these settings make."""
    (folder / "onhook.toml").write_text(f"{ORG}{text}", encoding="utf-8")
    (source,) = read({"ONHOOK_CONFIG": str(folder / "onhook.toml")}).sources.values()
    return source


def test_each_has_its_page() -> None:
    """Each preset has a page."""
    assert [str(file.relative_to(DEPLOY)) for file in FILES.values() if not file.exists()] == []


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_settings_are_taken(name: str, tmp_path: Path) -> None:
    """What a page says to paste into onhook.toml is taken as it stands, and has its tickets told."""
    text = block(PAGES[name], "toml").replace(f'kind = "{TOGETHER.get(name, name)}"', f'kind = "{name}"')
    source = settings_of(text, tmp_path)
    assert source.kind == name
    assert source.channels == ("ticket",)


@pytest.mark.parametrize("name", OWN)
def test_what_may_be_said_besides_is_taken(name: str, tmp_path: Path) -> None:
    """What stands there behind a # may be said as well."""
    lines = block(PAGES[name], "toml").splitlines()
    besides = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    said = {line.split(" =")[0] for line in besides}
    kept = [line for line in lines if line.split(" =")[0] not in said and not line.startswith("# ")]
    assert settings_of("\n".join([*kept, *besides]), tmp_path).kind == name


@pytest.mark.parametrize("name", sorted(FILLED))
def test_the_body_is_the_sample(name: str) -> None:
    """The body that an administrator pastes is, filled in by his system, what the preset is tested with."""
    sample = json.loads(preset(name).sample["body"])
    named = sample | {"conversationId": sample.get("conversationId", sample.get("conversation_id"))}
    body = block(PAGES[name], "json")
    for hole, field in FILLED[name].items():
        assert body.count(hole) == 1, hole
        body = body.replace(hole, str(named[field]))
    assert json.loads(body) == sample


@pytest.mark.parametrize("name", sorted(set(OWN) - set(FILLED)))
def test_what_cannot_be_written_is_not(name: str) -> None:
    """Where the system writes the body itself, the page has none to paste."""
    assert "```json" not in PAGES[name]


def test_what_hubspot_and_teams_are_to_write() -> None:
    """The text that a person or a workflow writes there is that of the sample."""
    (event,) = json.loads(preset("hubspot").sample["body"])
    assert block(PAGES["hubspot"], "text").strip() == event["propertyValue"]
    said = re.search(r"`@onhook (remove [^`]+)`", PAGES["teams"])
    assert said
    assert said[1] in json.loads(preset("teams").sample["body"])["text"]


@pytest.mark.parametrize("name", OWN)
def test_a_page_is_whole(name: str) -> None:
    """A page says the address, what is told and how often, what comes of errors, and that nobody tried it for real."""
    page = PAGES[name]
    assert f"https://YOUR-HOST/webhooks/{name}" in page or f"POST `/webhooks/{name}`" in page
    said = page.replace("\n", " ")
    for mark in ("**Told**", "once", "**Errors**", "Untested against a live account"):
        assert mark in said
    shown = preset(name).options["signature"].get("scheme", "hmac") != "hmac"
    assert ("**Nothing is signed**" in said) == shown
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert set(re.findall(r"`onhook ([a-z]+)", said)) <= commands
    assert max(map(len, page.splitlines())) <= 160


@pytest.mark.parametrize("name", OWN)
def test_a_page_is_found(name: str) -> None:
    """The operator's page leads to each."""
    assert f"({name}/README.md)" in (DEPLOY / "README.md").read_text("utf-8")


def test_another_system() -> None:
    """The page on adding a system fits a screen, and by the settings it shows its sample asks what it says."""
    page = (DEPLOY / "systems.md").read_text("utf-8")
    assert len(page.splitlines()) <= SCREEN
    shown = tomllib.loads(block(page, "toml"))
    sample = shown.pop("sample")
    desk = {"desk_url": "http://127.0.0.1:8090", "desk_secret": "a play token"}
    options = Options.model_validate({"kind": "generic", "org": "acme", "secrets": [SECRET], **desk, **shown})
    source = Generic("desk", options, Outdoors().outside)
    body = sample["body"].encode()
    mac = f"sha256={hmac.digest(SECRET.encode(), body, 'sha256').hex()}".encode()
    delivery = m.Delivery("desk", ((b"x-trouble-signature", mac),), body, NOW)
    found = source.parse(delivery, source.verify(delivery))
    assert isinstance(found, m.Removal)
    assert found.ticket
    asked = (found.ticket.reference, found.conversation_id, found.selector.value, found.requester, found.event_at)
    assert asked == (
        *(sample["asks"][name] for name in ("ticket", "conversation_id", "caller_phone", "requester")),
        NOW,
    )
