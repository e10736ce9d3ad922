"""How the process talks to Redis: one way to connect, one way to ask, and what a missing answer means.

A lost reply is not a failure: the same script is asked again with the same arguments, and it knows. Within two seconds
there is an answer, or StoreDown.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from redis.asyncio import Redis
from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    InvalidResponse,
    NoScriptError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.core.errors import Misconfigured, StoreDown
from service.core.ports import Clock
from service.store.address import Client, connect
from service.store.cluster import Cluster
from service.store.keys import Keys
from service.store.nodes import Nodes, One, said
from service.store.piping import piped
from service.store.script import Reply, Runner, Script

__all__ = ["Client", "Durability", "Link", "connect"]
_T = TypeVar("_T")

# connecting and reading take a second at most each: both are what a caller waits
TOTAL_SECONDS = 2.0
# WAIT must answer before the socket's second is over
WAIT_MS = 900
# one pipeline of accepts: about a megabyte, and a few milliseconds of Redis
SHARED_MOST = 200
# pipelines under way at once to one server: it works on one while the next is on its way, and what is asked meanwhile
# leaves together with it. More would only wait inside Redis, and each costs as much as three accepts
UNDER_WAY = 2
# one that takes longer than this waits for a slow disk, whose next sync others may share, or is stuck: it holds up
# nobody. Of one connection Redis reads a dozen accepts at a time, so a few connections share a sync better than one
STUCK_SECONDS = 0.005
# of all of them together, those that are stuck too: the rest of the connections (32, see address) is left to who asks
# alone, a worker that renews a lease among them. With syncs of 50 ms there was none left, and he waited for a second
PIPELINES_MOST = 20
# no answer at all, or bytes that are none; redis-py has closed the connection then
_MISSING = (RedisConnectionError, RedisTimeoutError, RedisClusterException, InvalidResponse, TimeoutError, OSError)

# what uvloop says, by a RuntimeError, of a connection that was closed under whoever writes to it
_CLOSED = "the handler is closed"

Durability: TypeAlias = Literal["local", "replicated"]


@dataclass(slots=True)
class _Question:
    """One script that is asked."""

    script: Script
    keys: Sequence[str]
    args: Sequence[str]

    @property
    def key(self) -> str:
        """The key that says where it is asked: all of a script's are in one slot."""
        return self.keys[0] if self.keys else ""

    def words(self, *, by_sha: bool) -> tuple[str, ...]:
        how, what = ("EVALSHA", self.script.sha) if by_sha else ("EVAL", self.script.text)
        return (how, what, str(len(self.keys)), *self.keys, *self.args)


@dataclass(slots=True)
class _Shared(_Question):
    """One that is asked in a shared pipeline, until when, and who waits for its answer; he may have gone since."""

    ends: float
    answer: asyncio.Future[Reply]

    def tell(self, reply: Reply) -> None:
        """Say what the answer is."""
        if not self.answer.done():
            self.answer.set_result(reply)

    def fail(self, fault: Exception) -> None:
        """Say that there is none."""
        if not self.answer.done():
            self.answer.set_exception(fault)


def _is_moving(fault: Exception) -> bool:
    """Whether a slot is, or is on its way, somewhere else.

    A script that hears so has written nothing: it looks at all that it is going to write before its first write, and
    nothing moves while it runs.
    """
    return isinstance(fault, (AskError, TryAgainError)) or "non local key" in str(fault)


def _refusal(fault: RedisError) -> StoreDown:
    # out of memory, a replica, a full disk, a cluster without a master, a script that is busy: nothing was promised
    return StoreDown(f"Redis said no: {type(fault).__name__}: {str(fault)[:200]}")


class Link:
    """A `Runner` over a client: each question is answered within two seconds, by Redis or by StoreDown.

    A caller that is cancelled stops waiting; its question goes on, so no connection is left with an unread reply.

    Args:
        client: from `connect`.
        clock: for the two seconds.
        durability: `replicated` confirms what is asked by `run_shared` only when a replica has it too; Misconfigured
            for a Cluster.
        stuck_seconds: how long a shared pipeline may keep others waiting.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        durability: Durability = "local",
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        if durability == "replicated" and isinstance(client, Cluster):
            raise Misconfigured(["durability = 'replicated' is not for a Cluster yet: nobody has tried it there"])
        self._nodes: Nodes = One(client) if isinstance(client, Redis) else client
        self._clock = clock
        self._is_replicated = durability == "replicated"
        self._wake = Keys().wake
        self._queue: list[_Shared] = []
        self._stuck_seconds = stuck_seconds
        self._is_flushing = False  # the queue is looked at before the next turn of the loop
        self._under_way: Counter[int] = Counter()
        self._unanswered: Counter[int] = Counter()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Return the script's answer, or raise StoreDown."""
        return await self._shielded(self._alone(_Question(script, keys, args)))

    async def run_shared(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Like `run`, in one pipeline with all that is asked in this turn of the loop: one write, one fsync.

        While two of them are under way it waits for one to be answered, and leaves together with all that came since.
        """
        loop = asyncio.get_running_loop()
        question = _Shared(script, keys, args, self._ends(), loop.create_future())
        self._queue.append(question)
        self._flush_soon(loop)
        return await question.answer

    async def ask(self, *words: str) -> object:
        """Return the answer to a plain command that may be repeated (INFO, SCAN), or raise StoreDown.

        Of several servers the one is asked that has the keys with the hash tag of one of the words.
        """
        key = next((word for word in words if "{" in word), "")

        async def attempt(told: Redis | None) -> object:
            return await said(told or await self._nodes.of(key), words)

        return await self._shielded(self._patiently(attempt))

    async def ask_at(self, node: Redis, *words: str) -> object:
        """Like `ask`, of one server and no other."""

        async def attempt(_: Redis | None) -> object:
            return await said(node, words)

        return await self._shielded(self._patiently(attempt))

    async def masters(self) -> Mapping[str, Runner]:
        """Return, by what to call it in a sentence, a runner for each server that keeps something; see `Runner`."""

        async def attempt(_: Redis | None) -> Mapping[str, Redis]:
            return await self._nodes.masters()

        found = await self._shielded(self._patiently(attempt))
        return {name: _At(self, client) for name, client in found.items()}

    async def aclose(self) -> None:
        """Wait for what is under way, then close all connections."""
        while self._tasks or self._queue:
            await (asyncio.wait(self._tasks) if self._tasks else asyncio.sleep(0))
        await self._nodes.aclose()

    # ------------------------------------------------------------------------------------------ one question

    async def _alone(self, question: _Question, ends: float | None = None) -> Reply:
        async def attempt(told: Redis | None) -> Reply:
            node, is_asking = told or await self._nodes.of(question.key), told is not None
            try:
                return await said(node, question.words(by_sha=True), is_asking=is_asking)
            except NoScriptError:
                # after a restart, a flush, a failover: the text itself, which Redis then knows again
                return await said(node, question.words(by_sha=False), is_asking=is_asking)

        return await self._patiently(attempt, ends)

    async def _shielded(self, work: Coroutine[Any, Any, _T]) -> _T:
        return await asyncio.shield(self._start(work))

    def _start(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        with contextlib.suppress(asyncio.CancelledError):
            # who asked may have been cancelled: asyncio would complain to the log about a StoreDown that nobody heard
            task.exception()

    def _ends(self) -> float:
        return self._clock.monotonic() + TOTAL_SECONDS

    async def _patiently(self, attempt: Callable[[Redis | None], Awaitable[_T]], ends: float | None = None) -> _T:
        """Ask until there is an answer; what went missing or moved is asked again, what Redis said else is final.

        An attempt is told who is to be asked this once, where somebody said so.
        """
        ends = self._ends() if ends is None else ends
        pause = 0.02  # a restart of Redis refuses for longer than this, a cut connection does not
        told: Redis | None = None
        while True:
            left = ends - self._clock.monotonic()
            try:
                async with asyncio.timeout(max(left, 0)):
                    return await attempt(told)
            except (AuthenticationError, AuthorizationError) as fault:
                await self._nodes.doubt(fault)  # another Redis may have taken the address
                raise _refusal(fault) from fault
            except (*_MISSING, RuntimeError) as fault:
                if isinstance(fault, RuntimeError) and _CLOSED not in str(fault):
                    raise
                told = None
                await self._nodes.doubt(fault)
                missing: Exception = fault
            except RedisError as fault:
                told, missing = await self._settle(fault), fault
            if self._clock.monotonic() + pause >= ends:
                if isinstance(missing, ResponseError):
                    raise _refusal(missing) from missing
                raise StoreDown(f"Redis did not answer: {type(missing).__name__}") from missing
            await self._clock.sleep(pause)
            pause = min(pause * 2, 0.3)

    async def _settle(self, fault: RedisError) -> Redis | None:
        """Raise what Redis said, unless it was that a slot moved or moves; then return who is to be asked, if told."""
        if isinstance(fault, AskError):
            return self._nodes.redirect(fault)
        if not _is_moving(fault):
            await self._nodes.doubt(fault)
            raise _refusal(fault) from fault
        return None

    # ------------------------------------------------------------------------------------------ many at once

    def _flush_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._is_flushing:
            self._is_flushing = True
            loop.call_soon(self._flush, loop)

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        queue, self._queue = self._queue, []
        self._is_flushing = False
        together: dict[int, list[_Shared]] = {}
        for question in queue:
            together.setdefault(self._nodes.together(question.key), []).append(question)
        for place, questions in together.items():
            first = 0
            while first < len(questions) and self._has_room(place):
                self._begin(loop, place, questions[first : first + SHARED_MOST])
                first += SHARED_MOST
            self._queue += questions[first:]

    def _has_room(self, place: int) -> bool:
        return self._under_way[place] < UNDER_WAY and self._unanswered[place] < PIPELINES_MOST

    def _begin(self, loop: asyncio.AbstractEventLoop, place: int, questions: Sequence[_Shared]) -> None:
        self._under_way[place] += 1
        self._unanswered[place] += 1
        # it reports to the futures of the questions
        task = self._start(self._share(questions))
        is_counted = True

        def is_long() -> None:
            nonlocal is_counted
            if is_counted:
                is_counted = False
                self._under_way[place] -= 1
                self._flush_soon(loop)

        stuck = loop.call_later(self._stuck_seconds, is_long)

        def is_over(_: object) -> None:
            stuck.cancel()
            self._unanswered[place] -= 1
            is_long()
            self._flush_soon(loop)

        task.add_done_callback(is_over)

    async def _share(self, questions: Sequence[_Shared]) -> None:
        async def attempt(_: Redis | None) -> list[Reply | Exception]:
            return await self._pipeline(await self._nodes.of(questions[0].key), questions)

        answers: Sequence[Reply | Exception]
        ends = questions[0].ends
        try:
            answers = await self._patiently(attempt, ends)
        except Exception as fault:  # noqa: BLE001 - whatever it is, each caller must hear it
            answers = [fault] * len(questions)
        for question, answer in zip(questions, answers, strict=True):
            if not isinstance(answer, Exception):
                question.tell(answer)
            elif _is_moving(answer) and not self._is_replicated:
                # each by itself: what was answered by one server must not be asked of another
                _ = self._start(self._follow(question))
            else:
                question.fail(_refusal(answer) if isinstance(answer, RedisError) else answer)
        await self._doubt(answers)

    async def _doubt(self, answers: Sequence[Reply | Exception]) -> None:
        """Tell what was said by no: a process that only accepts must leave an old master, or one without replicas."""
        refusals = {type(it): it for it in answers if isinstance(it, (RedisError, StoreDown)) and not _is_moving(it)}
        for refusal in refusals.values():
            await self._nodes.doubt(refusal)

    async def _follow(self, question: _Shared) -> None:
        try:
            question.tell(await self._alone(question, question.ends))
        except Exception as fault:  # noqa: BLE001 - as above
            question.fail(fault)

    async def _pipeline(self, node: Redis, questions: Sequence[_Shared]) -> list[Reply | Exception]:
        answers = await self._send(node, questions, by_sha=True)
        unknown = [i for i, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            again = await self._send(node, [questions[i] for i in unknown], by_sha=False)
            for i, answer in zip(unknown, again, strict=True):
                answers[i] = answer
        return answers

    async def _send(self, node: Redis, questions: Sequence[_Shared], *, by_sha: bool) -> list[Reply | Exception]:
        commands = [question.words(by_sha=by_sha) for question in questions]
        if self._is_replicated:
            # on the same connection: WAIT speaks of the last that this one wrote, and a repeat writes nothing
            commands += [("PUBLISH", self._wake, "replicated"), ("WAIT", "1", str(WAIT_MS))]
        answers = await piped(node, commands)
        if self._is_replicated:
            *answers, published, confirmed = answers
            if isinstance(published, Exception) or not isinstance(confirmed, int) or confirmed < 1:
                # what Redis said by no is worth more than that nobody confirmed it
                nobody = StoreDown("no replica confirmed in time")
                return [it if isinstance(it, RedisError) else nobody for it in answers]
        return answers


class _At:
    """A `Runner` whose plain commands are asked of one server; scripts go where their keys are."""

    def __init__(self, link: Link, node: Redis) -> None:
        self._link = link
        self._node = node

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Return the script's answer."""
        return await self._link.run(script, keys, args)

    async def run_shared(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Return the script's answer."""
        return await self._link.run_shared(script, keys, args)

    async def ask(self, *words: str) -> object:
        """Return the answer of this server."""
        return await self._link.ask_at(self._node, *words)
