"""Where each page and act of the console is, and who may have it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.responses import Response

from service.web.console.sessions import Role
from service.web.console.visit import Place
from service.web.pages.acts import Acting
from service.web.pages.looking import Looking
from service.web.pages.watch import Watch

_ACTION = r"/actions/([a-z0-9][a-z0-9-]{0,31}\.[a-z0-9]{26})"


def places(watch: Watch) -> Sequence[Place]:
    """Return every page and act on these ports: a viewer has all that only shows, and only a POST changes anything."""
    looking = Looking(watch)
    acting = Acting(watch, looking)
    seen: Mapping[str, Callable[..., Awaitable[Response]]] = {
        r"/?": looking.now,
        r"/charts": looking.charts,
        r"/actions": looking.actions,
        _ACTION: looking.action,
        r"/refusals": looking.refusals,
        r"/dead": looking.dead,
        r"/audit": looking.audit,
        r"/audit\.(jsonl|csv)": looking.export,
    }
    done: Mapping[str, Callable[..., Awaitable[Response]]] = {
        r"/pause": acting.pause,
        r"/resume": acting.resume,
        r"/dead/retell": acting.retell,
        rf"{_ACTION}/drop": acting.drop,
        rf"{_ACTION}/rehearse": acting.rehearse,
        rf"{_ACTION}/replay": acting.replay,
    }
    return (
        *(Place("GET", path, Role.VIEWER, answer) for path, answer in seen.items()),
        Place("GET", rf"{_ACTION}/replay", Role.OPERATOR, acting.prepare, is_patient=True),
        *(Place("POST", path, Role.OPERATOR, answer) for path, answer in done.items()),
    )
