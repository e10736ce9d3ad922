"""How often something was done, where how long it took would say more of the machine than of us."""

from __future__ import annotations

import cProfile
import pstats
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def calls_counted() -> Iterator[Counter[str]]:
    """Give a counter that has, after the block, how often each function was called in it, by its bare name."""
    counter: Counter[str] = Counter()
    profile = cProfile.Profile()
    with profile:
        yield counter
    for (_, _, name), (_, calls, *_) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined] # typeshed: no
        built_in = re.fullmatch(r"<(?:built-in )?method '?([\w.]+).*>", name)
        counter[built_in[1] if built_in else name] += calls
