"""The error tree: as drawn, and cut by whether repeating is safe."""

import inspect
import re

import pytest

from service.core import errors
from service.core.errors import (
    BadSignature,
    Conflicting,
    LeaseLost,
    Malformed,
    Misconfigured,
    OnhookError,
    Refused,
    Rejected,
    Reply,
    Stale,
    StoreDown,
    Throttled,
    TooLarge,
    Unclear,
    Unreachable,
    Unreadable,
    Upstream,
    WrongMediaType,
)

CLASSES = [it for _, it in inspect.getmembers(errors, inspect.isclass) if issubclass(it, Exception)]


def drawn() -> dict[str, str]:
    """The tree in the module's docstring: each name with the one it hangs on."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^((?:│   |    )*)(├── |└── )?([A-Z]\w+)(?:\s{2,}|$)", line)
        if found:
            depth = len(found[1]) // 4 + bool(found[2])
            path = [*path[:depth], found[3]]
            parents[found[3]] = path[depth - 1] if depth else "Exception"
    return parents


def test_the_tree_is_the_classes() -> None:
    """The docstring draws every error with the one it derives from, and none that is not there."""
    assert drawn() == {it.__name__: it.__base__.__name__ for it in CLASSES if it.__base__}


@pytest.mark.parametrize("kind", [it for it in CLASSES if issubclass(it, Refused) and it is not Refused])
def test_statuses_are_as_drawn(kind: type[Refused]) -> None:
    """Each refusal's status is the one in the drawing, and it keeps the sentence for the sender."""
    assert re.search(rf"── {kind.__name__} .* {kind.status}$", errors.__doc__ or "", re.MULTILINE)
    refusal = kind("because so")
    assert (refusal.sentence, str(refusal)) == ("because so", "because so")


def test_statuses_and_codes() -> None:
    """Codes are stable words; a bad signature and a stale one look the same from outside."""
    kinds = (BadSignature, Stale, Malformed, Unreadable, Conflicting, TooLarge, WrongMediaType)
    assert [(kind.status, kind.code) for kind in kinds] == [
        (401, "unauthorized"),
        (401, "unauthorized"),
        (400, "malformed"),
        (422, "unreadable"),
        (422, "delivery_conflict"),
        (413, "too_large"),
        (415, "wrong_media_type"),
    ]


def test_upstream_keeps_what_was_answered() -> None:
    """A failed call carries the answer, and without one its message."""
    reply = Reply(409, "general.conflict", "busy", "corr-1")
    for kind in (Upstream, Unreachable, Unclear, Rejected):
        assert kind("no", reply).reply is reply
        assert kind("no").reply == Reply(message="no")
        assert str(kind("no", reply)) == "no"
    throttled = Throttled("later", reply, retry_after_seconds=3.5)
    assert (throttled.retry_after_seconds, throttled.reply) == (3.5, reply)


def test_all_faults_are_told_at_once() -> None:
    """Settings that cannot be used list every fault."""
    fault = Misconfigured(["one is missing", "two is wrong"])
    assert fault.faults == ("one is missing", "two is wrong")
    assert str(fault) == "one is missing\ntwo is wrong"


def test_everything_is_one_of_ours() -> None:
    """Each error can be caught as OnhookError; none is caught as another's kind."""
    assert all(issubclass(it, OnhookError) for it in CLASSES)
    assert not issubclass(StoreDown, Upstream)
    assert not issubclass(LeaseLost, Upstream)
