"""deploy/redis: a server as it stands there keeps our promises, and its user may do what we do and nothing else."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis as blocking

from service.core.errors import StoreDown
from service.store.client import Link, connect
from service.store.forgetting import Forgetting, Kind, Wanted
from service.store.keys import Keys
from service.store.ledger import RedisLedger
from service.store.redis import RedisStore
from service.store.waiter import WakeWaiter
from service.wiring.playing import tied
from tests.fixtures.redis import BlockingRunner, CountingDice, HandClock, short_folder
from tests.fixtures.servers import BRANDS, free_port, program_of, until
from tests.store.acts import ACTS, Act
from tests.store.stories import ORG, Story, offered
from tests.story.stage import staged

FOLDER = Path(__file__).parents[2] / "deploy" / "redis"
CONF, USERS = FOLDER / "redis.conf", FOLDER / "users.acl"
# play passwords, for a server that lives as long as its test
SECONDS = 10.0  # to subscribe takes milliseconds
PASSWORDS = {"onhook": "play-password", "operator": "play-operator"}


@dataclass
class Guarded:
    """A server with the shipped settings and users; of those only passwords and places are other ones."""

    folder: Path
    program: Path
    passwords: dict[str, str] = field(default_factory=lambda: dict(PASSWORDS))
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where Onhook finds it."""
        return f"redis://onhook:{PASSWORDS['onhook']}@127.0.0.1:{self.port}"

    def client(self, user: str) -> blocking.Redis:
        """Return a client of one of the users."""
        return blocking.Redis(
            port=self.port,
            username=user,
            password=PASSWORDS.get(user, "any"),
            decode_responses=True,
            protocol=2,
            driver_info=None,  # as ours: it is not said which library asks
        )

    def start(self) -> None:
        """Start it; returns when it answers."""
        users = USERS.read_text()
        for user, password in self.passwords.items():
            users, times = re.subn(rf"^user {user} on ", rf"user {user} on >{password} ", users, flags=re.MULTILINE)
            assert times == 1, user
        (self.folder / "users.acl").write_text(users)
        places = ("--port", str(self.port), "--dir", str(self.folder), "--aclfile", str(self.folder / "users.acl"))
        with (self.folder / "log").open("ab") as log:
            command = tied(str(self.program), str(CONF), *places)
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        until(self._answers)

    def stop(self) -> None:
        """End it, and wait until it is gone."""
        process, self._process = self._process, None
        if process is not None:
            process.communicate()

    def refused(self) -> list[str]:
        """Return what a user was refused, as the server remembers it."""
        with self.client("operator") as client:
            return [f"{one['username']} {one['reason']} {one['object']}" for one in client.acl_log()]

    def used(self) -> set[str]:
        """Return the commands that were called since the start."""
        with self.client("operator") as client:
            return {name.removeprefix("cmdstat_").partition("|")[0] for name in client.info("commandstats")}

    def _answers(self) -> bool | None:
        with self.client("operator") as client:
            try:
                return bool(client.ping())
            except blocking.AuthenticationError:
                return True


def allowed() -> set[str]:
    """Return the commands that the user `onhook` may call, subcommands left out."""
    (line,) = re.findall(r"^user onhook (.*)$", USERS.read_text(), re.MULTILINE)
    return {word[1:].partition("|")[0] for word in line.split() if word.startswith("+")}


@pytest.fixture(scope="module", params=BRANDS)
def server(request: pytest.FixtureRequest) -> Iterator[Guarded]:
    """Run one brand of server as shipped, with passwords."""
    folder = short_folder()
    guarded = Guarded(folder, Path(program_of(request.param)))
    guarded.start()
    yield guarded
    guarded.stop()
    shutil.rmtree(folder)


async def _acted(act: Act, story: Story) -> None:
    await act(story)


async def _as_a_service(server: Guarded) -> None:
    """Ask for all that processes of ours ask for beside the scripts' steps."""
    dice = CountingDice()
    async with aclosing(Link(connect(server.url), HandClock(), durability="replicated")) as link:
        with suppress(StoreDown):  # there is no replica
            await RedisStore(link, dice).accept(offered(dice))
    async with aclosing(Link(connect(server.url), HandClock())) as link:
        store = RedisStore(link, dice)
        await store.accept(offered(dice))
        assert (await store.health(is_thorough=True)).faults == ()
        forgetting, wanted = Forgetting(link, dice), Wanted(Kind.TICKET, "INC0010112")
        found = await forgetting.find(ORG, ("desk",), wanted)
        await forgetting.forget(ORG, ("desk",), wanted, found, "anna")
        assert await forgetting.attested(ORG)
        assert await RedisLedger(link).pauses(ORG) == {}
        async with WakeWaiter(server.url, HandClock()) as waiter:
            await waiter.for_due(ORG, "removals", SECONDS)


def test_the_user_may_do_what_we_do_and_nothing_else(server: Guarded) -> None:
    """All scripts and questions are allowed, nothing is refused, and no command is allowed that was never used."""
    with server.client("operator") as operator, server.client("onhook") as client:
        for act, _, _ in ACTS:
            operator.flushall()
            dice, clock, runner = CountingDice(), HandClock(), BlockingRunner(client)
            story = Story(RedisStore(runner, dice, now_ms=clock.now), clock, dice, operator, runner, Keys())
            asyncio.run(_acted(act, story))
    asyncio.run(_as_a_service(server))
    assert server.refused() == []
    assert allowed() - server.used() == set()


FOREIGN = [
    ("GET", "another:key"),
    ("FLUSHALL",),
    ("KEYS", "*"),
    ("CONFIG", "SET", "appendfsync", "no"),
    ("ACL", "LIST"),
    ("PUBLISH", "another", "word"),
    ("EVAL", "return redis.call('SET', 'another', '1')", "0"),
    ("REPLICAOF", "NO", "ONE"),
    ("SHUTDOWN", "NOSAVE"),
]


@pytest.mark.parametrize("words", FOREIGN, ids=" ".join)
def test_the_user_may_not(server: Guarded, words: tuple[str, ...]) -> None:
    """Who holds our password can neither read nor change what is not ours, nor make the server forget."""
    denied = r"NOPERM|ermission|executing the script"
    with server.client("onhook") as client, pytest.raises(blocking.ResponseError, match=denied):
        client.execute_command(*words)
    with server.client("operator") as operator:
        operator.acl_log_reset()


@pytest.mark.parametrize("brand", BRANDS)
async def test_a_restart_finds_what_our_user_wrote(brand: str) -> None:
    """What is on disk is there again after a restart: it is read as `default`, who may do all, and is nobody."""
    folder, dice = short_folder(), CountingDice()
    guarded = Guarded(folder, Path(program_of(brand)))
    try:
        await asyncio.to_thread(guarded.start)
        async with aclosing(Link(connect(guarded.url), HandClock())) as link:
            await RedisStore(link, dice).accept(offered(dice))
        with guarded.client("operator") as client:
            kept = sorted(client.keys())
        await asyncio.to_thread(guarded.stop)
        await asyncio.to_thread(guarded.start)
        with guarded.client("operator") as client:
            assert sorted(client.keys()) == kept != []
    finally:
        await asyncio.to_thread(guarded.stop)
        shutil.rmtree(folder)


@pytest.mark.parametrize("brand", BRANDS)
async def test_a_default_without_rights_is_objected_to(brand: str) -> None:
    """Where a restart would find nothing that is said before anything is taken; where it does no harm it is not."""
    folder = short_folder()
    guarded = Guarded(folder, Path(program_of(brand)))
    try:
        await asyncio.to_thread(guarded.start)
        async with aclosing(Link(connect(guarded.url), HandClock())) as link:
            store = RedisStore(link, CountingDice())
            assert (await store.health(is_thorough=True)).unknowns == ()
            with guarded.client("operator") as client:
                client.execute_command("ACL", "SETUSER", "default", "nocommands", "resetkeys")
            lasting = (await store.health(is_thorough=True)).lasting
        assert [bool(re.search("reads its file as the user default", one)) for one in lasting] == (
            [True] if brand == "redis-7" else []
        )
    finally:
        await asyncio.to_thread(guarded.stop)
        shutil.rmtree(folder)


def test_nobody_gets_in_before_a_password_is_set() -> None:
    """As it is shipped no user has a password, so there is none that everybody knows."""
    folder = short_folder()
    guarded = Guarded(folder, Path(program_of("redis-7")), {})
    try:
        guarded.start()
        for user in ("default", "onhook", "replica", "operator"):
            with guarded.client(user) as client, pytest.raises(blocking.RedisError):
                client.ping()
    finally:
        guarded.stop()
        shutil.rmtree(folder)


async def test_a_story_under_these_users() -> None:
    """Doors, a worker and commands, whole processes, get along with what the user may do; nothing was refused."""
    made: list[Guarded] = []

    def make(folder: Path) -> Guarded:
        made.append(Guarded(folder, Path(program_of("redis-7"))))
        return made[0]

    async with staged(make) as stage:
        await stage.serve()
        await stage.work()
        ticket = await stage.ticket()
        receipt = await stage.post(stage.webhook(await stage.conversation(), ticket=ticket))
        assert (await stage.settled(receipt.json()))["outcome"]["kind"] == "disconnected"
        for words in (("pause",), ("resume",), ("refusals",), ("actions", "list"), ("audit",), ("stats",)):
            assert await (await stage.start(*words)).process.wait() == 0, words
        assert made[0].refused() == []
