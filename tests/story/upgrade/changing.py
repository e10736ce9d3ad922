"""What changes over from one version to the other: doors, workers, and an action at every stage."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import httpx
import redis as blocking

from service.store.keys import Keys
from tests.story.fire import AGAIN_SECONDS, Click, Desk, Fire
from tests.story.stage import Answer, Running, Stage, eventually

# at which stage an action stands when its worker is killed; each has an org of its own
STAGES = ("claimed", "marked", "confirming", "told later", "paused", "accepted")
MUTE_SECONDS = 60.0  # longer than a call may take: nobody sees the conversation until the sandbox is told otherwise
HANG_SECONDS = 4.0  # so long a call takes: enough to see its action there, and shorter than a call may take
LAG_SECONDS = 6.0  # the platform shows a caller so long after he was removed; then he would be removed again
STAGE_SECONDS = 20.0  # for an action to come to its stage on a machine that has other things to do
NOWHERE = "http://127.0.0.1:9"  # where no desk is
MAX_AGE = "900"  # on a slow machine nothing is to be too late
NEWER = "newer version"  # what is said of what one of them stored
TRIES = 5  # to find two actions at two stages that pass at the same moment; to be answered by a busy machine


@dataclass
class Version:
    """One version of the service: where it is started from, and what of it runs.

    Attributes:
        schema: of the records that it begins.
        workers: the process ids of all its workers that ever ran.
    """

    name: str
    schema: str
    stage: Stage
    serving: Running | None = None
    working: Running | None = None
    private: str = ""
    workers: set[str] = field(default_factory=set)

    async def open(self, fire: Fire) -> None:
        """Start its doors, and send senders there too."""
        self.serving = await self.stage.serve()
        self.private = await self.serving.url("private")
        fire.doors.append(self.stage.door)

    async def close(self, fire: Fire) -> None:
        """End its doors in good order; senders go elsewhere first."""
        assert self.serving
        fire.doors.remove(self.stage.door)
        if code := await self.serving.end():
            fire.findings.append(f"the doors of the {self.name} version ended with {code}")

    async def work(self, nowhere: Desk | None = None) -> None:
        """Start a worker, to which the desk `nowhere` is away."""
        away = {f"ONHOOK_SOURCES__{nowhere.source}__INSTANCE_URL".upper(): NOWHERE} if nowhere else {}
        self.working = await self.stage.work(**away)
        self.workers.add(str(self.working.process.pid))

    async def rest(self, fire: Fire) -> None:
        """End its worker in good order."""
        assert self.working
        if code := await self.working.end():
            fire.findings.append(f"the worker of the {self.name} version ended with {code}")

    def signal(self, number: int) -> None:
        """Send its worker a signal."""
        assert self.working
        self.working.process.send_signal(number)

    async def die(self) -> None:
        """Kill its worker, whatever it has in hand."""
        assert self.working
        await self.working.end(signal.SIGKILL)

    async def onhook(self, *words: str) -> tuple[int, str]:
        """Run a command of this version; return its exit code, and what it wrote on standard output."""
        running = await self.stage.start(*words)
        assert running.process.stdout
        said = (await running.process.stdout.read()).decode()
        return await running.process.wait(), said

    async def left(self) -> int:
        """Return how much it leaves to a newer version, as its metrics say."""
        shown = (await self.stage.client.get(f"{self.private}/metrics")).text
        numbers = re.findall(r"^onhook_newer_records\{.*?\} (\S+)$", shown, re.MULTILINE)
        return sum(int(float(number)) for number in numbers)


@dataclass
class Change:
    """Both versions on one fire, and what was clicked for each stage.

    Attributes:
        desks: by stage, or by what they are for.
        every: all of them; those of the fire are judged together.
        seeds: the clicks of each version, by stage.
    """

    fire: Fire
    old: Version
    new: Version
    desks: dict[str, Desk]
    every: Sequence[Desk]
    seeds: dict[str, list[Click]] = field(default_factory=dict)

    async def bring(self, version: Version) -> None:
        """Click at a version's doors once for each stage but `accepted`; then kill its worker while all are there.

        The org of `paused` must be paused, and its worker know nothing of where the desk of `told later` is.
        """
        lasting = [await self.click(version, stage) for stage in ("claimed", "told later", "paused")]
        for click, stage in lasting:
            if not await self._comes_to(version, click, stage):
                self.fire.findings.append(f"{version.name}: never at {stage}: {await _seen(version, click)}")
        passing: list[tuple[Click, str]] = []
        for _ in range(TRIES):
            passing = [await self.click(version, stage) for stage in ("confirming", "marked")]
            await asyncio.gather(*(self._comes_to(version, click, stage) for click, stage in passing))
            version.signal(signal.SIGSTOP)  # what it sees now stays so
            if all([_IS_AT[stage](await _seen(version, click)) for click, stage in passing]):
                break
            version.signal(signal.SIGCONT)
        await version.die()
        for click, stage in [*lasting, *passing]:
            self.fire.counters[f"{version.name}: worker killed at {stage}"] += _IS_AT[stage](
                await _seen(version, click)
            )
            await version.stage.switch(click.conversation, answers=[])
        await self.click(version, "accepted")
        self.fire.counters[f"{version.name}: worker killed at accepted"] += 1

    async def click(self, version: Version, stage: str) -> tuple[Click, str]:
        """Click in the org of a stage, at the doors of a version."""
        (click,) = await self.fire.clicked(self.desks[stage])
        if rule := _HELD.get(stage):
            await version.stage.switch(click.conversation, **rule)
        await self.fire.deliver(click, door=version.stage.door)
        self.seeds.setdefault(version.name, []).append(click)
        return click, stage

    async def _comes_to(self, version: Version, click: Click, stage: str) -> bool:
        async def there() -> bool | None:
            return _IS_AT[stage](await _seen(version, click)) or None

        try:
            return await eventually(there, STAGE_SECONDS)
        except TimeoutError:
            return False

    async def again(self, click: Click, version: Version) -> httpx.Response:
        """Send a delivery once more, to a version's doors."""
        self.fire.counters[f"repeats at the {version.name} version's doors"] += 1
        body, desk = click.body, click.desk
        post = version.stage.post
        return await patient(lambda: post(body, webhook_id=click.webhook_id, secret=desk.secret, source=desk.source))

    async def expect_same(self, clicks: Sequence[Click], version: Version) -> None:
        """Repeat each delivery to a version that can read its action: it is the same action, and a yes."""
        for click in clicks:
            answer, was = await self.again(click, version), action_of(click)
            said = answer.json()
            if (answer.status_code, said.get("status"), said.get("action")) != (202, "duplicate", was):
                self.fire.findings.append(f"a repeat of {was} at the {version.name} doors: {said}")


async def patient(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Return an answer; one that says no more than that Redis is slow, as on a busy machine, is asked for again."""
    answer = await ask()
    for _ in range(TRIES):
        if answer.status_code != 503 or NEWER in answer.text:
            break
        await asyncio.sleep(AGAIN_SECONDS)  # real processes: later it is quicker
        answer = await ask()
    return answer


def action_of(click: Click) -> str:
    """Return the id of the action that the sender of a click was told."""
    assert click.receipt
    return str(click.receipt["action"])


async def _seen(version: Version, click: Click) -> Answer:
    return await version.stage.account(click.receipt or {})


def _verbs(account: Answer) -> list[str]:
    return [entry["verb"] for entry in account["timeline"]]


def _states(account: Answer) -> set[str]:
    return {report["state"] for report in account["reports"]}


def _is_confirming(account: Answer) -> bool:
    return any(send["answer"] for send in account["sends"]) and not account["outcome"]


_IS_AT: dict[str, Callable[[Answer], bool]] = {
    "claimed": lambda account: "claim" in _verbs(account) and not account["sends"] and not account["outcome"],
    "marked": lambda account: [send["answer"] for send in account["sends"]] == [None],
    "confirming": _is_confirming,
    "told later": lambda account: bool(account["outcome"]) and _states(account) == {"due"},
    "paused": lambda account: account["state"] == "pending" and "claim" not in _verbs(account),
}
# what keeps an action there: a call that hangs, for ever or once; a platform that lags
_HELD: dict[str, dict[str, object]] = {
    "claimed": {"answers": [{"on": "look", "delay_seconds": MUTE_SECONDS, "times": None}]},
    "marked": {"answers": [{"on": "disconnect", "delay_seconds": HANG_SECONDS}]},
    "confirming": {"lag_seconds": LAG_SECONDS},
}


def records_of(fire: Fire, desks: Sequence[Desk], schema: str) -> dict[str, object]:
    """Return every record of a schema as Redis holds it, by its key."""
    with blocking.Redis.from_url(fire.stage.redis.url, protocol=2, decode_responses=True) as client:
        return {
            key: client.hgetall(key)
            for desk in desks
            for kind in ("action", "report", "delivery")
            for key in client.scan_iter(f"{Keys().base(desk.org)}{kind}:*", count=1000)
            if client.hget(key, "v") == schema
        }


def open_of(fire: Fire, desks: Sequence[Desk], schema: str) -> dict[str, float]:
    """Return when each open action and each report still to be told of a schema is due, by its key."""
    keys, found = Keys(), dict[str, float]()
    with blocking.Redis.from_url(fire.stage.redis.url, protocol=2, decode_responses=True) as client:
        for desk in desks:
            waiting = {"action": keys.due_removals(desk.org), "report": keys.due_reports(desk.org, desk.source)}
            for kind, due in waiting.items():
                for name, at in client.zrange(due, 0, -1, withscores=True):
                    key = f"{keys.base(desk.org)}{kind}:{name}"
                    if client.hget(key, "v") == schema:
                        found[key] = float(at)
    return found
