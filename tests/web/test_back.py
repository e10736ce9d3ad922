"""The private door tells an orchestrator whether to restart, to wait, or to send; and a person why."""

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from service import telemetry
from service.core.errors import StoreDown
from service.web.answers import json_answer
from service.web.back import MAX_CLAIM_AGE_SECONDS, private_door
from tests.web.doors import client_on


@dataclass
class Process:
    """What the door is told of the process it stands in."""

    age: float | None = None
    has_started: bool = True
    faults: Sequence[str] = ()
    orgs: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    lost: str = ""
    measured: int = 0

    async def measure(self) -> None:
        self.measured += 1
        telemetry.OPEN_ACTIONS.labels("acme").set(self.measured)

    async def find_faults(self) -> Sequence[str]:
        return self.faults

    async def show_orgs(self) -> Mapping[str, Mapping[str, object]]:
        if self.lost:
            raise StoreDown(self.lost)
        return self.orgs


@pytest.fixture
def process() -> Process:
    """A process in which all is well."""
    return Process(orgs={"acme": {"mode": "live", "paused": ["desk"]}})


@pytest.fixture
async def http(process: Process) -> AsyncIterator[httpx.AsyncClient]:
    """A client on its private door."""
    door = private_door(
        version={"version": "0.1.0", "python": "3.11"},
        claim_age=lambda: process.age,
        has_started=lambda: process.has_started,
        faults=process.find_faults,
        orgs=process.show_orgs,
        measure=process.measure,
    )
    async with client_on(door) as client:
        yield client


@pytest.mark.parametrize(
    "age, status, said",
    [
        (None, 200, "alive"),
        (0.0, 200, "alive"),
        (MAX_CLAIM_AGE_SECONDS, 200, "alive"),
        (MAX_CLAIM_AGE_SECONDS + 0.1, 503, "stuck"),
    ],
)
async def test_livez(http: httpx.AsyncClient, process: Process, age: float | None, status: int, said: str) -> None:
    """A process is alive while it answers, and a worker while it goes on asking for work."""
    process.age = age
    answer = await http.get("/livez")
    assert answer.status_code == status
    assert answer.json() == {"status": said, "last_claim_seconds_ago": age}
    assert answer.headers["cache-control"] == "no-store"


async def test_ready(http: httpx.AsyncClient) -> None:
    """A process without faults is ready, and shows mode and pauses of each org: a pause makes nobody unready."""
    answer = await http.get("/readyz")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    orgs = {"acme": {"mode": "live", "paused": ["desk"]}}
    assert answer.json() == {"status": "ready", "faults": [], "orgs": orgs}


async def test_not_ready(http: httpx.AsyncClient, process: Process) -> None:
    """A process with faults is not ready, and says each in words."""
    process.faults = ["appendfsync is everysec", "draining"]
    answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert answer.json()["faults"] == ["appendfsync is everysec", "draining"]
    assert set(answer.json()["orgs"]) == {"acme"}


async def test_not_ready_without_a_store(http: httpx.AsyncClient, process: Process) -> None:
    """A store that cannot be asked is a fault among the others; what it would have said is null."""
    process.faults, process.lost = ["draining"], "timed out"
    answer = await http.get("/readyz")
    assert answer.status_code == 503
    faults = ["draining", "the store did not answer: timed out"]
    assert answer.json() == {"status": "not ready", "faults": faults, "orgs": None}


@pytest.mark.parametrize("has_started, status, said", [(True, 200, "started"), (False, 503, "starting")])
async def test_startupz(http: httpx.AsyncClient, process: Process, has_started: bool, status: int, said: str) -> None:
    """A process is started once everything was opened."""
    process.has_started = has_started
    answer = await http.get("/startupz")
    assert (answer.status_code, answer.json()) == (status, {"status": said})


async def test_version(http: httpx.AsyncClient) -> None:
    """The version is what the process was built with."""
    assert (await http.get("/version")).json() == {"version": "0.1.0", "python": "3.11"}


async def test_metrics_hold_nobody_up(http: httpx.AsyncClient, process: Process) -> None:
    """The metrics are written beside the work, one scrape after the other: each sees what was measured for it alone."""
    writers: list[tuple[bool, int]] = []

    class Watcher(Collector):
        def collect(self) -> Iterator[Metric]:
            writers.append((threading.current_thread() is threading.main_thread(), process.measured))
            return iter(())

    telemetry.REGISTRY.register(watcher := Watcher())
    writers.clear()
    try:
        await asyncio.gather(*(http.get("/metrics") for _ in range(3)))
    finally:
        telemetry.REGISTRY.unregister(watcher)
    assert writers == [(False, 1), (False, 2), (False, 3)]


async def test_metrics(http: httpx.AsyncClient) -> None:
    """Every metric there is can be scraped, in the form that Prometheus reads; what must be measured is as of now."""
    assert 'onhook_open_actions{org="acme"} 1.0' in (await http.get("/metrics")).text
    answer = await http.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    for name in telemetry.metric_names():
        assert f"# TYPE {name}" in answer.text
    assert 'onhook_open_actions{org="acme"} 2.0' in answer.text


@pytest.mark.parametrize(
    "method, path, status, code", [("GET", "/webhooks/desk", 404, "not_found"), ("POST", "/livez", 405, "wrong_method")]
)
async def test_nothing_else(http: httpx.AsyncClient, method: str, path: str, status: int, code: str) -> None:
    """The private door takes no webhooks, and answers what it does not know with a problem document."""
    answer = await http.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_bug_says_nothing(log: io.BytesIO, http: httpx.AsyncClient, process: Process) -> None:
    """A fault of ours is a 500 without text here too."""
    process.orgs = {"acme": None}  # type: ignore[dict-item] # what makes it fail
    answer = await http.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")
    assert [json.loads(line)["event"] for line in log.getvalue().splitlines()] == ["fault.raised"]


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/actions/a"])
async def test_no_console_here(http: httpx.AsyncClient, path: str) -> None:
    """A process that only works has no console, and says where there is one."""
    answer = await http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "`onhook serve`" in answer.json()["detail"]


async def test_the_console_is_inside(process: Process) -> None:
    """The console answers everything at its root and below, whatever the method, and nothing beside it."""

    async def console(request: Request) -> Response:
        return json_answer(200, {"console": request.scope["path"], "method": request.method})

    door = private_door(
        version={},
        claim_age=lambda: None,
        has_started=lambda: True,
        faults=process.find_faults,
        orgs=process.show_orgs,
        measure=process.measure,
        console=console,
    )
    async with client_on(door) as client:
        for method, path in [("GET", "/console"), ("POST", "/console/login"), ("DELETE", "/console/a/b")]:
            assert (await client.request(method, path)).json() == {"console": path, "method": method}
        for path in ("/consoles", "/CONSOLE", "/x/console"):
            assert (await client.get(path)).status_code == 404
