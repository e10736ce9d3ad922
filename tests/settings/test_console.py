"""What is said of the console is taken when it is safe, and else refused in words: it says who gets in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.settings.console import CONSOLE_NAME, ConsoleSettings
from service.web.console import sessions
from tests.settings.test_reading import faults_of, heard

HASH = "ab" * 32
OTHER = "cd" * 32
PROXY = {"header": "X-Forwarded-User", "addresses": ["10.1.2.3"], "operators": ["Beth@acme.example"]}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder without an onhook.toml."""
    monkeypatch.chdir(tmp_path)


def console(**said: object) -> ConsoleSettings:
    """Read a console's settings."""
    return ConsoleSettings.model_validate(said)


def test_nothing_said_lets_in_nobody() -> None:
    """Without a word about it there is no token and no proxy, and the defaults would be taken if they were typed."""
    assert (console().tokens, console().proxy.header, console().hosts) == ({}, "", ())
    assert console(**console().model_dump()) == console()


def test_tokens() -> None:
    """A token has a name, a role and a hash; the hash is in no text of the settings."""
    said = console(tokens={"beth": {"role": "operator", "token_sha256": HASH.upper()}})
    assert (said.tokens["beth"].role, said.tokens["beth"].token_sha256) == ("operator", HASH)
    assert HASH not in repr(said)


@pytest.mark.parametrize(
    "tokens, fault",
    [
        ({"beth": {"role": "admin", "token_sha256": HASH}}, "'viewer' or 'operator'"),
        ({"beth": {"role": "viewer", "token_sha256": HASH[1:]}}, "in 64 hex digits, as `onhook admit` prints it"),
        ({"beth": {"role": "viewer", "token_sha256": "onhook_" + "x" * 57}}, "in 64 hex digits"),
        ({"Beth": {"role": "viewer", "token_sha256": HASH}}, r"tokens\.Beth: a name is 1 to 64 of"),
        ({"a:b": {"role": "viewer", "token_sha256": HASH}}, "tokens.a:b: a name is"),
        ({"": {"role": "viewer", "token_sha256": HASH}}, r"tokens\.: a name is"),
        (
            {"a": {"role": "viewer", "token_sha256": HASH}, "b": {"role": "operator", "token_sha256": HASH}},
            "two names share a token",
        ),
    ],
)
def test_tokens_that_are_none(tokens: dict[str, Any], fault: str) -> None:
    """What is no role, no hash or no name is said, and a token is one person's: the audit names him by it."""
    with pytest.raises(ValidationError, match=fault):
        console(tokens=tokens)


def test_names() -> None:
    """What is a name to the settings is one to the cookie."""
    assert CONSOLE_NAME.pattern == sessions.NAME


def test_two_tokens() -> None:
    """Two people have a token each."""
    both = {"a": {"role": "viewer", "token_sha256": HASH}, "b": {"role": "operator", "token_sha256": OTHER}}
    assert set(console(tokens=both).tokens) == {"a", "b"}


@pytest.mark.parametrize(
    "host, taken",
    [
        ("Onhook.Internal.Example", "onhook.internal.example"),
        ("10.1.2.3", "10.1.2.3"),
        ("[fd00::1]", "[fd00::1]"),
        ("https://onhook.example", ""),
        ("onhook.example:8081", ""),
        ("*", ""),
        ("", ""),
    ],
)
def test_hosts(host: str, taken: str) -> None:
    """A name by which browsers come is a name alone; there is none for everybody."""
    if taken:
        assert console(hosts=[host]).hosts == (taken,)
    else:
        with pytest.raises(ValidationError, match="a host name without a scheme and a port"):
            console(hosts=[host])


@pytest.mark.parametrize("hours, is_taken", [(0.25, True), (168, True), (0.2, False), (169, False)])
def test_session_hours(hours: float, is_taken: bool) -> None:
    """A login lasts a quarter of an hour at least, and no longer than a week."""
    if is_taken:
        assert console(session_hours=hours).session_hours == hours
    else:
        with pytest.raises(ValidationError, match="session_hours"):
            console(session_hours=hours)


def test_proxy() -> None:
    """A proxy is believed by a header, and from the addresses that are said."""
    said = console(proxy={**PROXY, "addresses": ["10.1.2.3", "fd00::/64"], "secret": "s" * 24}).proxy
    assert said.header == "x-forwarded-user"
    assert [str(one) for one in said.networks] == ["10.1.2.3/32", "fd00::/64"]
    assert "s" * 24 not in repr(said)


@pytest.mark.parametrize(
    "change, fault",
    [
        ({"header": ""}, "header is missing"),
        ({"header": "Cookie"}, "a header that the proxy alone sets"),
        ({"header": "X Y"}, "a header that the proxy alone sets"),
        ({"addresses": []}, "addresses is missing: without them anybody could say who he is"),
        ({"addresses": ["proxy.example"]}, "is IP addresses, or networks like"),
        ({"addresses": ["0.0.0.0/0"]}, "0.0.0.0/0 is everybody"),
        ({"addresses": ["::/0"]}, "::/0 is everybody"),
        ({"operators": []}, "operators and viewers are both empty"),
        ({"secret": "s" * 23}, "secret is 24 characters or more"),
        ({"secret": "ß" * 24}, "secret is 24 characters or more"),
        ({"secret": "s" * 24 + "\n"}, "secret is 24 characters or more"),
    ],
)
def test_proxies_that_are_none(change: dict[str, Any], fault: str) -> None:
    """Half a proxy is none: it would let in everybody, or nobody."""
    with pytest.raises(ValidationError, match=fault):
        console(proxy={**PROXY, **change})


def test_from_the_environment() -> None:
    """Lists of the console can be said by variables too; tokens stand in the file alone."""
    said = heard(
        {
            "ONHOOK_CONSOLE__HOSTS": "a.example, b.example",
            "ONHOOK_CONSOLE__PROXY__HEADER": "X-User",
            "ONHOOK_CONSOLE__PROXY__ADDRESSES": '["10.0.0.1"]',
            "ONHOOK_CONSOLE__PROXY__VIEWERS": "*",
        }
    )
    assert said.console.hosts == ("a.example", "b.example")
    assert (said.console.proxy.addresses, said.console.proxy.viewers) == (("10.0.0.1",), frozenset("*"))
    assert (
        faults_of({"ONHOOK_CONSOLE__TOKENS__BETH": HASH}) == "console.tokens.beth: is a section: name a setting in it"
    )
    assert faults_of({"ONHOOK_CONSOLE": "x"}) == "console: is a section: name a setting in it"
