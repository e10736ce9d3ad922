"""What an operator may say of the console: who has a token, by which names it is reached, which proxy is believed."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

_STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
# as the cookie takes it (web.console.sessions.CONSOLE_NAME)
CONSOLE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?", re.ASCII)
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?|[0-9.]{7,15}|\[[0-9a-f:.]{2,45}\]", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# headers that any browser sends, or that mean something else to us: whoever writes them would be let in
_NEVER = frozenset({"authorization", "cookie", "host", "origin", "referer", "user-agent", "x-onhook-proxy-secret"})
_SECRET_LEAST = 24  # characters: what a generator of passwords makes, and no word that a person thinks of


def _host(said: str) -> str:
    name = said.lower()
    if not _HOST.fullmatch(name):
        raise ValueError("is a host name without a scheme and a port: onhook.internal.example")
    return name


def _header(said: str) -> str:
    if said and (not _HEADER.fullmatch(said) or said.lower() in _NEVER):
        raise ValueError("is the name of a header that the proxy alone sets, like X-Forwarded-User")
    return said.lower()


def _networks(said: tuple[str, ...]) -> tuple[str, ...]:
    for one in said:
        try:
            network = ip_network(one)
        except ValueError:
            raise ValueError("is IP addresses, or networks like 10.1.2.0/24") from None
        if not network.prefixlen:
            raise ValueError(f"{one} is everybody: name the addresses of the proxy")
    return said


def _sha256(said: str) -> str:
    if not _SHA256.fullmatch(said.lower()):
        raise ValueError("is the SHA-256 of a token in 64 hex digits, as `onhook admit` prints it")
    return said.lower()


class TokenSettings(BaseModel):
    """Somebody's token for the console.

    Attributes:
        role: `viewer` looks, `operator` also acts.
        token_sha256: the hash that `onhook admit` printed; the token itself stands nowhere.
    """

    model_config = _STRICT

    role: Literal["viewer", "operator"]
    token_sha256: Annotated[str, AfterValidator(_sha256)] = Field(repr=False)


class ProxySettings(BaseModel):
    """A proxy that logs people in and says who they are. It must take the header out of what others send.

    Attributes:
        header: the header in which it does, like `X-Forwarded-User`; empty: no proxy is believed.
        addresses: where it comes from, as this machine sees it; addresses or networks.
        secret: what it sends in `X-Onhook-Proxy-Secret`; empty where its address is enough.
        operators, viewers: who may what, as it names them; `*` among the viewers: whomever it lets through.
    """

    model_config = _STRICT

    header: Annotated[str, AfterValidator(_header)] = ""
    addresses: Annotated[tuple[str, ...], AfterValidator(_networks)] = ()
    secret: SecretStr = SecretStr("")
    operators: frozenset[str] = frozenset()
    viewers: frozenset[str] = frozenset()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.header and (self.addresses or self.operators or self.viewers or self.secret.get_secret_value()):
            raise ValueError("header is missing: in which one the proxy says who somebody is")
        if self.header and not self.addresses:
            raise ValueError("addresses is missing: without them anybody could say who he is")
        if self.header and not (self.operators or self.viewers):
            raise ValueError("operators and viewers are both empty, so it would let in nobody")
        secret = self.secret.get_secret_value()
        if secret and not (len(secret) >= _SECRET_LEAST and secret.isascii() and secret.isprintable()):
            raise ValueError(f"secret is {_SECRET_LEAST} characters or more, all ASCII")
        return self

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Where it comes from."""
        return tuple(ip_network(one) for one in self.addresses)


class ConsoleSettings(BaseModel):
    """Who gets into the console on the private door of `serve` and `up`.

    Attributes:
        tokens: by name; they stand in the file alone.
        hosts: names by which browsers reach it, beside `localhost` and the address of the door.
        session_hours: how long a login lasts.
    """

    model_config = _STRICT

    tokens: dict[str, TokenSettings] = {}
    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ()
    session_hours: Annotated[float, Field(ge=0.25, le=168)] = 12.0
    proxy: ProxySettings = ProxySettings()

    @model_validator(mode="after")
    def _are_named(self) -> Self:
        for name in self.tokens:
            if not CONSOLE_NAME.fullmatch(name):
                why = "a name is 1 to 64 of a-z, 0-9, . _ @ -, with a letter or digit at both ends"
                raise ValueError(f"tokens.{name}: {why}")
        hashes = [one.token_sha256 for one in self.tokens.values()]
        if len(set(hashes)) < len(hashes):
            raise ValueError(
                "tokens: two names share a token, so the audit could not tell who it was; give each its own"
            )
        return self
