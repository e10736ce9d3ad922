"""A console with sample pages: everything that its real pages stand on, without them."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import httpx
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp

from service.core import model as m
from service.core.errors import StoreDown, Unreadable
from service.web.back import private_door
from service.web.console.entrance import Entrance
from service.web.console.origin import LOCAL
from service.web.console.pages import TEMPLATES, Pages
from service.web.console.proxy import Proxy
from service.web.console.sessions import COOKIE, Holder, Role, Sessions
from service.web.console.site import Site
from service.web.console.visit import Place, Visit
from service.web.protocol import listener, server
from tests.web.doors import CountingDice, HandClock

BETH, VERA = f"onhook_{'b' * 43}", f"onhook_{'v' * 43}"
FOLDER = Path(__file__).with_name("templates")
ORIGIN = "http://localhost"
HOSTILE = "<script>document.title='owned'</script>\"'{{ 7*7 }}\u202egnp.exe" + "x" * 300


@dataclass(frozen=True)
class Known:
    """How an org stands, as every page shows it."""

    org: str = "acme"
    mode: str = "live"
    pauses: Sequence[object] = ()
    shadow: Sequence[str] = ()


@dataclass
class Ground:
    """The console, its clock, and what was done at it.

    Attributes:
        text: what a webhook wrote.
        acts: who did what, in order.
    """

    holders: Sequence[Holder] = ()
    proxy: Proxy | None = None
    hosts: frozenset[str] = LOCAL
    text: str = HOSTILE
    numbers: int = 3
    is_store_down: bool = False
    clock: HandClock = field(default_factory=HandClock)
    acts: list[tuple[m.Operator, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        pages = _pages()
        self.sessions = Sessions(self.holders, b"a key of the deployment", 3600)
        entrance = Entrance(self.sessions, self.clock, CountingDice(), pages, self.proxy)
        places = (
            Place("GET", r"/?", Role.VIEWER, self.sample),
            Place("GET", r"/part", Role.VIEWER, self.part),
            Place("GET", r"/numbers", Role.VIEWER, self.told),
            Place("GET", r"/fail/(\w+)", Role.VIEWER, self.fail),
            Place("POST", r"/act", Role.OPERATOR, self.act),
        )
        self.site = Site(entrance, pages, places, self.around, self.hosts)
        self.door = door_with(self.site)

    async def around(self) -> Mapping[str, object]:
        """Return what every page shows, or find the store away."""
        if self.is_store_down:
            raise StoreDown("canary")
        return {"standings": [Known(), Known("other", "shadow", shadow=["desk"])]}

    async def sample(self, visit: Visit) -> Response:
        """Show the page that has everything."""
        done = visit.query.get("done") or visit.form.get("done")  # of a page that is only asked for, nothing
        return await visit.page("sample.html", text=self.text, numbers=range(self.numbers), done=done)

    async def part(self, visit: Visit) -> Response:
        """Show the part of it that is asked for again and again."""
        if self.is_store_down:
            raise StoreDown("canary")
        return visit.part("sample_part.html", text=self.text, numbers=range(self.numbers))

    async def told(self, visit: Visit) -> Response:
        """Tell what a chart draws."""
        at = list(range(1_795_165_200, 1_795_165_200 + 288 * 300, 300))
        lines = {
            "removed": [n * 7 % 11 for n in range(288)],
            "failed": [None if n < 100 else n % 3 for n in range(288)],
        }
        return visit.json({"outcomes": {"x": at, "lines": lines}})

    async def fail(self, _: Visit, how: str) -> Response:
        """Go wrong."""
        faults = {"store": StoreDown("canary"), "refused": Unreadable("Say for how long."), "left": ClientDisconnect()}
        raise faults.get(how, KeyError("canary"))

    async def act(self, visit: Visit) -> Response:
        """Do something, and say what."""
        self.acts.append((visit.operator(), visit.form.get("what")))
        return visit.go("?done=paused")


HOLDERS = (
    Holder("beth", Role.OPERATOR, hashlib.sha256(BETH.encode()).hexdigest()),
    Holder("vera", Role.VIEWER, hashlib.sha256(VERA.encode()).hexdigest()),
)


def door_with(site: Site) -> ASGIApp:
    """Return a private door with this console."""

    async def nothing() -> Sequence[str]:
        return ()

    async def no_orgs() -> Mapping[str, Mapping[str, object]]:
        return {}

    async def no_measure() -> None: ...

    return private_door(
        version={},
        claim_age=lambda: None,
        has_started=lambda: True,
        faults=nothing,
        orgs=no_orgs,
        measure=no_measure,
        console=site.answer,
    )


@cache
def _pages() -> Pages:
    """Templates are read and compiled once for all tests."""
    return Pages("0.1.0", (FOLDER, TEMPLATES))


class Browser:
    """What a browser does at a console, without one: it keeps the cookie, and says where it is."""

    def __init__(self, ground: Ground) -> None:
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=ground.door), base_url=ORIGIN)
        self.cookie = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a page below the console."""
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> httpx.Response:
        """Send a form, as one of its pages would."""
        return await self.ask("POST", path, fields or {}, {"origin": ORIGIN, **headers})

    async def ask(
        self, method: str, path: str, fields: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Ask by any method; a cookie that comes back is kept, or forgotten."""
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if self.cookie:
            sent.setdefault("cookie", f"{COOKIE}={self.cookie}")
        answer = await self.http.request(method, f"/console{path}", data=fields, headers=sent)
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0].partition("=")[2]
        return answer

    async def login(self, token: str, **fields: str) -> httpx.Response:
        """Send the form of the login."""
        return await self.post("/login", {"token": token, **fields})

    async def form_token(self) -> str:
        """Return what the forms of this session carry."""
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', (await self.get("")).text)
        assert found
        return found[1]


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an app on a free port of loopback as our doors are served; yield its address."""
    sock = listener("127.0.0.1", 0)
    port = sock.getsockname()[1]
    running = server(app, sock)
    task = asyncio.create_task(running.serve())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        await task
