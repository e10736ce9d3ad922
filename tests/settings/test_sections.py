"""Every default is fit to be typed, and what is said of an org is what its actions are decided under."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from service import settings
from service.settings import Settings
from service.sources import KINDS
from tests.settings.test_reading import ONE, ORG, SOURCE, WHOLE, heard


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder without an onhook.toml."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("section", ["redis", "doors", "outbound", "log"])
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
    typed = {**ORG, "mode": org.mode, "purposes": sorted(org.purposes), "last_pair": org.last_pair}
    assert settings.OrgSettings.model_validate(typed) == org
    for name, kind in KINDS.items():
        source = kind.options.model_validate({**SOURCE, "kind": name, "secrets": [ONE], "reports": []})
        typed = {field: getattr(source, field) for field in kind.options.model_fields}
        assert kind.options.model_validate(typed) == source


def test_terms() -> None:
    """An org's settings are the terms its actions are decided under."""
    live = heard({**WHOLE, "ONHOOK_ORGS__ACME__LAST_PAIR": "refuse"}).orgs["acme"].terms
    shadow = heard({**WHOLE, "ONHOOK_ORGS__ACME__MODE": "shadow"}).orgs["acme"].terms
    purposes = {"customer", "external"}
    assert (live.is_live, live.policy.last_pair, set(live.policy.purposes)) == (True, "refuse", purposes)
    assert (shadow.is_live, shadow.policy.last_pair) == (False, "allow")
