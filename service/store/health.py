"""Whether this Redis can keep our promises, in words: what the start, /readyz and `onhook check` say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict, cast

from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError, ResponseError

from service.core.errors import StoreDown
from service.store.keys import Keys
from service.store.script import Runner, script

# the oldest that knows all the commands the scripts use, and what CI tests against
VERSION_LEAST = (6, 2)
# webhooks are refused from here on, so that workers always have room to finish
MEMORY_SHARE_MOST = 0.8
# Machines that keep time differ by milliseconds. Clicks are compared with looks: within a second nobody is removed,
# comes back and is clicked again, so no click is taken for an older one; and no removal is later than that.
CLOCK_OFFSET_MOST = 1.0
# how a script says that its user may not do something: Redis 6.2 and 7.0, then newer ones and Valkey
_MAY_NOT = re.compile(r"executing the script can't|ACL failure in script")
_Info = Mapping[str, object]


class Topic(StrEnum):
    """What is looked at, by the name it has in logs and in what `onhook check` prints."""

    SETTINGS = "settings"
    REACH = "reach"
    VERSION = "version"
    ROLE = "role"
    REPLICA = "replica"
    DURABILITY = "durability"
    EVICTION = "eviction"
    MEMORY = "memory"
    CLOCK = "clock"
    SCRIPTS = "scripts"
    WAKES = "wakes"


class Verdict(StrEnum):
    """What was found: all is well; nobody can tell; wrong, and may pass by itself; wrong until a person mends it."""

    FINE = "fine"
    UNKNOWN = "unknown"
    PASSING = "passing"
    LASTING = "lasting"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; the sentence says what is so and, where it is wrong, what to do."""

    topic: Topic
    verdict: Verdict
    sentence: str

    @property
    def is_fault(self) -> bool:
        """Whether it is wrong."""
        return self.verdict in {Verdict.PASSING, Verdict.LASTING}


# while one of these is a fault a 2xx would promise what may be lost, or take the room that workers need to finish
_NO_PROMISE = frozenset({Topic.DURABILITY, Topic.EVICTION, Topic.MEMORY})


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a Redis.

    Attributes:
        findings: each thing that was looked at, whether it answers first; one that does not has no other.
        version: as Redis says, or "".
        role: `master`, `slave`, or "".
        memory_share: how much of maxmemory is used, 0 to 1; None where no limit is set.
    """

    findings: tuple[Finding, ...]
    version: str = ""
    role: str = ""
    memory_share: float | None = None

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong, one sentence each; none means ready."""
        return tuple(one.sentence for one in self.findings if one.is_fault)

    @property
    def is_reached(self) -> bool:
        """Whether Redis answered, and has read its file."""
        return not any(one.is_fault for one in self.findings if one.topic is Topic.REACH)

    @property
    def lasting(self) -> tuple[str, ...]:
        """What stays wrong until a person mends it, one sentence each."""
        return tuple(one.sentence for one in self.findings if one.verdict is Verdict.LASTING)

    @property
    def unknowns(self) -> tuple[str, ...]:
        """What could not be asked (a managed Redis may forbid CONFIG), one sentence each; no fault."""
        return tuple(one.sentence for one in self.findings if one.verdict is Verdict.UNKNOWN)

    @property
    def objection(self) -> str:
        """Why no webhook may be accepted, though Redis would store it; "" when it may."""
        return next((one.sentence for one in self.findings if one.is_fault and one.topic in _NO_PROMISE), "")


class Asked(TypedDict, total=False):
    """How `examine` is asked; see there."""

    allow_lossy: bool
    needs_replica: bool
    now: Callable[[], int] | None
    is_thorough: bool


async def examine(
    runner: Runner,
    keys: Keys,
    *,
    allow_lossy: bool = False,
    needs_replica: bool = False,
    now: Callable[[], int] | None = None,
    is_thorough: bool = False,
) -> Health:
    """Ask Redis how it is set up, and run a script that writes. Never raises.

    Args:
        runner: who asks.
        keys: for the key that the dry-run writes.
        allow_lossy: losing what was accepted is no fault: nothing is said of durability and eviction.
        needs_replica: a 2xx waits for a replica, so there must be one.
        now: our clock, which that of Redis is compared with; None compares nothing.
        is_thorough: also try whether our user may run each command of each script, and whether Redis may read it back.
    """
    info: _Info = {}
    findings: list[Finding] = []
    try:
        info = cast("_Info", await runner.ask("INFO"))
    except StoreDown as fault:
        if not _is_no_permission(fault):
            return Health((unreached(fault),))
        what = "its version, role, memory and durability"
        findings.append(Finding(Topic.REACH, Verdict.UNKNOWN, f"Redis does not let us ask (INFO): {what} are unknown"))
    else:
        if info.get("loading"):
            return Health((Finding(Topic.REACH, Verdict.PASSING, "Redis is still reading its file: wait"),))
        findings.append(Finding(Topic.REACH, Verdict.FINE, "Redis answers"))
        findings += _setup(info, needs_replica=needs_replica)
    if not allow_lossy:
        findings += await _losses(runner, info)
        findings += await _rereading(runner, keys, info) if is_thorough else []
    if now is not None:
        findings.append(await _clock(runner, now))
    findings.append(await _rehearsal(runner, keys, is_thorough=is_thorough))
    version, role = str(info.get("redis_version", "")), str(info.get("role", ""))
    return Health(tuple(findings), version, role, _memory_share(info))


def _judged(topic: Topic, fault: str, fine: str, verdict: Verdict = Verdict.LASTING) -> Finding:
    """Return the fault where there is a sentence for it, else that all is well."""
    return Finding(topic, verdict, fault) if fault else Finding(topic, Verdict.FINE, fine)


def _setup(info: _Info, *, needs_replica: bool) -> Iterator[Finding]:
    version, role, share = str(info.get("redis_version", "")), info.get("role", ""), _memory_share(info)
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    old = f"Redis is version {version or 'unknown'}: 6.2 is the oldest that works" if numbers < VERSION_LEAST else ""
    yield _judged(Topic.VERSION, old, f"Redis is version {version}")
    other = f"Redis is a {role}, not a master: it takes no writes; check where redis.url leads"
    yield _judged(Topic.ROLE, other if role != "master" else "", "Redis is a master", Verdict.PASSING)
    full = ""
    if share is not None and share > MEMORY_SHARE_MOST:
        full = f"Redis has used {share:.0%} of its memory: webhooks are refused from {MEMORY_SHARE_MOST:.0%} on"
    room = "Redis has no limit of memory (maxmemory)" if share is None else f"Redis has used {share:.0%} of its memory"
    yield _judged(Topic.MEMORY, full, room, Verdict.PASSING)
    if needs_replica:
        replicas = sum(_is_online(value) for name, value in info.items() if re.fullmatch(r"slave\d+", name))
        none = "" if replicas else "Redis has no replica, and durability = 'replicated' waits for one before each 2xx"
        yield _judged(Topic.REPLICA, none, f"Redis has replicas: {replicas}", Verdict.PASSING)


def _is_online(replica: object) -> bool:
    return isinstance(replica, Mapping) and replica.get("state") == "online"


async def _losses(runner: Runner, info: _Info) -> list[Finding]:
    """Say what could lose what was accepted: a file that is not written, a disk not waited for, eviction."""
    found = []
    if info:
        policy = info.get("maxmemory_policy", "noeviction")
        evicts = f"Redis has maxmemory-policy {policy}: it may drop what was accepted; set it to noeviction"
        found.append(_judged(Topic.EVICTION, evicts if policy != "noeviction" else "", "Redis evicts nothing"))
    if info.get("aof_enabled", 1) != 1:
        no = "Redis has appendonly no: a restart loses what was accepted; set it to yes, or allow_lossy = true"
        return [*found, Finding(Topic.DURABILITY, Verdict.LASTING, no)]
    if info.get("aof_last_write_status", "ok") != "ok":
        full = "Redis could not write its append-only file: see its log; most often the disk is full"
        return [*found, Finding(Topic.DURABILITY, Verdict.PASSING, full)]
    try:
        setting = await _settings(runner, "*appendfsync*")
    except StoreDown as fault:
        unheard = f"Redis did not say whether it has appendfsync always. {fault}"
        return [*found, Finding(Topic.DURABILITY, Verdict.PASSING, unheard)]
    lazy = ""
    if setting.get("appendfsync", "always") != "always":
        lazy = f"Redis has appendfsync {setting['appendfsync']}: a power cut loses what was accepted; set it to always"
    elif setting.get("no-appendfsync-on-rewrite", "no") != "no":
        lazy = (
            "Redis has no-appendfsync-on-rewrite yes: a power cut during a rewrite of its file loses what was accepted"
        )
    if not lazy and "appendfsync" not in setting:
        dunno = "whether Redis has appendfsync always: it does not let us ask (CONFIG GET)"
        return [*found, Finding(Topic.DURABILITY, Verdict.UNKNOWN, dunno)]
    return [*found, _judged(Topic.DURABILITY, lazy, "Redis has what it confirms on its disk")]


async def _rereading(runner: Runner, keys: Keys, info: _Info) -> list[Finding]:
    """Say it where the next start would drop what is on disk.

    Redis 7.0 alone, which Debian 12 has, runs its file as the user `default` when it starts: what that user may not do
    is left out, and only the server's log says so. Shut, as one likes to have him, he must keep his rights.
    """
    if not str(info.get("redis_version", "")).startswith("7.0.") or info.get("server_name", "redis") != "redis":
        return []
    try:
        answer = await runner.ask("ACL", "DRYRUN", "default", "SET", keys.probe, "1")
    except StoreDown as fault:
        dunno = f"whether Redis can read its file when it starts, which its user default must be allowed to. {fault}"
        return [Finding(Topic.DURABILITY, Verdict.UNKNOWN, dunno)]
    if answer == "OK":
        return []
    drops = (
        "Redis 7.0 reads its file as the user default, who may not write: the next start loses what was accepted; let "
        "him (ACL SETUSER default allkeys allchannels +@all; he may stay off), or allow_lossy = true"
    )
    return [Finding(Topic.DURABILITY, Verdict.LASTING, drops)]


def _memory_share(info: _Info) -> float | None:
    most = cast("int", info.get("maxmemory", 0))
    return cast("int", info.get("used_memory", 0)) / most if most else None


async def _settings(runner: Runner, pattern: str) -> dict[str, str]:
    """Return what CONFIG GET answers, nothing where Redis does not let us ask; StoreDown where it did not answer."""
    try:
        answer = await runner.ask("CONFIG", "GET", pattern)
    except StoreDown as fault:
        if not isinstance(fault.__cause__, ResponseError):
            raise
        return {}
    flat = cast("list[str]", answer) if isinstance(answer, list) else []
    return dict(zip(flat[::2], flat[1::2], strict=False))


async def _clock(runner: Runner, now: Callable[[], int]) -> Finding:
    before = now()
    try:
        seconds, micros = cast("tuple[str | int, str | int]", await runner.ask("TIME"))
    except StoreDown as fault:
        return Finding(Topic.CLOCK, Verdict.UNKNOWN, f"whether the clock of Redis and ours agree. {fault}")
    after = now()
    theirs = int(seconds) + int(micros) / 1_000_000
    # they read theirs at some moment between: only what no such moment explains is a difference
    ahead, behind = theirs - after / 1000, before / 1000 - theirs
    offset = max(ahead, behind, 0.0)
    off = ""
    if offset > CLOCK_OFFSET_MOST:
        way = "ahead of" if ahead > behind else "behind"
        off = f"the clock of Redis is {offset:.1f} s {way} ours: clicks seem older or newer than they are; use NTP"
    return _judged(Topic.CLOCK, off, "the clock of Redis and ours agree", Verdict.PASSING)


async def _rehearsal(runner: Runner, keys: Keys, *, is_thorough: bool) -> Finding:
    try:
        reply = await runner.run(script("probe"), [keys.probe], ["", "", keys.wake if is_thorough else ""])
    except StoreDown as fault:
        verdict = Verdict.LASTING if _is_no_permission(fault) else Verdict.PASSING
        return Finding(Topic.SCRIPTS, verdict, f"a script that writes could not be run. {fault}")
    said, *refused = cast("list[str]", reply)
    if refused:
        may_not = f"the user in redis.url may not run {', '.join(sorted(set(refused)))}: let it (ACL SETUSER)"
        return Finding(Topic.SCRIPTS, Verdict.LASTING, may_not)
    wrong = f"a script that writes said: {said}" if said != "ok" else ""
    return _judged(Topic.SCRIPTS, wrong, "a script that writes was run", Verdict.PASSING)


def unreached(fault: StoreDown) -> Finding:
    """Return what is found where nobody answers."""
    refusal = _refusal(fault)
    if refusal is None:
        return Finding(Topic.REACH, Verdict.PASSING, str(fault))
    return Finding(Topic.REACH, Verdict.LASTING, f"Redis does not let us in: {refusal}; mend redis.url, or its user")


def _refusal(fault: StoreDown) -> BaseException | None:
    """Return how Redis said that it does not let us in; the client may have wrapped it."""
    why: BaseException | None = fault
    while why is not None and not isinstance(why, AuthenticationError | AuthorizationError):
        why = why.__cause__
    return why


def _is_no_permission(fault: StoreDown) -> bool:
    """Whether Redis knows us, and does not let us do this."""
    return isinstance(fault.__cause__, NoPermissionError) or bool(_MAY_NOT.search(str(fault)))
