"""Words of strangers in what we say of ourselves: a line of the log stays one line, and nobody makes a metric grow."""

from __future__ import annotations

import io
import json
import random
import re
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from service import telemetry
from service.sources.signing import signed
from service.web.back import private_door
from service.web.problems import TITLES
from tests.sources.senders import NOW, SECRET, delivery, flat, key_of, own, with_header
from tests.story.hostile.bodies import body_of
from tests.story.hostile.forging import honest
from tests.story.hostile.judging import UNSEEN
from tests.story.hostile.knocking import SEATS, House, knock, overheard

EVIL = (
    'x"}\n{"event":"attempt.ended","level":"info"}', "\r\n\r\n", "\x1b[2J\x1b]0;owned\x07", "\u202egnp.exe\u2066",
    "\x00\x08\x7f", "\u2028\u2029\x85\x0b\x0c", "\ud800", "\ufeff\u200b\u061c\u200f", "$(reboot)",
    "%s%n{0}{fault.__class__}", "x" * 60_000, "\u0300" * 900,
)  # fmt: skip
LINE = 3_000  # characters: what the longest event has in fields, each cut


def lines(log: io.BytesIO) -> list[dict[str, object]]:
    """Return the lines of a log, each of which must be one of ours."""
    read = []
    for line in log.getvalue().decode().split("\n")[:-1]:
        assert len(line) < LINE, line
        assert not UNSEEN.search(line), repr(line)
        read.append(json.loads(line))
        assert {"event", "level", "timestamp"} <= set(read[-1]), line
        assert not [value for value in read[-1].values() if UNSEEN.search(str(value))], line
    return read


async def test_a_line_of_the_log_is_one_line() -> None:
    """Whatever stands in a path, a header or a field: each refusal is one line, of one kind, short and readable."""
    house, sent = House(), 0
    good = honest(own())
    with overheard() as log:
        for evil in EVIL:
            raw = evil.encode(errors="surrogatepass")
            fields = (
                "conversation_id",
                "participant_id",
                "caller_phone",
                "medium",
                "purpose",
                "requested_by",
                "sys_id",
            )
            bodies = [own(**{name: evil}) for name in fields] + [
                flat(timestamp=evil),
                flat(action=evil),
                own(table=evil),
            ]
            bodies += [json.dumps({"type": evil}).encode(), json.dumps({"data": 1, "type": evil[:90]}).encode()]
            deliveries = [replace(good, source=evil), *(with_header(good, name, raw) for name, _ in good.headers)]
            for one in (*deliveries, *(delivery(body) for body in bodies)):
                sent += (await house.take(one)).status != 202
        said = lines(log)
    assert len(said) == len(EVIL) * (5 + 12)
    refused = [line for line in said if line["event"] == "delivery.refused"]
    assert len(refused) > 150
    assert {line["event"] for line in said} <= {"delivery.refused", "delivery.accepted", "delivery.ignored"}
    assert {line["source"] for line in said} == {"desk", "unknown"}
    assert not any(UNSEEN.search(one.reason) for one in house.book.noted)
    assert sent >= len(refused)


@given(
    st.dictionaries(st.sampled_from(["said", "reason", "fault"]), st.text() | st.sampled_from(EVIL)),
    st.sampled_from(EVIL),
)
def test_any_words_of_others_are_one_line(fields: dict[str, str], evil: str) -> None:
    """What Genesys, a desk or Redis said stays on its line, and turns no text around."""
    with overheard() as log:
        telemetry.emit(telemetry.Event.REPORT_DELAYED, "warning", **fields, also=[evil], inside={evil: evil})
        telemetry.emit_fault(ValueError(evil), evil)
        (first, second) = lines(log)
    assert (first["event"], second["event"]) == ("report.delayed", "fault.raised")


def series() -> set[str]:
    """Return every series there is, with its labels."""
    return {line.rpartition(" ")[0] for line in telemetry.exposition().decode().splitlines() if line[:1] != "#"}


async def test_nobody_makes_a_metric_grow() -> None:
    """Ten thousand random paths, methods, sources and bodies make no series: labels come from what is configured."""
    house, statuses, before = House(), Counter[int](), series()
    rng = random.Random(7)  # noqa: S311 - the same each time
    back = private_door(
        version={}, claim_age=_never, has_started=lambda: True, faults=_nothing, orgs=_no_orgs, measure=_no_measure
    )
    with overheard():
        for one in range(10_000):
            word = "".join(rng.choices('abcdefghij/%.-\u00e9\u202e{}"\n', k=rng.randrange(1, 30)))
            path = rng.choice(
                (f"/webhooks/{word}", f"/{word}", f"/actions/{word}", "/webhooks/desk", "/webhooks/hooks")
            )
            method = rng.choice(("POST", "POST", "GET", "HEAD", word, "PUT"))
            body = rng.choice((body_of(one), json.dumps({"type": word}).encode()))
            headers = [(b"content-type", rng.choice((b"application/json", b"application/json", word.encode())))]
            signature = signed(key_of(SECRET), f"m-{one}", NOW, body).items()
            headers += [(key.encode(), value.encode()) for key, value in signature if rng.random() < 0.95]
            app = house.door if rng.random() < 0.9 else back
            statuses[(await knock(app, path, headers, body, method=method, query=word.encode())).status] += 1
    configured, results = "|".join([*SEATS, "unknown"]), "|".join(["accepted", "ignored", "unauthorized", *TITLES])
    ours = re.compile(rf'onhook_deliveries_(total|created){{result="({results})",source="({configured})"}}')
    grown = series() - before
    assert [one for one in grown if not ours.fullmatch(one)] == []
    assert len(grown) <= 2 * 3 * 8
    assert {200, 202, 400, 401, 404, 405, 415, 422} <= set(statuses)
    assert not [status for status in statuses if status >= 500]


async def _no_measure() -> None:
    """Measure nothing."""


def _never() -> None:
    """Nobody works here."""


async def _nothing() -> list[str]:
    return []


async def _no_orgs() -> dict[str, dict[str, object]]:
    return {}
