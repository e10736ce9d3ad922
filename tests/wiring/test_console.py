"""The console as the settings make it: the same sessions in each process of a deployment, and nobody else's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from service.settings import ConsoleSettings, Settings
from service.sources.options import SourceOptions
from service.web.console.sessions import Role
from service.wiring.admitting import admitted
from service.wiring.console import EVERYWHERE, hosts_of, key_of, proxy_of, site_of
from tests.web.doors import CountingDice, HandClock

ONE = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU"
TWO = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrscChlQ"
ORG = {"region": "eu_central_1", "client_id": "an-id", "client_secret": "a-secret"}


def said(secret: str = "a-secret", signs: str = ONE, **console: Any) -> Settings:  # noqa: ANN401 - as TOML has it
    """Return settings of one org and one source."""
    source = SourceOptions.model_validate({"org": "acme", "secrets": [signs]})
    return Settings.model_validate(
        {"orgs": {"acme": {**ORG, "client_secret": secret}}, "sources": {"desk": source}, "console": console}
    )


def test_one_key_for_a_deployment() -> None:
    """Processes with the same settings tell sessions by the same key; another secret makes another."""
    keys = [key_of(said()), key_of(said("another")), key_of(said(signs=TWO)), key_of(Settings())]
    assert key_of(said(hosts=["a.example"])) == keys[0]
    assert len(set(keys)) == 4
    assert all(len(key) == 32 for key in keys)


@pytest.mark.parametrize(
    "host, own",
    [("127.0.0.1", set()), ("10.1.2.3", {"10.1.2.3"}), ("fd00::1", {"[fd00::1]"}), (min(EVERYWHERE), set())],
)
def test_hosts(host: str, own: set[str]) -> None:
    """Browsers come by this machine's own names, the door's address, and those that are set."""
    console = ConsoleSettings.model_validate({"hosts": ["Console.Example"]})
    assert hosts_of(console, host) == {"localhost", "127.0.0.1", "[::1]", "console.example"} | own


def test_no_proxy_unless_set() -> None:
    """No header is believed unless the settings say which, and from where."""
    assert proxy_of(ConsoleSettings()) is None
    proxy = {"header": "X-User", "addresses": ["10.1.2.0/24"], "operators": ["Beth"], "secret": "s" * 24}
    made = proxy_of(ConsoleSettings.model_validate({"proxy": proxy}))
    assert made
    assert (made.header, made.secret, made.operators, made.viewers) == (
        "x-user",
        "s" * 24,
        frozenset({"beth"}),
        frozenset(),
    )


def test_a_login_holds_at_each_process() -> None:
    """A session that one process opened is one to another with the same settings, and to none with others."""
    made = admitted("vera", "viewer")
    tokens = {"vera": {"role": "viewer", "token_sha256": made.token_sha256}}
    clock = HandClock()
    one, other, stranger = (
        site_of(settings, clock, CountingDice(), "127.0.0.1", (), _around).entrance.sessions
        for settings in (said(tokens=tokens), said(tokens=tokens), said(signs=TWO, tokens=tokens))
    )
    holder = one.holder_of(made.token)
    assert holder
    cookie = one.cookie(holder, clock.now(), "0f" * 16)
    found = other.session(cookie, clock.now())
    assert (found and found.who, stranger.session(cookie, clock.now())) == ("vera", None)


async def _around() -> Mapping[str, object]:
    return {}


def test_site() -> None:
    """Tokens, their roles and the length of sessions are those of the settings."""
    tokens = {"vera": {"role": "viewer", "token_sha256": "ab" * 32}}
    site = site_of(said(tokens=tokens, session_hours=2), HandClock(), CountingDice(), "127.0.0.1", (), _around)
    sessions = site.entrance.sessions
    assert (sessions.seconds, sessions.is_empty, site.entrance.proxy) == (7200, False, None)
    assert sessions.session("", 0) is None
    assert sessions.lent("x", Role.VIEWER).who == "x"
