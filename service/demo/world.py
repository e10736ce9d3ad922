"""What the story touches: the public door, as any ticketing system would, and the sandbox's control. Nothing inside."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeAlias

import httpx

from service.wiring.machine import SystemClock, SystemDice

Json: TypeAlias = dict[str, Any]
PATIENCE_SECONDS = 20  # what the door grants to `Prefer: wait`
CALLER_PHONE = "+14155550123"  # who calls in every conference of the sandbox
REQUESTER = "beth.anglin"


@dataclass(frozen=True, slots=True)
class Conference:
    """One conference of four in the sandbox, and the ticket about it.

    Attributes:
        number: counts the story's conferences.
        caller_id: the participant id of the caller.
        ticket: `table`, `sys_id` and `number`, as the desk names it.
    """

    number: int
    conversation_id: str
    caller_id: str
    ticket: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Webhook:
    """One signed delivery; sent again it is the same to the bit."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the door answered: its status and its JSON."""

    status: int
    said: Json

    @property
    def action(self) -> str:
        """The id of the action, or ""."""
        return str(self.said.get("action", ""))

    @property
    def outcome(self) -> str:
        """How the action ended, or "" while it has not."""
        return str((self.said.get("outcome") or {}).get("kind", ""))

    @property
    def link(self) -> str:
        """Where the action's account is.

        Raises:
            LookupError: the door took nothing; in its own words.
        """
        if not (links := self.said.get("links")):
            raise LookupError(f"the door answered {self.status}: {self.said.get('detail', self.said)}")
        return str(links["self"])


class World:
    """The outside of a running Onhook.

    Args:
        play: the URL of the sandbox.
        door: the URL of the public door.
        source: the configured source to speak as.
        secret: what that source signs with: `whsec_` and base64.
        clock: for the moment of a click.
    """

    def __init__(self, play: str, door: str, source: str, secret: str, clock: SystemClock) -> None:
        self.play = play
        self.door = door
        self._source = source
        self._secret = base64.b64decode(secret.removeprefix("whsec_"))
        self._clock = clock
        self._dice = SystemDice(clock)
        # an idle connection is given up before the other side may close it under us
        limits = httpx.Limits(keepalive_expiry=1.0)
        self._client = httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS + 5, limits=limits)
        self.conferences: list[Conference] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    # --- the sandbox's control -------------------------------------------------------------------------------------

    async def confer(self) -> Conference:
        """Begin a conference of four, and open a ticket about it."""
        number = len(self.conferences) + 1
        begun = await self._control("POST", "/conversations", {"scenario": "conference"})
        record = {"table": "incident", "number": f"INC{10_111 + number:07d}"}
        ticket = await self._control("POST", "/desk/tickets", record)
        caller = next(person["id"] for person in begun["participants"] if person["purpose"] == "customer")
        conference = Conference(number, begun["conversation_id"], caller, ticket)
        self.conferences.append(conference)
        return conference

    async def hang_up(self, conference: Conference) -> None:
        """Let the caller leave by himself."""
        event = {"event": "hangup", "participant_id": conference.caller_id}
        await self._control("POST", f"/conversations/{conference.conversation_id}/events", event)

    async def spoil(self, conference: Conference, **switches: object) -> None:
        """Make something go wrong in one conversation."""
        await self._control("PUT", f"/conversations/{conference.conversation_id}/switches", switches)

    async def people(self, conference: Conference) -> list[Json]:
        """Return who is really in the conversation and who has left it; the queue's own leg is nobody."""
        seen = await self._control("GET", f"/conversations/{conference.conversation_id}")
        return [person for person in seen["participants"] if person["purpose"] != "acd"]

    async def removals(self, conference: Conference) -> list[Json]:
        """Return the PATCHes that reached Genesys for one conversation."""
        listed = await self._control("GET", f"/calls?service=genesys&conversation={conference.conversation_id}")
        return [call for call in listed["calls"] if call["method"] == "PATCH"]

    async def calls(self) -> list[Json]:
        """Return every call that the sandbox received, in order."""
        return await self.calls_since(0)

    async def calls_since(self, since: int) -> list[Json]:
        """Return the calls after the one with the number `since`."""
        return list((await self._control("GET", f"/calls?since={since}"))["calls"])

    async def conversations(self) -> list[Json]:
        """Return every conversation as it really is."""
        return list((await self._control("GET", "/conversations"))["conversations"])

    async def tickets(self) -> list[Json]:
        """Return every ticket with what was written on it."""
        listed = (await self._control("GET", "/desk/tickets"))["tickets"]
        return [await self._control("GET", f"/desk/tickets/{one['table']}/{one['sys_id']}") for one in listed]

    async def _control(self, method: str, path: str, said: object = None) -> Json:
        answer = await self._client.request(method, f"{self.play}/sandbox{path}", json=said)
        answer.raise_for_status()
        return dict(answer.json())

    # --- the public door -------------------------------------------------------------------------------------------

    def click(self, conference: Conference, *, secret: bytes | None = None, **person: str) -> Webhook:
        """Return the webhook of one click on Remove Caller, signed by Standard Webhooks.

        Args:
            conference: where from, and the ticket that asks.
            secret: instead of the source's own: a forger's.
            person: how the caller is named: `participant_id`, `caller_phone`, …
        """
        now = self._clock.now()
        clicked = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds")
        data = {"conversation_id": conference.conversation_id, **person, **conference.ticket, "requested_by": REQUESTER}
        body = json.dumps({"type": "caller.remove", "timestamp": clicked, "data": data}, separators=(",", ":")).encode()
        name, stamp = f"msg_{self._dice.token()}", str(now // 1000)
        mac = hmac.digest(self._secret if secret is None else secret, f"{name}.{stamp}.".encode() + body, "sha256")
        headers = {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        }
        return Webhook(f"{self.door}/webhooks/{self._source}", headers, body)

    async def send(self, webhook: Webhook, *, wait: int = 0) -> Answer:
        """Deliver a webhook; with `wait` the door may take so many seconds to answer with the outcome."""
        headers = {**webhook.headers, **({"prefer": f"wait={wait}"} if wait else {})}
        return _answered(await self._client.post(webhook.url, headers=headers, content=webhook.body))

    async def account(self, link: str, *, wait: int = 0) -> Answer:
        """Return what the door tells about an action; with `wait` at most so many seconds later, when it has ended."""
        headers = {"prefer": f"wait={wait}"} if wait else {}
        return _answered(await self._client.get(link, headers=headers))


def timeline_of(account: Answer) -> Sequence[Json]:
    """Return the lines of an action's timeline."""
    return list(account.said.get("timeline", ()))


def _answered(answer: httpx.Response) -> Answer:
    return Answer(answer.status_code, dict(answer.json()))
