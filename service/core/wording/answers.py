"""What an answer of Genesys is called where it is told: a name for each kind of them, by which its sentences are found.

What an answer *means* for the next step is decided in genesys/answers.py; here is only what is said of it.
"""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from service.core.errors import Reply

LOST = 0  # for a status that there is none of: no answer arrived


class Row(NamedTuple):
    """One name; the first row that fits gives it. `codes` None: whatever the code."""

    name: str
    statuses: Container[int]
    codes: frozenset[str] | None = None


_ENDED = frozenset(
    {
        "conversation.error.call.disconnected",
        "conversation.error.cannot.disconnect.call",
        "conversation.error.participant.no.active.conversations",
        "error.ininedgecontrol.session.inactive",
    }
)
TABLE = (
    Row("no_route", {LOST}, frozenset({"no_route"})),
    Row("silent", {LOST}),
    Row("unreadable", range(200, 300), frozenset({"unreadable"})),
    Row("accepted", range(200, 300)),
    Row("ended", range(400, 500), _ENDED),
    Row("needs_user", {400}, frozenset({"not.a.user"})),
    Row("login", {401}),
    Row("login", {400}, frozenset({"invalid_client", "invalid_grant", "invalid_request", "unauthorized_client"})),
    Row("permission", {403}, frozenset({"missing.permissions", "missing.any.permissions"})),
    Row("division", {403}, frozenset({"missing.division.permission"})),
    Row("closed", {403}, frozenset({"not.authorized"})),
    Row("forbidden", {403}),
    Row("not_found", {404}),
    Row("conflict", {409}),
    Row("too_many", {429}),
    Row("unclear", {408}),
    Row("our_fault", range(400, 500)),
    Row("unclear", range(1000)),
)


def name_of(reply: Reply) -> str:
    """Return the name of an answer; total: whatever Genesys says has one."""
    status = LOST if reply.status is None else reply.status
    fits = (
        row.name for row in TABLE if status in row.statuses and (row.codes is None or reply.code.lower() in row.codes)
    )
    return next(fits, "unclear")
