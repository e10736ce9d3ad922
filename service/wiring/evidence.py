"""What a trial in a live org leaves behind: the open questions answered, the settings to write, and a file of proof.

The file is made to be sent to somebody: no secret is in it, because none ever came here, and numbers are masked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from service.core.errors import Misconfigured
from service.core.selection import by_purpose
from service.telemetry import masked
from service.wiring.asking_genesys import DISCONNECT
from service.wiring.trial import NEEDS_USER, Asked, Found, in_words
from service.wiring.witness import Overheard

FORMAT = 1  # of the file; another number when a name in it means something else
_TAIL = r"[0-9a-f-]{36}"
# the shapes that the guard lets out, by the name of the setting `route`
_ROUTES: Mapping[str, re.Pattern[str]] = {
    "generic": re.compile(rf"/api/v2/conversations/{_TAIL}/participants/{_TAIL}"),
    "medium": re.compile(rf"/api/v2/conversations/[a-z]+/{_TAIL}/participants/{_TAIL}"),
    "on_behalf": re.compile(rf"/api/v2/conversations/calls/{_TAIL}/participants/{_TAIL}/user/{_TAIL}"),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and when the trial was: for the file.

    Attributes:
        began_at: milliseconds since the epoch.
        place: the region, or the address of the API.
    """

    version: str
    org: str
    place: str
    began_at: int


def route_of(call: Overheard) -> str:
    """Return by which route a removal went."""
    return next((name for name, path in _ROUTES.items() if path.fullmatch(call.path)), "leg")


def settings_for(org: str, found: Found) -> list[str]:
    """Return the lines to write into onhook.toml now; none where nothing was accepted."""
    if not found.removal.is_accepted or not found.is_good:
        return []
    route = route_of(found.removal.sent[-1])
    return [f"[orgs.{org}]", f'route = "{route}"', 'mode = "live"   # when shadow mode has shown enough right previews']


def answers_in(found: Found, calls: Sequence[Overheard]) -> dict[str, str]:
    """Return the open questions about a live org, each answered by what was seen, in words."""
    return {
        "route": _route(found),
        "permission": _permission(found.removal),
        "status": f"a removal is answered {_said(found.removal)}",
        "lag": _lag(found),
        "ended_participant": _repeated(found),
        "others": _others(found),
        "rate_headers": _rate(calls),
        "correlation_header": _correlation(calls),
    }


def _said(asked: Asked) -> str:
    reply = asked.reply
    words = [str(part) for part in (reply.status, reply.code, masked(reply.message)) if part]
    return " ".join(words) or "with nothing"


def _route(found: Found) -> str:
    sent = found.removal.sent
    tried = [f"{route_of(call)} ({call.status or 'no answer'})" for call in sent]
    if not tried:
        return f"no removal left this machine: {found.removal.kind}"
    if found.removal.is_accepted:
        return f"{route_of(sent[-1])} works with these client credentials; asked in this order: {', '.join(tried)}"
    user = ": it needs a user, so another route, or a token of a user" if found.removal.reply.code == NEEDS_USER else ""
    return f"none of these was accepted: {', '.join(tried)}; the last said {_said(found.removal)}{user}"


def _permission(removal: Asked) -> str:
    if removal.is_accepted:
        return f"{DISCONNECT} is given, or is not asked for"
    if removal.reply.status == 403:  # noqa: PLR2004 - Forbidden
        return f"refused ({_said(removal)}): give a role of the OAuth client {DISCONNECT}, in the queue's division"
    return "not known: nothing was accepted, and nothing was forbidden"


def _lag(found: Found) -> str:
    if found.gone_seconds is None:
        return "the participant was not seen to go"
    if found.present_seconds is None:
        return f"gone at the first look, {found.gone_seconds * 1000:.0f} ms after the answer"
    least, most = found.present_seconds * 1000, found.gone_seconds * 1000
    return f"still shown {least:.0f} ms after the answer, gone at {most:.0f} ms"


def _repeated(found: Found) -> str:
    if found.repeat is None:
        return "not asked: a repeat is safe only for somebody who was seen to go"
    return f"a removal of a participant that has left is answered {_said(found.repeat)}"


def _others(found: Found) -> str:
    if not found.is_readable:
        return "not known: the conversation was not read at the end"
    gone = f"{in_words(found.vanished)} left at the same time" if found.vanished else "nobody else left"
    if not found.preview.ends_call:
        end = "whether it goes on with one left was not tried: take a call of two, and --may-end-call"
    else:
        end = "with one left the conversation goes on" if found.remaining else "with one left the conversation ends"
    return f"before: {in_words(found.preview.stays)}; now: {in_words(found.remaining)}; {gone}; {end}"


def _rate(calls: Sequence[Overheard]) -> str:
    said = next((call.rate for call in reversed(calls) if call.rate), {})
    return ", ".join(f"{name}: {value}" for name, value in said.items()) or "none"


def _correlation(calls: Sequence[Overheard]) -> str:
    return " and ".join(dict.fromkeys(call.correlation[0] for call in calls if call.correlation[0])) or "none"


def document(scene: Scene, found: Found, calls: Sequence[Overheard]) -> dict[str, object]:
    """Return everything the trial saw, for the file."""
    preview = found.preview
    return {
        "format": FORMAT,
        "about": "one removal in a live org, watched by onhook check --test-call",
        "onhook": scene.version,
        "org": scene.org,
        "place": scene.place,
        "began_at": _moment(scene.began_at),
        "conversation": preview.conversation_id,
        "participant": preview.target.participant_id,
        "preview": {
            "purpose": masked(preview.target.purpose),
            "state": masked(preview.state),
            "media": list(preview.media),
            "stays": by_purpose(preview.stays),
            "ends_call": preview.ends_call,
        },
        "removal": _asked(found.removal),
        "repeat": _asked(found.repeat) if found.repeat else None,
        "lag_ms": {"still_present": _ms(found.present_seconds), "gone": _ms(found.gone_seconds)},
        "vanished": by_purpose(found.vanished),
        "remaining": by_purpose(found.remaining),
        "is_good": found.is_good,
        "answers": answers_in(found, calls),
        "settings": settings_for(scene.org, found),
        "calls": [_call(call, scene.began_at) for call in calls],
    }


def _asked(asked: Asked) -> dict[str, object]:
    reply = asked.reply
    return {
        "kind": asked.kind,
        "routes": [route_of(call) for call in asked.sent],
        "status": reply.status,
        "code": reply.code,
        "message": masked(reply.message),
        "correlation_id": reply.correlation_id,
    }


def _call(call: Overheard, began_at: int) -> dict[str, object]:
    return {
        "during": call.during,
        "method": call.method,
        "path": call.path,
        "status": call.status,
        "after_ms": call.began_at - began_at,
        "took_ms": call.ended_at - call.began_at,
        "headers": {name: masked(value) for name, value in call.headers.items()},
        "fault": type(call.fault).__name__ if call.fault else None,
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000)


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def lines_of(found: Found, calls: Sequence[Overheard]) -> Iterator[str]:
    """Give what a person reads: the answers, one a line."""
    for question, answer in answers_in(found, calls).items():
        yield f"{question.replace('_', ' ') + ':':<20} {answer}"


def opened(path: Path) -> TextIO:
    """Open a new file for the proof, for its owner alone: before the removal, so that what was seen can be kept.

    Raises:
        Misconfigured: it cannot be written, or there is one already.
    """
    try:
        return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8")
    except OSError as fault:
        raise Misconfigured([f"--evidence: {path} cannot be written: {fault.strerror}; nobody was removed"]) from None
