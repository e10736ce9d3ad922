"""Single sign-on: a proxy before the console says who somebody is, and is believed only when it is the proxy.

Its address must be one that the settings name, and where the settings give it a secret it sends that as well: on a
machine with other people's programs an address alone says little. Whoever else sends the header is turned away, rather
than let in without it: somebody tries to be another, or the settings are wrong, and both should be seen.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.requests import Request

from service.web.console.sessions import Role
from service.web.console.troubles import NOT_THE_PROXY, UNKNOWN_PERSON, TurnedAway

SECRET_HEADER = "x-onhook-proxy-secret"  # noqa: S105 - the name of a header
ANYBODY = "*"
# as proxies name people: an id, or an address of mail; nothing that a line of the audit would not show as it is
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@+-]{0,98}[A-Za-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy that may say who somebody is.

    Attributes:
        header: the name of the header in which it does, lower-case.
        networks: where it may come from.
        secret: what it sends in `X-Onhook-Proxy-Secret`; "" where its address is enough.
        operators, viewers: who may what, in any case of letters; `*` among the viewers: whomever it lets through.
    """

    header: str
    networks: tuple[IPv4Network | IPv6Network, ...]
    secret: str
    operators: frozenset[str]
    viewers: frozenset[str]

    def named(self, request: Request) -> tuple[str, Role] | None:
        """Return whom the proxy names and what he may, or None: nobody is named at all.

        Raises:
            TurnedAway: it is not the proxy who says so, or the person has no role here.
        """
        names = request.headers.getlist(self.header)
        if not names:
            return None
        if not self._is_it(request):
            raise TurnedAway(NOT_THE_PROXY)
        if len(names) != 1 or not _NAME.fullmatch(names[0]):
            raise TurnedAway(UNKNOWN_PERSON)
        name = names[0].lower()
        if name in self.operators:
            return name, Role.OPERATOR
        if name in self.viewers or ANYBODY in self.viewers:
            return name, Role.VIEWER
        raise TurnedAway(UNKNOWN_PERSON)

    def _is_it(self, request: Request) -> bool:
        """Whether the request comes from the proxy: by the address of the connection, which no header changes."""
        address = request.client and request.client.host
        try:
            peer = ip_address(address or "")
        except ValueError:  # a socket in the file system has none
            return False
        secrets = request.headers.getlist(SECRET_HEADER)
        is_told = not self.secret or (len(secrets) == 1 and _is_same(secrets[0], self.secret))
        return is_told and any(peer in network for network in self.networks)


def _is_same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())
