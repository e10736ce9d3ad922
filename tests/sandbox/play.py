"""What every test of the sandbox needs: a clock moved by hand, and a client that is logged in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from service.sandbox import create_app

NOBODY = "00000000-0000-4000-8000-000000000000"
OFF = {"state": "disconnected"}


@dataclass
class Clock:
    """A clock that stands still until a test moves it; slow answers are noted, and pass at once."""

    at: float = 1_795_165_200.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Tell the time."""
        return self.at

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.at += seconds

    async def sleep(self, seconds: float) -> None:
        """Let as much time pass as was asked for."""
        self.slept.append(seconds)
        self.move(seconds)


class Play:
    """One sandbox with a client on it."""

    def __init__(self) -> None:
        self.clock = Clock()
        app = create_app(now=self.clock, sleep=self.clock.sleep)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox")
        self.token = ""
        self.keys: dict[str, str] = {}

    async def log_in(self) -> None:
        """Get a token."""
        self.keys = (await self.http.get("/sandbox/credentials")).json()
        self.token = (await self.ask_token()).json()["access_token"]

    async def ask_token(self, **changes: str) -> httpx.Response:
        """Ask for a token, with other credentials if the test has some."""
        keys = self.keys | changes
        return await self.http.post(
            "/oauth/token", auth=(keys["client_id"], keys["client_secret"]), data={"grant_type": "client_credentials"}
        )

    async def api(self, method: str, path: str, body: object = None, **more: Any) -> httpx.Response:  # noqa: ANN401 -- httpx's own
        """Call the conversations API."""
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        return await self.http.request(method, f"/api/v2/conversations{path}", headers=headers, **more)

    async def desk(self, method: str, path: str, body: object = None, **more: Any) -> httpx.Response:  # noqa: ANN401 -- as above
        """Call the desk."""
        auth = (self.keys["desk_user"], self.keys["desk_password"])
        return await self.http.request(method, f"/api/now/table{path}", json=body, auth=auth, **more)

    async def control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 -- whatever JSON it says
        """Call the control and return what it says; it must agree."""
        answer = await self.http.request(method, f"/sandbox{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, body: object) -> str:
        """Call the control with something it must refuse, and return its sentence."""
        answer = await self.http.request(method, f"/sandbox{path}", json=body)
        assert answer.status_code == 400, answer.text
        return str(answer.json()["error"])

    async def begin(self, scenario: str, **more: str) -> "Scene":
        """Begin a scenario."""
        told = await self.control("POST", "/conversations", {"scenario": scenario, **more})
        return Scene(self, told["conversation_id"], told["participants"])

    async def rule(self, **rule: object) -> None:
        """Set one global rule."""
        await self.control("PUT", "/switches", {"answers": [rule]})

    async def calls(self, query: str = "") -> list[dict[str, Any]]:
        """Return the calls received."""
        return list((await self.control("GET", f"/calls{query}"))["calls"])


@dataclass
class Scene:
    """One conversation under test."""

    play: Play
    cid: str
    people: list[dict[str, Any]]

    def person(self, name: str) -> dict[str, Any]:
        """Return the last participant with this purpose or first name, as the control introduced it."""
        return [one for one in self.people if name in {one["purpose"], (one["name"] or "").split(" ")[0]}][-1]

    def id(self, name: str) -> str:
        """Return a participant's id."""
        return str(self.person(name)["id"])

    async def present(self) -> list[str]:
        """Return the ids of everybody really present."""
        return [one["id"] for one in await self.truth() if one["present"]]

    async def truth(self) -> list[dict[str, Any]]:
        """Return the participants as they really are."""
        return list((await self.play.control("GET", f"/conversations/{self.cid}"))["participants"])

    async def look(self) -> dict[str, Any]:
        """Return the generic view."""
        return dict((await self.play.api("GET", f"/{self.cid}")).json())

    async def seen(self, name: str) -> dict[str, Any]:
        """Return one participant as readers see it."""
        return next(one for one in (await self.look())["participants"] if one["id"] == self.id(name))

    async def remove(self, name: str, medium: str = "", body: Mapping[str, object] = OFF) -> httpx.Response:
        """Send a command on a participant."""
        return await self.play.api("PATCH", f"{medium}/{self.cid}/participants/{self.id(name)}", body)

    async def event(self, event: str, **more: object) -> dict[str, Any]:
        """Let something happen."""
        told = await self.play.control("POST", f"/conversations/{self.cid}/events", {"event": event, **more})
        return dict(told)

    async def switch(self, **switches: object) -> None:
        """Set switches of this conversation."""
        await self.play.control("PUT", f"/conversations/{self.cid}/switches", switches)
