"""Whose trace an action is part of: the header `traceparent` of W3C Trace Context, read strictly and written plainly.

A trace is one click as everybody saw it who had a hand in it, put together elsewhere; here only its ids are known.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

TRACEPARENT: Final = "traceparent"
# version, trace, span, flags: https://www.w3.org/TR/trace-context/#traceparent-header; what a later version may add
# behind them is read past
_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]{0,256})?", re.ASCII)
_FIRST, _NEVER = "00", "ff"  # the version that ends with its flags; the one that will never be
_SAMPLED: Final = 1  # the one flag of the first version
_TRACE_DIGITS, _SPAN_DIGITS = 32, 16


@dataclass(frozen=True, slots=True)
class Trace:
    """One span of a trace: where what comes of it hangs.

    Attributes:
        id: of the trace, 32 hex digits.
        span_id: of the span, 16 hex digits.
        is_sampled: whether who began the trace keeps it; where not, nobody wants our spans of it.
    """

    id: str
    span_id: str
    is_sampled: bool = True

    @property
    def traceparent(self) -> str:
        """It as the header says it."""
        return f"{_FIRST}-{self.id}-{self.span_id}-{self.is_sampled:02x}"

    def within(self, *words: str) -> Trace:
        """Return another span of the same trace: the one that goes by `words`, to everybody who knows them."""
        return replace(self, span_id=_digits(_SPAN_DIGITS, self.id, *words))


def trace_of(action_id: str) -> Trace:
    """Return the span that accepted an action, of a trace of its own: both are made from the chance in its id.

    So nothing need be kept of it, and every process that knows the action knows its trace.
    """
    return Trace(trace_id_of(action_id), "").within("accept", action_id)


def trace_id_of(action_id: str) -> str:
    """Return the id of the trace of its own that an action has."""
    return _digits(_TRACE_DIGITS, "trace", action_id)


def trace_said(headers: Iterable[tuple[bytes, bytes]]) -> Trace | None:
    """Return the span that a request says it comes from; None where it says none, several, or anything but one."""
    said = [value.decode("latin-1") for name, value in headers if name.lower() == TRACEPARENT.encode()]
    return trace_in(said[0]) if len(said) == 1 else None


def trace_in(text: str) -> Trace | None:
    """Read a `traceparent`, or None: what is malformed is no trace, and nobody's fault."""
    found = _TRACEPARENT.fullmatch(text)
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == _NEVER or (version == _FIRST and more is not None) or not int(trace_id, 16) or not int(span_id, 16):
        return None
    return Trace(trace_id, span_id, is_sampled=bool(int(flags, 16) & _SAMPLED))


def _digits(many: int, *words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:many]
