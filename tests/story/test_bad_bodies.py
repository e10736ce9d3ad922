"""Bodies that were tampered with before they were signed: read strictly, or refused in words; never a fault of ours."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

import httpx
import pytest
import redis as blocking
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.ports import Source
from service.sources.signing import signed
from service.web.front import MAX_BODY
from tests.findings import write_evidence
from tests.sources.senders import built
from tests.story.hostile.bodies import body_of
from tests.story.hostile.judging import judged, ran, status_of
from tests.story.hostile.strict import NotStrict, read
from tests.story.stage import Stage, staged
from tests.web.wire import Caller, post

SOURCES = {kind: built(kind) for kind in ("servicenow", "standard")}
AT_ONCE = 8
FIRST = 10_000_000  # none of those that are only read
COMMAND = "uv run pytest -m slow tests/story/test_bad_bodies.py"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("number", [12_000, pytest.param(300_000, marks=pytest.mark.slow)])
def test_bad_bodies(number: int) -> None:
    """Each body is read as a strict reader reads it, into what it says, or refused in a line that holds no number."""
    counted, findings = Counter[str](), list[str]()
    for kind, source in SOURCES.items():
        begin, end = (0, number // 2) if kind == "servicenow" else (number // 2, number)
        came, faults = ran(source, range(begin, end))
        counted, findings = counted + came, findings + faults
    assert findings == []
    assert sum(counted.values()) == number
    assert set(counted) == {"accepted", "ignored", "Malformed", "Unreadable"}
    assert min(counted.values()) > number / 200
    if number >= 300_000:
        write_evidence("bad_bodies", command=COMMAND, counters=counted, findings=findings, seeds=f"0 to {number - 1}")


@settings(max_examples=150)
@given(
    st.dictionaries(st.sampled_from(["data", "type", "action", "conversationId"]), JSON), st.sampled_from(list(SOURCES))
)
def test_any_json(tree: dict[str, object], kind: str) -> None:
    """Whatever JSON there is, what comes of it is what the rules allow."""
    assert judged(SOURCES[kind], json.dumps(tree).encode())[1] == []


@given(st.binary(max_size=60))
def test_any_bytes(body: bytes) -> None:
    """Bytes of any kind are a refusal, and nothing else."""
    assert judged(SOURCES["standard"], body)[1] == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":1e999}', b'{"a":01}', b'{"a":"\\ud800"}', b"\xef\xbb\xbf{}", b"[]",
        b"{}x", b'{"a":' * 17 + b"1" + b"}" * 17, b'{"a":1,}', b'{"a":"\n"}', b"{'a':1}",
        b'{"a":1111111111111111111}', b"{", b"", '{"a":"\u00fc"}'.encode("latin-1"), b'{"a" 1}', b'{"a":[1 2]}',
        b'{"a":\xc2\xa01}', b'{"a":"\\x41"}', b"{a:1}", b'{"a":.5}',
    ],
)  # fmt: skip
def test_the_second_reader_is_strict(body: bytes) -> None:
    """The reader we are measured by refuses what two readers may read in two ways."""
    with pytest.raises(NotStrict):
        read(body)


def test_the_second_reader_reads() -> None:
    """And it takes what there is no doubt about."""
    body = b' {"a" : [1, -2.5e1, "\\u00e9\\ud83d\\ude00", true, false, null, {}], "b": {"c": []}} '
    assert read(body) == {"a": [1, -25.0, "é😀", True, False, None, {}], "b": {"c": []}}


@dataclass
class Posting:
    """Posts signed bodies over connections that are kept, as a busy sender does, and judges the answers."""

    stage: Stage
    counted: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    source: Source = field(default_factory=partial(built, "servicenow"))

    async def run(self, numbers: Iterator[int]) -> None:
        """Post one body after the other until there is none left."""
        async with AsyncExitStack() as stack:
            line = await self._call(stack)
            for number in numbers:
                body = body_of(number)
                headers = signed(self.stage.secret, f"body-{number}", int(time.time() * 1000), body)
                said = [f"{name}: {value}" for name, value in headers.items()]
                await line.say(post(body, "Content-Type: application/json", *said, path="/webhooks/desk"))
                status, headers, answer = await line.hear()
                self._judge(number, body, status, answer)
                if headers.get("connection") == "close":
                    line = await self._call(stack)

    async def _call(self, stack: AsyncExitStack) -> Caller:
        door = httpx.URL(self.stage.door)
        reader, writer = await asyncio.open_connection(door.host, door.port)
        stack.callback(writer.close)
        return Caller(reader, writer)

    def _judge(self, number: int, body: bytes, status: int, answer: bytes) -> None:
        due = status_of(self.source, body) if len(body) <= MAX_BODY else 413
        self.counted[f"status {status}"] += 1
        if status != due:
            self.findings.append(f"body {number}: {status} instead of {due}: {answer[:200]!r}")
        if status >= 400 and json.loads(answer)["status"] != status:
            self.findings.append(f"body {number}: its problem document says {answer[:200]!r}")


@pytest.mark.parametrize("number", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
async def test_bad_bodies_at_the_door(number: int) -> None:
    """Signed and posted to a running door: each is answered as it reads, and never with a fault of ours."""
    async with staged() as stage:
        await stage.serve()
        posting = Posting(stage)
        numbers = iter(range(FIRST, FIRST + number))
        await asyncio.gather(*(posting.run(numbers) for _ in range(AT_ONCE)))
        with blocking.Redis.from_url(stage.redis.url, protocol=2, decode_responses=True) as client:
            names = Counter(key.split("}:")[1].split(":")[0] for key in client.scan_iter(count=1000) if "}:" in key)
        log = (stage.folder / "serve.log").read_text()
    counted = posting.counted
    assert posting.findings == []
    assert sum(counted.values()) == number
    assert {"status 202", "status 200", "status 400", "status 422"} <= set(counted)
    assert not [status for status in counted if status.startswith("status 5")]
    assert "fault.raised" not in log
    # what was refused left nothing but its line for the operator
    assert names["delivery"] == counted["status 202"]
    assert names["action"] <= counted["status 202"]
    if number >= 20_000:
        counted["actions"] = names["action"]
        write_evidence("bad_bodies_at_the_door", command=COMMAND, counters=counted, findings=[])
