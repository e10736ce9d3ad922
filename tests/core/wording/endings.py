"""Every way in which an action can end, with the answers of Genesys that an end can rest on."""

from service.core import model as m
from tests.core.scenes import ENDINGS

K = m.OutcomeKind
_POLICY = ["purpose", "last_pair", "queue", "division", "supervisor", "requester"]
# beside the endings of the table: what the flow or a person ends, and what a policy forbids, also after a send
ALL = (
    ENDINGS
    | {(K.FAILED, "guarded"), (K.REFUSED, "requester_rate"), (K.REFUSED, "dropped")}
    | {(kind, reason) for kind in (K.REFUSED, K.FAILED) for reason in _POLICY}
)
_LOOK = ["permission", "division", "closed", "forbidden"]
_TURNED_DOWN = ["login", "our_fault", "needs_user"]
_REFUSED = [
    "ended",
    "needs_user",
    "login",
    "permission",
    "division",
    "closed",
    "forbidden",
    "not_found",
    "conflict",
    "no_route",
]
# which answers can stand behind an end
ANSWERED = [
    *((K.FAILED, "forbidden", name) for name in _LOOK),
    *((K.FAILED, "rejected", name) for name in _TURNED_DOWN),
    *((K.FAILED, "genesys_refused", name) for name in [*_REFUSED, "our_fault"]),
    *((K.FAILED, "no_effect", name) for name in ["silent", "unclear"]),
]
