"""Every default is fit to be typed, and what is said of an org is what its actions are decided under."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from service import settings
from service.core import model as m
from service.settings import Settings
from service.sources import KINDS
from tests.settings.test_reading import ONE, ORG, SOURCE, WHOLE, faults_of, heard

QUEUE = "0f9a1d4e-5b7c-4d21-9e3a-2c4b6d8e0f1a"
PLACES = ("ORGS__ACME", "SOURCES__DESK")
POLICY = ("mode", "purposes", "queues", "divisions", "requesters", "last_pair", "supervisors", "requester_rate")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder without an onhook.toml."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("section", ["redis", "doors", "outbound", "log", "limits", "retention", "console"])
def test_defaults_would_be_taken(section: str) -> None:
    """Every default is what would come out if it were typed."""
    default: BaseModel = getattr(Settings(), section)
    typed = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in dict(default).items()
    }
    assert type(default).model_validate(typed) == default


def test_defaults_of_orgs_and_sources_would_be_taken() -> None:
    """So are the defaults of an org, and of every kind of source."""
    org = settings.OrgSettings.model_validate(ORG)
    typed = {**ORG, **{name: getattr(org, name) for name in POLICY}}
    assert settings.OrgSettings.model_validate(typed) == org
    for name, kind in KINDS.items():
        source = kind.options.model_validate(
            {**SOURCE, "kind": name, "secrets": [ONE.removeprefix("whsec_")], "reports": []}
        )
        typed = {field: getattr(source, field) for field in kind.options.model_fields}
        assert kind.options.model_validate(typed) == source


@pytest.mark.parametrize(
    "said, fault",
    [
        ({"DELIVERIES_DAYS": "2"}, "deliveries_days: Input should be greater than or equal to 3"),
        ({"DELIVERIES_DAYS": "31", "ACTIONS_DAYS": "60"}, "deliveries_days: Input should be less than or equal to 30"),
        ({"ACTIONS_DAYS": "367"}, "actions_days: Input should be less than or equal to 366"),
        ({"ACTIONS_DAYS": "6"}, "retention: actions_days is to be as many as deliveries_days at least"),
        ({"REFUSALS_DAYS": "0"}, "refusals_days: Input should be greater than or equal to 1"),
        ({"REFUSALS_DAYS": "91"}, "refusals_days: Input should be less than or equal to 90"),
        ({"AUDIT_DAYS": "6"}, "audit_days: Input should be greater than or equal to 7"),
        ({"AUDIT_DAYS": "1097"}, "audit_days: Input should be less than or equal to 1096"),
    ],
)
def test_what_is_no_retention(said: dict[str, str], fault: str) -> None:
    """A delivery is known for as long as its sender repeats it, and no longer than the action that it leads to."""
    assert fault in faults_of({f"ONHOOK_RETENTION__{name}": days for name, days in said.items()})


@pytest.mark.parametrize(
    "backlog, than", [("99", "greater than or equal to 100"), ("1000001", "less than or equal to")]
)
def test_what_is_no_backlog(backlog: str, than: str) -> None:
    """A backlog below a burst would refuse it, and one without end is none."""
    assert f"limits.backlog: Input should be {than}" in faults_of({"ONHOOK_LIMITS__BACKLOG": backlog})


def test_policy_is_said_of_org_and_source() -> None:
    """What may be said of an org's policy may be said of a source's, by the same names; whatever is said is used."""
    policy = [
        ("PURPOSES", "Customer, agent", "purposes", {"customer", "agent"}),
        ("QUEUES", QUEUE.upper(), "queues", {QUEUE}),
        ("DIVISIONS", "Sales, Vertrieb Süd", "divisions", {"Sales", "Vertrieb Süd"}),
        ("REQUESTERS", '["beth.anglin", " joe "]', "requesters", {"beth.anglin", "joe"}),
        ("LAST_PAIR", "refuse", "last_pair", "refuse"),
        ("SUPERVISORS", "allow", "supervisors", "allow"),
        ("REQUESTER_RATE", "7", "requester_rate", 7),
    ]
    assert {name.lower() for name, *_ in policy} | {"mode"} == set(POLICY)
    places = {f"ONHOOK_{place}__{name}": text for place in PLACES for name, text, *_ in policy}
    said = heard({**WHOLE, **places})
    for limits in (said.orgs["acme"].terms.policy, said.sources["desk"].limits):
        assert {name: getattr(limits, name) for _, _, name, _ in policy} == {name: it for _, _, name, it in policy}
        assert limits.is_live
    assert {*POLICY, "is_live"} == {*m.Limits.__dataclass_fields__, "mode"}


def test_a_source_in_shadow() -> None:
    """A source may be in shadow by itself, and one that says nothing forbids nothing."""
    assert not heard({**WHOLE, "ONHOOK_SOURCES__DESK__MODE": "shadow"}).sources["desk"].limits.is_live
    assert heard(WHOLE).sources["desk"].limits == m.Limits()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "setting, text, why",
    [
        ("QUEUES", "Sales", "has Sales, and is a list of ids of queues, like "),
        ("QUEUES", '[""]', "has an entry with nothing in it"),
        ("PURPOSES", '["customer", " "]', "has an entry with nothing in it"),
        ("DIVISIONS", '[""]', "has an entry with nothing in it"),
        ("REQUESTERS", '[""]', "has an entry with nothing in it"),
        ("LAST_PAIR", "never", "Input should be 'allow' or 'refuse'"),
        ("SUPERVISORS", "never", "Input should be 'allow' or 'refuse'"),
        ("MODE", "dark", "Input should be 'live' or 'shadow'"),
        ("REQUESTER_RATE", "-1", "Input should be greater than or equal to 0"),
        ("REQUESTER_RATE", "6001", "Input should be less than or equal to 6000"),
        ("REQUESTER_RATE", "often", "Input should be a valid integer"),
    ],
)
def test_what_no_policy_can_say(place: str, setting: str, text: str, why: str) -> None:
    """What could never fit anybody, or is none of the words, is a fault that names its setting."""
    section = place.lower().replace("__", ".")
    assert faults_of({**WHOLE, f"ONHOOK_{place}__{setting}": text}).startswith(f"{section}.{setting.lower()}: {why}")


def test_terms() -> None:
    """An org's settings are the terms its actions are decided under."""
    live = heard({**WHOLE, "ONHOOK_ORGS__ACME__LAST_PAIR": "refuse"}).orgs["acme"].terms
    shadow = heard({**WHOLE, "ONHOOK_ORGS__ACME__MODE": "shadow"}).orgs["acme"].terms
    purposes = {"customer", "external"}
    assert (live.is_live, live.policy.last_pair, set(live.policy.purposes)) == (True, "refuse", purposes)
    assert (shadow.is_live, shadow.policy.last_pair) == (False, "allow")
