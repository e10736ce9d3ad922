"""The examples for programs of one's own, each run as it stands against a real `onhook up --sandbox`."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.core.model import OutcomeKind
from service.core.rules import OUTCOME_EXIT_CODES
from tests.fixtures.redis import short_folder
from tests.needs import needs
from tests.wiring.running import child

FOLDER = Path(__file__).parents[2] / "deploy" / "program"
PHONE, NOBODY = "+14155550123", "+14155559999"
CONTACT = "c0ffee00-1111-4222-8333-444455556666"
TWICE = {"purpose": "customer", "address": f"tel:{PHONE}"}
BLIND = {"on": "look", "status": 403, "code": "missing.permissions", "times": None}
CLIENTS = {
    "sh": ("sh", "remove-caller.sh", "curl", "openssl"),
    "python": (sys.executable, "remove_caller.py"),
    "node": ("node", "remove-caller.mjs", "node"),
}


@dataclass
class Service:
    """A running `onhook up --sandbox` with a source for a program."""

    folder: Path
    play: str
    door: str

    @property
    def url(self) -> str:
        """Where the program posts."""
        return f"{self.door}/webhooks/program"

    def confer(self, *participants: dict[str, Any], **switches: object) -> str:
        """Begin a conference, or a conversation of described participants; return its id."""
        asked = {"participants": participants} if participants else {"scenario": "conference"}
        cid: str = self._ask("POST", "/conversations", asked)["conversation_id"]
        self._ask("PUT", f"/conversations/{cid}/switches", switches)
        return cid

    def present(self, cid: str) -> list[str]:
        """Return who is really there."""
        people = self._ask("GET", f"/conversations/{cid}")["participants"]
        return sorted(one["purpose"] for one in people if one["present"])

    def removals(self, cid: str) -> int:
        """Return how many removals Genesys received."""
        calls = self._ask("GET", f"/calls?service=genesys&conversation={cid}")["calls"]
        return [call["method"] for call in calls].count("PATCH")

    def _ask(self, method: str, path: str, content: object = None) -> dict[str, Any]:
        answer = httpx.request(method, f"{self.play}/sandbox{path}", json=content, trust_env=False, timeout=30)
        assert answer.is_success, answer.text
        return dict(answer.json())


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """Run one `onhook up --sandbox` for all examples."""
    folder = short_folder()
    named: dict[str, str] = {}
    for source, max_age in (("program", "120"), ("hasty", "5")):
        secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        (folder / source).write_text(f"{secret}\n", encoding="utf-8")
        said = {"KIND": "standard", "ORG": "sandbox", "SECRETS": secret, "MAX_AGE": max_age}
        named |= {f"ONHOOK_SOURCES__{source.upper()}__{name}": value for name, value in said.items()}
    with child(folder, "up", "--sandbox", "--sandbox-port", "0", is_tied=True, variables=named) as it:
        play = it.hear("SANDBOX: a play Genesys Cloud and a play desk at ").removesuffix("/sandbox/")
        yield Service(folder, play, it.hear("The public door is at "))
        it.end()
    shutil.rmtree(folder, ignore_errors=True)


def run(
    service: Service, client: str, *words: str, url: str = "", secret: str = "program"
) -> subprocess.CompletedProcess[str]:
    """Run an example with these words, as it lies there."""
    program, file, *tools = CLIENTS[client]
    for tool in tools:
        needs(tool)
    known = {"REMOVE_CALLER_URL": url or service.url, "REMOVE_CALLER_SECRET_FILE": str(service.folder / secret)}
    return _run(program, str(FOLDER / file), *words, variables=known)


def _run(*command: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    surroundings = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    surroundings = {name: value for name, value in surroundings.items() if not name.startswith("ONHOOK_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = surroundings | {"PATH": path} | variables
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)


@pytest.mark.parametrize("client", CLIENTS)
def test_each_example_removes_one_person(service: Service, client: str) -> None:
    """Each example removes exactly the person named, prints the outcome and ends with 0; again, it is already gone."""
    cid = service.confer()
    done = run(service, client, cid, "external_contact_id", CONTACT)
    assert done.returncode == 0, done
    assert json.loads(done.stdout)["outcome"]["kind"] == "disconnected"
    assert service.present(cid) == ["agent", "agent", "external"]
    again = run(service, client, cid, "caller_phone", PHONE)
    assert (again.returncode, json.loads(again.stdout)["outcome"]["kind"]) == (0, "already_gone")
    assert service.removals(cid) == 1


@pytest.mark.parametrize("client", CLIENTS)
def test_each_example_ends_by_the_outcome(service: Service, client: str) -> None:
    """Nobody found is 10, several who fit 11, not allowed to look 13, not accepted 3 with the reason printed."""
    cases = [
        (service.confer(), NOBODY, 10),
        (service.confer(TWICE, TWICE), PHONE, 11),
        (service.confer(answers=[BLIND]), PHONE, 13),
        (service.confer(), "0800 CALLER", 3),
        ("no-uuid", PHONE, 3),
    ]
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda case: run(service, client, case[0], "caller_phone", case[1]), cases))
    assert [it.returncode for it in done] == [code for *_, code in cases], done
    assert "caller_phone is no phone number" in done[-2].stdout
    assert "no-uuid is not a Genesys conversation id" in done[-1].stdout
    assert all("outcome" in json.loads(it.stdout) for it in done[:-2])
    assert run(service, client, "only one word").returncode == 2


@dataclass
class Flaky:
    """A way to the door on which the first answers are lost after the door has given them.

    `idle` is set while nothing is on its way.
    """

    door: httpx.URL
    to_lose: int
    url: str = ""
    lost: int = 0
    passed: int = 0
    ids: set[bytes] = field(default_factory=set)
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one request there, and its answer back or nowhere."""
        self.idle.clear()
        try:
            answer = await self._ask(reader)
            assert answer.startswith(b"HTTP/1.1 20")
            if self.lost < self.to_lose:
                self.lost += 1
            else:
                self.passed += 1
                writer.write(answer)
        finally:
            await _closed(writer)
            self.idle.set()

    async def _ask(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(re.findall(rb"(?i)content-length: (\d+)", head)[0]))
        self.ids |= set(re.findall(rb"(?i)webhook-id: (\S+)", head))
        there, back = await asyncio.open_connection(self.door.host, self.door.port)
        try:
            alone = re.sub(rb"(?i)connection: \S+\r\n", b"", head)
            back.write(alone.replace(b"\r\n", b"\r\nconnection: close\r\n", 1) + body)
            return await there.read()
        finally:
            await _closed(back)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def flaky(door: str, to_lose: int) -> AsyncIterator[Flaky]:
    """Give a way to the door that loses answers."""
    way = Flaky(httpx.URL(door), to_lose)
    way.idle.set()
    server = await asyncio.start_server(way.carry, "127.0.0.1", 0)
    async with server:
        way.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield way
        await way.idle.wait()


async def test_a_lost_answer_is_asked_for_again(service: Service) -> None:
    """Each example repeats a click whose answer was lost under the same id, so that it counts once."""

    async def click(client: str) -> None:
        cid = service.confer()
        async with flaky(service.door, to_lose=1) as way:
            url = f"{way.url}/webhooks/program"
            done = await asyncio.to_thread(run, service, client, cid, "caller_phone", PHONE, url=url)
        assert (way.lost, way.passed, len(way.ids)) == (1, 1, 1), done
        assert done.returncode == 0, done
        assert json.loads(done.stdout)["outcome"]["kind"] == "disconnected"
        assert service.removals(cid) == 1

    await asyncio.gather(*(click(client) for client in CLIENTS if shutil.which(CLIENTS[client][0])))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_wrong_secret_is_said(service: Service, client: str) -> None:
    """A signature that does not fit is not accepted: 3, with the door's sentence."""
    wrong = f"whsec_{base64.b64encode(bytes(32)).decode()}"
    (service.folder / "wrong").write_text(f"{wrong}\n", encoding="utf-8")
    done = run(service, client, service.confer(), "caller_phone", PHONE, secret="wrong")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (3, 401)


def _step(service: Service, cid: str, phone: str, source: str) -> subprocess.CompletedProcess[str]:
    known = {"DOOR": service.door, "SOURCE": source, "SECRET_FILE": str(service.folder / source)}
    return _run("sh", str(FOLDER / "pipeline-step.sh"), cid, phone, variables=known)


def test_the_step_of_a_pipeline(service: Service) -> None:
    """The step goes on when the person is not there any more, and stops with the outcome's code otherwise."""
    _stops_and_goes(
        service,
        (
            service.confer(),
            PHONE,
            "program",
            0,
            "go on: the person is not in the conversation any more (in shadow mode: nobody was removed)",
        ),
        (service.confer(), NOBODY, "program", 0, "go on: the person was not in the conversation"),
        (service.confer(TWICE, TWICE), PHONE, "program", 11, "stop: the rules refuse it"),
        (service.confer(), "0800 CALLER", "program", 3, "stop: not done"),
    )


@pytest.mark.slow
def test_the_step_of_a_pipeline_that_is_too_late(service: Service) -> None:
    """Where Genesys is away until the click is too old, the step stops with 12."""
    away = BLIND | {"status": 503, "code": "service.unavailable"}
    _stops_and_goes(service, (service.confer(answers=[away]), PHONE, "hasty", 12, "stop: it was too late"))


def _stops_and_goes(service: Service, *cases: tuple[str, str, str, int, str]) -> None:
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda case: _step(service, *case[:3]), cases))
    for it, (*_, code, sentence) in zip(done, cases, strict=True):
        assert it.returncode == code, it
        assert it.stdout.splitlines()[-1].startswith(sentence), it


def test_the_codes_are_the_services_own() -> None:
    """Each example, the step and the page beside them know every outcome by the code that `onhook send` ends with."""
    python, node, shell, step, page = (
        (FOLDER / file).read_text(encoding="utf-8")
        for file in ("remove_caller.py", "remove-caller.mjs", "remove-caller.sh", "pipeline-step.sh", "README.md")
    )
    for kind, code in OUTCOME_EXIT_CODES.items():
        assert f'"{kind}": {code},' in python
        assert re.search(rf"\b{kind}: {code},", node)
        assert code == 0 or kind is OutcomeKind.UNKNOWN or f"{kind}) exit {code}" in shell
        assert re.search(rf"^\| {code} \| .*`{kind}`", page, re.MULTILINE)
    assert "disconnected | already_gone | previewed) exit 0" in shell
    assert "*) exit 14" in shell
    stops = set(re.findall(r"^  ([\d| ]+)\) echo", step, re.MULTILINE))
    assert {code for stop in stops for code in stop.split(" | ")} == {"0", "10", "11", "12", "4", "14"}


def test_the_page_names_each_file() -> None:
    """The page beside the examples names all of them, and nothing that is not there."""
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    files = {file.name for file in FOLDER.iterdir() if file.is_file()} - {"README.md"}
    assert set(re.findall(r"\]\(([\w.-]+)\)", page)) == files
