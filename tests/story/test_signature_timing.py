"""The time of a refusal tells nothing: the same work is done wherever a signature is wrong, and whoever it names."""

from __future__ import annotations

import contextlib
import gc
import itertools
import math
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import FrameType
from typing import Any

import pytest

from service.core import model as m
from service.core.errors import BadSignature
from service.sources.signing import Keyring
from tests.findings import write_evidence
from tests.sources.senders import OTHER_SECRET, SECRET, delivery, key_of, own, with_header
from tests.story.hostile.forging import ID, NAMES, SIGNATURE, STAMP, honest
from tests.story.hostile.knocking import House, overheard

RING = Keyring([key_of(SECRET)])
SAMPLES = 64  # deliveries of each kind
CROPPED = 0.9  # what is slower than nine in ten was interrupted
TRIES, RUNS = 20_000, 3
MOST_T = 4.5  # by chance once in a hundred thousand times


def wrong_at(good: m.Delivery, place: int) -> m.Delivery:
    """Return the delivery with one character of its signature changed; `place` counts from the one after `v1,`."""
    signature = bytearray(good.header(SIGNATURE) or b"")
    at = 3 + place if place >= 0 else len(signature) + place
    signature[at] = ord("A") if signature[at] != ord("A") else ord("B")
    return with_header(good, SIGNATURE, bytes(signature))


def goods() -> list[m.Delivery]:
    """Return honest deliveries, each with an id of its own."""
    return [delivery(own(), webhook_id=f"msg_{number:08}".encode()) for number in range(SAMPLES)]


@contextlib.contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count the macs that are made, and the comparisons of bytes that take the same time."""
    calls = Counter[str]()

    def note(_: FrameType, event: str, called: Any) -> None:  # noqa: ANN401 - as the interpreter gives it
        if event == "c_call" and (name := getattr(called, "__name__", "")).endswith(("compare_digest", "hmac_digest")):
            calls[name.lstrip("_")] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def reasons(good: m.Delivery) -> Mapping[str, m.Delivery]:
    """Return deliveries that are refused, by why; all with one signature or none."""
    places = {f"wrong at {place}": wrong_at(good, place) for place in (0, 1, 20, -3, -2)}
    return places | {
        "another secret": delivery(good.body, secret=OTHER_SECRET),
        "another body": replace(good, body=b"{}"),
        "too long": with_header(good, SIGNATURE, (good.header(SIGNATURE) or b"") + b"="),
        "empty": with_header(good, SIGNATURE, b""),
        "stale": replace(good, received_at=good.received_at + 10**7),
        "an id of no form": delivery(good.body, webhook_id=b"a.b"),
        "a stamp of no form": delivery(good.body, stamp=b"soon"),
        **{f"no {name.decode()}": with_header(good, name) for name in NAMES},
        **{f"{name.decode()} twice": with_header(good, name, b"x", b"x") for name in (ID, STAMP, SIGNATURE)},
    }


@pytest.mark.parametrize("secrets", [[SECRET], [SECRET, OTHER_SECRET], [OTHER_SECRET, SECRET]])
def test_the_same_work_for_every_reason(secrets: list[str]) -> None:
    """Two macs and two comparisons are made whatever is wrong, and for what is right; for one secret as for two."""
    ring, good = Keyring(list(map(key_of, secrets))), delivery(own())
    for reason, refused in reasons(good).items():
        if reason == "another secret" and OTHER_SECRET in secrets:
            continue
        with counted() as calls, pytest.raises(BadSignature):
            ring.verify(refused)
        assert calls == {"hmac_digest": 2, "compare_digest": 2}, reason
    with counted() as calls:
        ring.verify(good)
    assert calls == {"hmac_digest": 2, "compare_digest": 2}


async def test_the_same_work_at_the_door() -> None:
    """A source that does not exist costs what one costs that does."""
    house, good = House(), honest(own())
    asked = {
        "unknown": replace(good, source="nobody"),
        "known": wrong_at(good, 5),
        "other": replace(good, source="hooks"),
    }
    with overheard():
        for reason, refused in asked.items():
            with counted() as calls:
                assert (await house.take(refused)).status == 401
            assert calls == {"hmac_digest": 2, "compare_digest": 2}, reason


Spent = Mapping[str, Sequence[int]]


def measured(judge: Callable[[m.Delivery], object], kinds: Mapping[str, Sequence[m.Delivery]], tries: int) -> Spent:
    """Return the nanoseconds of each try, the kinds in turn; interruptions are cut.

    Each order of the kinds is as frequent as any other, in making them as in judging them: that one comes first, or
    lies elsewhere in memory, is worth more than what is looked for.
    """
    spent: dict[str, list[int]] = {name: [] for name in kinds}
    orders = list(itertools.product(itertools.permutations(kinds), repeat=2))
    turns = [orders[number % len(orders)] for number in range(tries)]
    random.Random(11).shuffle(turns)  # noqa: S311 - an order, no secret
    clock = time.perf_counter_ns
    gc.disable()
    try:
        for number, (making, judging) in enumerate(turns):
            made = {name: copied(kinds[name][number % SAMPLES]) for name in making}
            for name in judging:
                one = made[name]
                began = clock()
                judge(one)
                ended = clock()  # before anything is looked up, which takes its own time for each name
                spent[name].append(ended - began)
    finally:
        gc.enable()
    border = statistics.quantiles(list(itertools.chain(*spent.values())), n=100)[round(CROPPED * 100) - 1]
    return {name: [one for one in those if one <= border] for name, those in spent.items()}


def copied(one: m.Delivery) -> m.Delivery:
    """Return the same delivery at another place in memory."""
    headers = tuple((bytes(bytearray(name)), bytes(bytearray(value))) for name, value in one.headers)
    return m.Delivery(one.source, headers, bytes(bytearray(one.body)), one.received_at)


def welch(some: Sequence[int], others: Sequence[int]) -> float:
    """Return Welch's t of two samples."""
    spread = statistics.variance(some) / len(some) + statistics.variance(others) / len(others)
    return (statistics.fmean(some) - statistics.fmean(others)) / math.sqrt(spread)


def largest(spent: Spent) -> float:
    """Return the largest |t| between any two kinds."""
    return max(abs(welch(spent[one], spent[other])) for one, other in itertools.combinations(spent, 2))


def refused(one: m.Delivery) -> None:
    """Verify in vain."""
    with contextlib.suppress(BadSignature):
        RING.verify(one)


def hasty(one: m.Delivery) -> bool:
    """Compare as one must not: until the first byte that differs."""
    signature, expected = one.header(SIGNATURE) or b"", SIGNED[one.header(ID) or b""]
    return all(mine == theirs for mine, theirs in zip(signature, expected, strict=False))


SIGNED = {one.header(ID) or b"": one.header(SIGNATURE) or b"" for one in goods()}


@pytest.mark.slow
def test_a_wrong_signature_takes_the_same_time() -> None:
    """Wrong at the first, the middle or the last character: no difference; a hasty comparison would show one."""
    kinds = {f"wrong at {place}": [wrong_at(one, place) for one in goods()] for place in (0, 21, -2)}
    runs = [measured(refused, kinds, TRIES) for _ in range(RUNS)]
    all_t = [largest(spent) for spent in runs]
    seen = largest(measured(hasty, kinds, TRIES // 10))
    assert seen > MOST_T, "the measurement sees nothing"
    # a neighbour on this machine may disturb one run; what is really there shows in each
    assert statistics.median(all_t) < MOST_T, all_t
    write_evidence(
        "signature_timing",
        command="uv run pytest -m slow tests/story/test_signature_timing.py",
        counters={"tries of each kind": TRIES * RUNS},
        findings=[],
        welch_t=[round(t, 2) for t in all_t],
        welch_t_of_a_hasty_comparison=round(seen, 1),
        nanoseconds={name: round(statistics.fmean(those)) for name, those in runs[0].items()},
    )
