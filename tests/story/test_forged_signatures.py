"""Nobody gets in: forged deliveries before the real door and real sources, and what their sender learns: nothing."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import replace

import pytest

from tests.findings import write_evidence
from tests.sources.seats import signing_seats
from tests.sources.senders import OTHER_SECRET, SECRET, own, with_header
from tests.story.hostile.forging import NAMES, bodies, forgeries, honest
from tests.story.hostile.knocking import House, knock, overheard
from tests.story.hostile.layouts import forgeries as forged_in

FEWEST = 2_800
KINDS_OF_TRICK = 18
LAYOUTS = 12
TRICKS = {
    "bit of the body", "bit of a header", "cut body", "cut header", "longer body", "header otherwise",
    "header by another name", "another key", "signed otherwise", "no mac", "wrong source", "too late", "too early",
}  # fmt: skip


@pytest.mark.parametrize("samples", [1, pytest.param(4, marks=pytest.mark.slow)])
async def test_forged_signatures(samples: int) -> None:
    """Every bit, every cut, every trick with headers, sources and times is the same 401, and nothing is stored."""
    house, tried, answers = House(), Counter[str](), set()
    seats = itertools.product(bodies(), house.sources)
    with overheard() as log:
        for body, source in itertools.islice(seats, samples):
            good = honest(body, source)
            for trick, forged in forgeries(good):
                assert forged != good
                answers.add(await house.take(forged))
                tried[trick] += 1
            before = len(house.shelf.accepted)
            assert before == 0, "a forgery was accepted"
    assert [(answer.status, answer.said["code"]) for answer in answers] == [(401, "unauthorized")]
    assert sum(tried.values()) >= FEWEST * samples // 2
    assert min(tried.values()) >= 5
    assert len(tried) >= KINDS_OF_TRICK
    assert not any(secret.removeprefix("whsec_").encode() in log.getvalue() for secret in (SECRET, OTHER_SECRET))
    # the control: what was tampered with is taken as it was
    for body, source in itertools.islice(itertools.product(bodies(), house.sources), samples):
        assert (await house.take(honest(body, source))).status == 202
    assert len(house.shelf.accepted) == samples
    if samples > 1:
        counted = {**tried, "tried": sum(tried.values()), "accepted": 0, "different answers": len(answers)}
        command = "uv run pytest -m slow tests/story/test_forged_signatures.py"
        write_evidence("forged_signatures", command=command, counters=counted, findings=[])


@pytest.mark.parametrize("every", [16, pytest.param(1, marks=pytest.mark.slow)])
async def test_forged_in_every_layout(every: int) -> None:
    """Whatever way a system signs, no forgery of what it sends is taken by any source, and all hear the same 401."""
    seats = {f"s{number}": seat for number, seat in enumerate(signing_seats())}
    house = House(sources={name: seat.source(name) for name, seat in seats.items()})
    tried, tricks, answers = Counter[str](), Counter[str](), set()
    with overheard() as log:
        for name, seat in seats.items():
            for trick, forged in forged_in(seat, name, list(seats), every):
                answer = await house.take(forged)
                assert answer.status == 401, (seat.kind, seat.signature, trick)
                answers.add(answer)
                tried[name] += 1
                tricks[trick] += 1
    assert house.shelf.accepted == []
    assert len(answers) == 1
    assert len(seats) >= LAYOUTS
    assert sum(tried.values()) >= FEWEST
    assert min(tried.values()) >= FEWEST // LAYOUTS
    assert tricks.keys() == TRICKS
    assert not any(seat.secret.encode() in log.getvalue() for seat in seats.values())
    # the control: what was tampered with is taken as it was
    for name, seat in seats.items():
        assert (await house.take(seat.delivery(name=name))).status in {200, 202}, seat.kind
    assert len(house.shelf.accepted) == len(seats)
    if every == 1:
        counted = {**tricks, "layouts": len(seats), "tried": sum(tried.values()), "accepted": 0}
        command = "uv run pytest -m slow tests/story/test_forged_signatures.py"
        write_evidence("forged_layouts", command=command, counters=counted, findings=[])


async def test_one_answer_for_every_reason() -> None:
    """Unknown source, bad signature, old stamp, a missing header: one status, one body, one set of headers."""
    house = House()
    good = honest(own())
    reasons = {
        "unknown source": replace(good, source="nobody"),
        "bad signature": with_header(good, NAMES[2], b"v1,AAAA"),
        "another source's secret": replace(honest(own(), "hooks"), source="desk"),
        "stale": replace(good, received_at=good.received_at + 301_000),
        "of the future": replace(good, received_at=good.received_at - 301_000),
        "an id of no form": with_header(good, NAMES[0], b"a.b"),
        "a stamp of no form": with_header(good, NAMES[1], b"soon"),
        "another body": replace(good, body=b"{}"),
        "no body": replace(good, body=b""),
        **{f"no {name.decode()}": with_header(good, name) for name in NAMES},
        "no headers but the type": replace(good, headers=good.headers[:1]),
    }
    with overheard():
        answers = {reason: await house.take(delivery) for reason, delivery in reasons.items()}
    told = {answer: reason for reason, answer in answers.items()}
    assert len(told) == 1, told
    (answer,) = told
    assert answer.status == 401
    assert dict(answer.headers) == {
        b"cache-control": b"no-store",
        b"content-length": str(len(answer.body)).encode(),
        b"content-type": b"application/problem+json",
        b"x-content-type-options": b"nosniff",
    }
    # an operator learns which; of names that are not configured all are one
    assert {one.source for one in house.book.noted} == {"desk", "unknown"}
    assert len({one.reason for one in house.book.noted}) >= 6


@pytest.mark.parametrize("media_type", [b"text/plain", b"application/x-www-form-urlencoded", b""])
async def test_a_media_type_tells_no_names(media_type: bytes) -> None:
    """A type that nobody takes is the same 415 whether the source exists or not, signed or not."""
    house = House()
    good = with_header(honest(own()), b"content-type", media_type)
    with overheard():
        answers = {
            await house.take(one)
            for one in (good, replace(good, source="nobody"), with_header(good, NAMES[2], b"v1,AAAA"))
        }
    assert [answer.status for answer in answers] == [415]


async def test_other_methods_tell_no_names() -> None:
    """Asked by another method, or one segment deeper, a source that exists answers as one that does not."""
    house = House()
    for method, suffix in itertools.product(
        ("GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "post", "\u202e"), ("", "/", "/x")
    ):
        known = await knock(house.door, f"/webhooks/desk{suffix}", method=method)
        unknown = await knock(house.door, f"/webhooks/nobody{suffix}", method=method)
        assert known == unknown
        if method == "OPTIONS" and not suffix:  # a greeting: webhooks are taken here, under whatever name
            assert (known.status, known.body) == (200, b"")
            continue
        assert known.status in {404, 405}
        assert json.loads(known.body)["status"] == known.status
