"""The scripts as files: what each says of itself, and that it asks no more than Redis 6.2 knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import redis

from service.store import script as s

# what the scripts call; all of it is in Redis 6.2
COMMANDS = {
    *(
        "APPEND",
        "DEL",
        "EXISTS",
        "GET",
        "GETRANGE",
        "HDEL",
        "HGET",
        "HGETALL",
        "HINCRBY",
        "HKEYS",
        "HMGET",
        "HSET",
        "HSETNX",
        "INFO",
        "LINDEX",
        "LLEN",
        "LRANGE",
        "LSET",
        "LTRIM",
        "PERSIST",
        "SCAN",
    ),
    *(
        "PEXPIRE",
        "PEXPIREAT",
        "PUBLISH",
        "RPUSH",
        "RPUSHX",
        "SADD",
        "SCAN",
        "SET",
        "SETRANGE",
        "SMEMBERS",
        "SREM",
        "TIME",
        "TYPE",
        "ZADD",
    ),
    *("ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYLEX", "ZRANGEBYSCORE", "ZREM", "ZREMRANGEBYSCORE"),
    *("ZREVRANGE", "ZREVRANGEBYLEX"),
}
FILES = sorted(s.FOLDER.glob("*.lua"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_script_has_its_header(path: Path) -> None:
    """A script says why it exists, and names its keys, derived keys, arguments and answer."""
    header = re.match(r"(--[^\n]*\n)+", path.read_text())
    assert header is not None
    assert re.match(r"-- [A-Z]", header[0])
    for word in ("-- KEYS: ", "-- derived keys: ", "-- ARGV: ", "-- Returns: "):
        assert word in header[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_script_is_plain(path: Path) -> None:
    """A script calls only what Redis 6.2 knows, reads no JSON, throws no dice and makes no number of its own format."""
    text = path.read_text()
    assert set(re.findall(r"redis\.p?call\('(\w+)'", text)) <= COMMANDS
    assert not re.search(r"cjson|cmsgpack|loadstring|math\.random|tostring|redis\.(setresp|log|replicate)", text)
    # but for the dry-run, which tries what it is told to, each of them by its name
    tried = path.stem == "probe"
    assert len(re.findall(r"redis\.p?call\(", text)) == len(re.findall(r"redis\.p?call\('[A-Z]+'", text)) + tried
    # only the prologue reads the clock
    assert ("'TIME'" in text) == (path.stem == s.PROLOGUE)


@pytest.mark.parametrize("name", s.names())
def test_each_script_is_known_by_its_sha(redis_client: redis.Redis, name: str) -> None:
    """A script is text that Redis can load, and is asked for by the SHA that Redis gives it."""
    assert redis_client.script_load(s.script(name).text) == s.script(name).sha


def test_names() -> None:
    """Every file but the prologue is a script, read once."""
    assert len(s.names()) == len(FILES) - 1
    assert s.script("accept") is s.script("accept")
    assert s.script("accept").text.startswith((s.FOLDER / "prologue.lua").read_text())


async def test_settled_is_written_by_settle_and_drop_alone() -> None:
    """No other script takes an action out of its state: the states come as arguments, from one table."""
    writers = [path.stem for path in FILES if re.search(r"'HSET', KEYS\[1\], 'state'", path.read_text())]
    assert sorted(writers) == ["end_report", "prologue", "retell"]
    enders = [path.stem for path in FILES if re.search(r"^finish\(", path.read_text(), re.MULTILINE)]
    assert sorted(enders) == ["drop", "settle"]
    for path in FILES:
        assert not re.search(r"(?<!base .. )'(pending|settled|waiting|due|told|dead)'", path.read_text())
