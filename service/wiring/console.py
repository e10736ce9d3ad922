"""The console, made of the settings: who gets in, by which names it is reached, and by what key sessions are told.

The key is made of the secrets that each process of a deployment has anyhow: the orgs' client secrets and the sources'
own. So a login holds at every one of them, nothing more has to be set or kept, and who would forge one has to know all
of these. When one of them is changed, everybody logs in again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from collections.abc import Sequence

from service.core.ports import Clock, Dice
from service.settings import ConsoleSettings, Settings
from service.web.console.entrance import Entrance
from service.web.console.origin import LOCAL
from service.web.console.pages import Pages
from service.web.console.proxy import Proxy
from service.web.console.sessions import Holder, Role, Sessions
from service.web.console.site import Site
from service.web.console.visit import Around, Place
from service.web.pages.places import places
from service.wiring.house import House
from service.wiring.machine import version
from service.wiring.overseeing import watch_of

EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - no browser comes by that name, and nothing is bound here
_HOUR_SECONDS = 3600


def console_of(house: House, private: socket.socket, public_url: str) -> Site:
    """Return the console of a process on its private door; `public_url` is the public door's."""
    host: str = private.getsockname()[0]
    watch = watch_of(house, public_url)
    return site_of(house.said, house.place.clock, house.place.dice, host, places(watch), watch.around)


def site_of(said: Settings, clock: Clock, dice: Dice, host: str, places: Sequence[Place], around: Around) -> Site:
    """Return the console of a door that listens on `host`, with these pages and acts.

    Args:
        said: the settings.
        clock: for when sessions end.
        dice: for what tells two sessions apart.
        host: an address, as a socket says it.
        places: the pages and acts.
        around: asks for what every whole page shows beside its own.
    """
    console = said.console
    pages = Pages(version())
    sessions = Sessions(holders_of(console), key_of(said), round(console.session_hours * _HOUR_SECONDS))
    entrance = Entrance(sessions, clock, dice, pages, proxy_of(console))
    return Site(entrance, pages, tuple(places), around, hosts_of(console, host))


def key_of(said: Settings) -> bytes:
    """Return the key of the sessions."""
    secrets = {
        "orgs": {name: org.client_secret.get_secret_value() for name, org in said.orgs.items()},
        "sources": {name: [one.get_secret_value() for one in source.secrets] for name, source in said.sources.items()},
    }
    return hmac.digest(
        hashlib.sha256(json.dumps(secrets, sort_keys=True).encode()).digest(), b"onhook console 1", "sha256"
    )


def holders_of(console: ConsoleSettings) -> Sequence[Holder]:
    """Return who has a token."""
    return [Holder(name, Role(one.role), one.token_sha256) for name, one in console.tokens.items()]


def proxy_of(console: ConsoleSettings) -> Proxy | None:
    """Return the proxy that says who somebody is, or None: nobody does."""
    said = console.proxy
    if not said.header:
        return None
    operators, viewers = (frozenset(map(str.lower, names)) for names in (said.operators, said.viewers))
    return Proxy(said.header, said.networks, said.secret.get_secret_value(), operators, viewers)


def hosts_of(console: ConsoleSettings, host: str) -> frozenset[str]:
    """Return by which names browsers reach a door that listens on `host`, those of this machine included."""
    own = set() if host in EVERYWHERE else {f"[{host}]" if ":" in host else host}
    return LOCAL | own | set(console.hosts)
