"""docker-compose.yml says things that our settings take, and Redis is told to keep what it confirms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from service import settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SECRET = "whsec_bm90LWEtc2VjcmV0LWJ1dC1sb25nLWVub3VnaC1mb3ItYS10ZXN0"
GIVEN = {
    "GENESYS_CLIENT_ID": "6a1d9a2e-0000-4000-8000-000000000000",
    "SERVICENOW_URL": "https://acme.service-now.com",
}


def _filled(value: str) -> str:
    """Return a value as compose fills it in: `${NAME:-default}` and `${NAME:?why}`."""
    if not value.startswith("${"):
        return value
    name, _, rest = value[2:-1].partition(":")
    return GIVEN.get(name, rest[1:] if rest.startswith("-") else "")


def _variables(service: str, folder: Path) -> dict[str, str]:
    said = {name: _filled(str(value)) for name, value in COMPOSE["services"][service]["environment"].items()}
    return {name: value.replace("/run/secrets", str(folder)) for name, value in said.items()}


@pytest.mark.parametrize("service", ["serve", "work"])
def test_settings_take_what_compose_says(service: str, tmp_path: Path) -> None:
    """The variables of a service are settings, all of them, and its secrets are read from the files it is given."""
    for name in COMPOSE["services"][service]["secrets"]:
        (tmp_path / name).write_text(SECRET, encoding="utf-8")
    said = settings.read(_variables(service, tmp_path) | {"ONHOOK_CONFIG": "/dev/null"})
    assert said.redis.url.get_secret_value() == "redis://redis:6379/0"
    assert said.orgs["acme"].mode == "shadow"
    assert said.orgs["acme"].client_secret.get_secret_value() == SECRET
    assert said.sources["servicenow"].org == "acme"


def test_redis_keeps_what_it_confirms() -> None:
    """Redis syncs each write, evicts nothing, and its data outlives the container."""
    redis = COMPOSE["services"]["redis"]
    command = " ".join(redis["command"])
    assert "--appendonly yes" in command
    assert "--appendfsync always" in command
    assert "--maxmemory-policy noeviction" in command
    assert redis["volumes"]


def test_services_are_the_ones_promised() -> None:
    """redis, serve, work and sandbox: ours run as who owns nothing, on a file system that cannot be written."""
    services = COMPOSE["services"]
    assert set(services) == {"redis", "serve", "work", "sandbox"}
    for name in ("serve", "work", "sandbox"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["command"][0] == name


def test_secrets_are_files() -> None:
    """No secret is a value in the environment; each that a service is given exists at the top."""
    for name in ("serve", "work"):
        for variable in COMPOSE["services"][name]["environment"]:
            assert not variable.endswith(("SECRET", "SECRETS", "PASSWORD"))
        assert set(COMPOSE["services"][name]["secrets"]) <= set(COMPOSE["secrets"])
