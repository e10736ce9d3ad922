"""The runbook has a heading for each alert and no other, says commands that there are, its calls drop one person."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
import yaml

from service import telemetry
from service.cli import app
from service.sandbox import diagnosis
from service.store.health import Topic
from service.telemetry import Event

DEPLOY = Path(__file__).parents[2] / "deploy"
PAGE = (DEPLOY / "runbook.md").read_text(encoding="utf-8")
RULES = yaml.safe_load((DEPLOY / "watch" / "onhook.rules.yml").read_text(encoding="utf-8"))
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule}
HEADINGS = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined] # it is a group: there are several
BY_HAND = PAGE[PAGE.index("## Removing a caller by hand") :]


def anchor(heading: str) -> str:
    """Return where a heading is found, as the forges make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_alert_has_its_heading() -> None:
    """Each alert has one heading and leads to it; no heading is for an alert that is none."""
    assert sorted(one for one in HEADINGS if one.startswith("Onhook")) == sorted(ALERTS)
    for name, rule in ALERTS.items():
        assert rule["annotations"]["runbook"] == f"deploy/runbook.md#{anchor(name)}"


def test_every_link_inside_leads_somewhere() -> None:
    """What the page links to in itself is a heading of it."""
    links = {re.sub(r"\s+", "", one) for one in re.findall(r"\]\(#([^)]+)\)", PAGE)}
    assert links <= {anchor(one) for one in HEADINGS}
    assert "removing-a-caller-by-hand" in links


def test_every_command_is_one() -> None:
    """Each command on the page exists, with the options it is given there."""
    said = re.findall(r"`onhook ((?:actions |dead )?[a-z]+)([^`]*)`", PAGE)
    assert {name for name, _ in said} >= {"check", "refusals", "pause", "resume", "explain", "preview", "dead retell"}
    for words, rest in said:
        family, _, name = words.rpartition(" ")
        commands = COMMANDS[family].commands if family else COMMANDS
        assert name in commands
        known = {option for one in commands[name].params for option in one.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known


def test_every_event_and_metric_is_one() -> None:
    """Each log event, setting, fault of Redis and metric that the page names is one of ours."""
    ours = {event.value for event in Event} | {"limits.backlog", "redis.url"}
    assert set(re.findall(r"`([a-z]+\.[a-z]+)`", PAGE)) <= ours
    assert set(re.findall(r"onhook_[a-z_]+", PAGE)) <= set(telemetry.metric_names())
    (section,) = re.findall(r"### OnhookNotReady\n(.*?)\n###", PAGE, re.DOTALL)
    assert set(re.findall(r"`([a-z]+)`", section)) - {"topic"} <= {topic.value for topic in Topic}


def _called(text: str) -> str:
    filled = re.sub(r"\$(CONVERSATION|PARTICIPANT)", "7f3a1d4e-0000-4000-8000-000000000001", text)
    return filled.replace("$DOMAIN", "mypurecloud.de")


@pytest.mark.parametrize(
    "method, body, ending, row",
    [
        ("POST", "grant_type=client_credentials", "/oauth/token", "token"),
        ("PATCH", '{"state":"disconnected"}', "/participants/$PARTICIPANT", "one-participant"),
    ],
)
def test_what_is_done_by_hand_is_right(method: str, body: str, ending: str, row: str) -> None:
    """The calls shown are the right ones, as the table says that `onhook explain` speaks from."""
    (url,) = [one for one in re.findall(r'"(https://[^"]+)"', BY_HAND) if one.endswith(ending)]
    assert body in BY_HAND
    found = diagnosis.explain(method, _called(url), body).row
    assert (found.name, found.is_right) == (row, True)


def test_what_is_never_done_drops_everyone() -> None:
    """Each call that the page warns of ends the conversation for all; only one mutating call is shown."""
    never = re.findall(r"^- `([A-Z]+) ([^`]+)`", BY_HAND, re.MULTILINE)
    assert len(never) == 3
    for method, path in never:
        row = diagnosis.explain(method, _called(path), '{"state":"disconnected"}').row
        assert (row.is_right, "drops everyone" in row.does) == (False, True)
    shown = re.findall(r"```sh\n(.*?)```", BY_HAND, re.DOTALL)
    assert sum("-X" in one for one in shown) == 1
