"""How the process talks to Redis: one way to connect, one way to ask, and what a missing answer means.

A lost reply is not a failure: the same script is asked again with the same arguments, and it knows. Within two seconds
there is an answer, or StoreDown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoScriptError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.core.errors import Misconfigured, StoreDown
from service.core.ports import Clock
from service.store.script import Reply, Script

Client: TypeAlias = "Redis | RedisCluster"
_T = TypeVar("_T")

# each of connecting and reading: two of them are the two seconds a caller waits at most
SOCKET_SECONDS = 1.0
TOTAL_SECONDS = 2.0
# WAIT must answer before the socket's second is over
WAIT_MS = 900
# more would only queue inside Redis, which works on one thing at a time
CONNECTIONS = 32
# one pipeline of accepts: about a megabyte, and a few milliseconds of Redis
SHARED_MOST = 200
# what an operator may say in the URL; timeouts and retries are ours
_URL_OPTIONS = frozenset({"db", "cluster", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname"})

Durability: TypeAlias = Literal["local", "replicated"]


def _url_faults(url: str) -> list[str]:
    parts = urlsplit(url)
    faults = []
    if parts.scheme not in {"redis", "rediss", "unix"}:
        faults.append("the Redis URL must begin with redis://, rediss:// or unix://")
    unknown = sorted({name for name, _ in parse_qsl(parts.query)} - _URL_OPTIONS)
    faults += [
        f"the Redis URL has an option {name!r}; it may have {', '.join(sorted(_URL_OPTIONS))}" for name in unknown
    ]
    return faults


def connect(url: str, *, is_cluster: bool | None = None, connections: int = CONNECTIONS) -> Client:
    """Return a client for `url` (`redis://`, `rediss://`, `unix://`) that connects when it is first asked.

    Args:
        url: where Redis is; `?cluster=true` means that it is a Cluster.
        is_cluster: the same as a setting; None leaves it to the URL.
        connections: how many at most; a caller beyond them waits.

    Raises:
        Misconfigured: the URL cannot be used. The message never has its password.
    """
    faults = _url_faults(url)
    if faults:
        raise Misconfigured(faults)
    parts = urlsplit(url)
    options = parse_qsl(parts.query)
    if is_cluster is None:
        is_cluster = dict(options).get("cluster", "").lower() in {"true", "yes", "1"}
    bare = urlunsplit(parts._replace(query=urlencode([(k, v) for k, v in options if k != "cluster"])))
    # the default would run a command up to ten times when replies are lost, without asking us
    ours: dict[str, Any] = {
        "protocol": 2,
        "decode_responses": True,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": SOCKET_SECONDS,
        "socket_connect_timeout": SOCKET_SECONDS,
    }
    if parts.scheme == "unix":
        ours.pop("socket_connect_timeout")
    if is_cluster:
        return RedisCluster.from_url(bare, max_connections=connections, **ours)
    pool = BlockingConnectionPool.from_url(bare, max_connections=connections, timeout=SOCKET_SECONDS, **ours)
    return Redis.from_pool(pool)


@dataclass(slots=True)
class _Question:
    """One script asked in a shared pipeline, and who waits for its answer."""

    script: Script
    keys: Sequence[str]
    args: Sequence[str]
    answer: asyncio.Future[Reply] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def words(self, *, by_sha: bool) -> tuple[str, ...]:
        how, what = ("EVALSHA", self.script.sha) if by_sha else ("EVAL", self.script.text)
        return (how, what, str(len(self.keys)), *self.keys, *self.args)


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
    """

    def __init__(self, client: Client, clock: Clock, *, durability: Durability = "local") -> None:
        if durability == "replicated" and isinstance(client, RedisCluster):
            raise Misconfigured(["durability = 'replicated' is not for a Cluster yet: its pipelines know no WAIT"])
        self._client = client
        self._clock = clock
        self._is_replicated = durability == "replicated"
        self._queue: list[_Question] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Return the script's answer, or raise StoreDown."""
        question = _Question(script, keys, args)
        return await self._shielded(self._patiently(lambda: self._ask(question)))

    async def run_shared(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Like `run`, in one pipeline with all that is asked in this turn of the loop: one write, one fsync."""
        question = _Question(script, keys, args)
        self._queue.append(question)
        if len(self._queue) == 1:
            asyncio.get_running_loop().call_soon(self._flush)
        return await asyncio.shield(question.answer)

    async def ask(self, *words: str) -> object:
        """Return the answer to a plain command that may be repeated (INFO, CONFIG GET), or raise StoreDown."""
        return await self._shielded(self._patiently(lambda: self._command(*words)))

    async def aclose(self) -> None:
        """Wait for what is under way, then close all connections."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._client.aclose()

    # ------------------------------------------------------------------------------------------ one question

    async def _command(self, *words: str) -> Reply:
        execute = cast("Callable[..., Awaitable[Reply]]", self._client.execute_command)
        if isinstance(self._client, RedisCluster) and not words[0].startswith("EVAL"):
            # keys choose the node of a script; what has no keys is asked of any one
            return await execute(*words, target_nodes=RedisCluster.RANDOM)
        return await execute(*words)

    async def _ask(self, question: _Question) -> Reply:
        try:
            return await self._command(*question.words(by_sha=True))
        except NoScriptError:
            # after a restart, a flush, a failover: the text itself, which Redis then knows again
            return await self._command(*question.words(by_sha=False))

    async def _shielded(self, work: Coroutine[Any, Any, _T]) -> _T:
        return await asyncio.shield(self._start(work))

    def _start(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _patiently(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """Ask until there is an answer; what went missing is asked again, what Redis said is final."""
        ends = self._clock.monotonic() + TOTAL_SECONDS
        pause = 0.02  # a restart of Redis refuses for longer than this, a cut connection does not
        while True:
            left = ends - self._clock.monotonic()
            try:
                async with asyncio.timeout(max(left, 0)):
                    return await attempt()
            except (AuthenticationError, AuthorizationError) as fault:
                raise _refusal(fault) from fault
            except (RedisConnectionError, RedisTimeoutError, RedisClusterException, TimeoutError, OSError) as fault:
                if self._clock.monotonic() + pause >= ends:
                    raise StoreDown(f"Redis did not answer: {type(fault).__name__}") from fault
            except RedisError as fault:
                await self._drop_idle(fault)
                raise _refusal(fault) from fault
            await self._clock.sleep(pause)
            pause = min(pause * 2, 0.3)

    async def _drop_idle(self, fault: RedisError) -> None:
        """After a failover our connections may lead to what is a replica now: the next ones ask the name anew."""
        if isinstance(fault, ReadOnlyError) and isinstance(self._client, Redis):
            await self._client.connection_pool.disconnect(inuse_connections=False)

    # ------------------------------------------------------------------------------------------ many at once

    def _flush(self) -> None:
        queue, self._queue = self._queue, []
        for first in range(0, len(queue), SHARED_MOST):
            # it reports to the futures of the questions
            _ = self._start(self._share(queue[first : first + SHARED_MOST]))

    async def _share(self, questions: Sequence[_Question]) -> None:
        answers: Sequence[Reply | Exception]
        try:
            answers = await self._patiently(lambda: self._pipeline(questions))
        except Exception as fault:  # noqa: BLE001 - whatever it is, each caller must hear it
            answers = [fault] * len(questions)
        for question, answer in zip(questions, answers, strict=True):
            if isinstance(answer, Exception):
                question.answer.set_exception(_refusal(answer) if isinstance(answer, RedisError) else answer)
                # nobody may be left to hear it
                question.answer.exception()
            else:
                question.answer.set_result(answer)

    async def _pipeline(self, questions: Sequence[_Question]) -> list[Reply | Exception]:
        answers = await self._send(questions, by_sha=True)
        unknown = [i for i, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            again = await self._send([questions[i] for i in unknown], by_sha=False)
            for i, answer in zip(unknown, again, strict=True):
                answers[i] = answer
        return answers

    async def _send(self, questions: Sequence[_Question], *, by_sha: bool) -> list[Reply | Exception]:
        async with self._client.pipeline(transaction=False) as pipe:
            for question in questions:
                pipe.execute_command(*question.words(by_sha=by_sha))
            if self._is_replicated:
                # on the same connection: WAIT speaks of what this one wrote, repeats included
                pipe.execute_command("WAIT", "1", str(WAIT_MS))
            answers = cast("list[Reply | Exception]", await pipe.execute(raise_on_error=False))
        if self._is_replicated and answers.pop() == 0:
            return [StoreDown("no replica confirmed in time")] * len(questions)
        return answers
