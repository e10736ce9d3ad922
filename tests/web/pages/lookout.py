"""What the pages' tests look from: the console's site, its pages on the real store and flow, and somebody who is in."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx

from service.core import model as m
from service.core.errors import StoreDown
from service.core.wording import SHIPPED
from service.store.archive import RedisArchive
from service.store.ledger import audit_from
from service.store.refusals import RefusalBook
from service.web.console.entrance import Entrance
from service.web.console.pages import Pages
from service.web.console.sessions import COOKIE, Holder, Role, Sessions
from service.web.console.site import Site
from service.web.pages.places import places
from service.web.pages.watch import Pause, Standing, Watch
from tests.flow.stage import ORG, SOURCE, Stage
from tests.web.console.ground import door_with

HOST = "http://127.0.0.1"
PUBLIC = "https://onhook.test/in/"


def holder(role: Role) -> Holder:
    """Return somebody with that role, called like it."""
    return Holder(role.value, role, hashlib.sha256(role.value.encode()).hexdigest())


@dataclass
class Lookout:
    """The console over a stage of the flow; `is_down` lets it find the store away."""

    stage: Stage
    mode: str = "live"
    is_down: bool = False
    pieces: list[tuple[str, int, int]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        """Build it."""
        stage = self.stage
        self.archive = RedisArchive(stage.runner, now_ms=stage.clock.now)
        self.book = RefusalBook(stage.runner, stage.dice, {SOURCE: ORG}, now_ms=stage.clock.now)
        self.watch = Watch(
            store=stage.store,
            archive=self.archive,
            refusals=self.book,
            waiter=stage.bells,
            clock=stage.clock,
            dice=stage.dice,
            wording=SHIPPED,
            sources={name: source.terms for name, source in stage.sources.items()},
            apis={ORG: "https://api.mypurecloud.de"},
            public_url=PUBLIC,
            standings=self.standings,
            audit_from=audit_from,
            exported=self.exported,
        )
        sessions = Sessions([holder(role) for role in Role], b"a key of thirty-two bytes in play", 3600)
        pages = Pages("0.0")
        self.cookies = {
            role: sessions.cookie(holder(role), stage.clock.now(), f"{number:032x}") for number, role in enumerate(Role)
        }
        self.tokens = {
            role: session.form_token
            for role, cookie in self.cookies.items()
            if (session := sessions.session(cookie, stage.clock.now()))
        }
        entrance = Entrance(sessions, stage.clock, stage.dice, pages)
        site = Site(entrance, pages, places(self.watch), self.watch.around, frozenset({"127.0.0.1"}))
        self.door = door_with(site)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.door), base_url=HOST)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client."""
        await self.http.aclose()

    # --- what wiring gives -------------------------------------------------------------------------------------------

    async def standings(self) -> Sequence[Standing]:
        """Say how the one org stands, as wiring does."""
        if self.is_down:
            raise StoreDown("it was taken away")
        burden = await self.stage.store.burden(ORG)
        pauses = [Pause(source, why) for source, why in (await self.archive.pauses(ORG)).items()]
        return [
            Standing(
                ORG,
                self.mode,
                pauses,
                open_actions=burden.actions,
                overdue_seconds=burden.actions_overdue_seconds,
                open_reports=burden.reports,
                reports_overdue_seconds=burden.reports_overdue_seconds,
                calls=burden.calls,
                dead=burden.dead,
            )
        ]

    async def exported(self, form: str, since_at: int, until_at: int) -> AsyncIterator[bytes]:
        """Give two pieces, and remember what was asked."""
        if self.is_down:
            raise StoreDown("it was taken away")
        self.pieces.append((form, since_at, until_at))
        yield b"one\n"
        yield b"two\n"

    # --- what somebody does ------------------------------------------------------------------------------------------

    async def get(
        self, path: str, role: Role = Role.OPERATOR, *, is_live: bool = False, status: int = 200
    ) -> httpx.Response:
        """Open a page; it must be answered by `status`."""
        headers = {"x-onhook-live": "1"} if is_live else {}
        answer = await self.http.get(f"/console{path}", headers=self.headers(role) | headers)
        assert answer.status_code == status, answer.text
        return answer

    async def text(self, path: str, role: Role = Role.OPERATOR, *, is_live: bool = False, status: int = 200) -> str:
        """Open a page and return what stands on it, without its tags."""
        return words((await self.get(path, role, is_live=is_live, status=status)).text)

    async def post(
        self,
        path: str,
        fields: Mapping[str, str | list[str]] | None = None,
        role: Role = Role.OPERATOR,
        status: int = 303,
    ) -> httpx.Response:
        """Send a form as a page of ours does; it must be answered by `status`."""
        form: dict[str, str | list[str]] = {"form_token": self.tokens[role], **(fields or {})}
        answer = await self.http.post(f"/console{path}", data=form, headers=self.headers(role) | {"origin": HOST})
        assert answer.status_code == status, words(answer.text)
        return answer

    async def follow(self, answer: httpx.Response) -> str:
        """Go where an act leads, and return what stands there."""
        return await self.text(answer.headers["location"].removeprefix("/console"))

    async def audit(self) -> list[m.AuditLine]:
        """Return the whole audit."""
        lines, _ = await self.archive.audit(ORG, 1000)
        return list(lines)

    def headers(self, role: Role = Role.OPERATOR) -> dict[str, str]:
        """Return what a browser of somebody who is in sends."""
        return {"cookie": f"{COOKIE}={self.cookies[role]}"}


def words(html: str) -> str:
    """Return the text of a page: tags are left out, entities read, white space made one space, none before a comma."""
    bare = re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<(head|script|svg)\b.*?</\1>", " ", html))
    for name, sign in (("lt", "<"), ("gt", ">"), ("#34", '"'), ("#39", "'"), ("amp", "&")):
        bare = bare.replace(f"&{name};", sign)
    return re.sub(r" ([;,.:])", r"\1", " ".join(bare.split()))


def json_of(answer: httpx.Response) -> object:
    """Return the JSON of an answer."""
    return json.loads(answer.content)
