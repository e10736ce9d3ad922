"""Whether an org's Genesys Cloud can be worked with: asked step by step, by harmless calls, along the worker's own way.

A token and one look at a conversation that nobody has: nothing is changed, and what the worker will meet is met here.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import cast

from service.core import model as m
from service.core.errors import Rejected, Throttled, Unreachable
from service.core.ports import Clock
from service.genesys import GenesysCloud
from service.outbound import OpenTransport, Origin, Outgoing
from service.settings import OrgSettings
from service.store.health import Verdict
from service.wiring.checked import Line
from service.wiring.trouble import CERTIFICATE, PROXY, trouble_of
from service.wiring.witness import RATE_HEADERS, Overheard, Peer, Witness

# clicks are compared with when people joined: within it nobody is removed, comes back and is clicked again
CLOCK_SECONDS = 2.0
_A_DATE_LASTS = 1.0  # it says whole seconds
_HOURS = 3600
_PORTS = {"https": 443, "http": 80}
_FINE, _UNKNOWN, _PASSING, _LASTING = Verdict.FINE, Verdict.UNKNOWN, Verdict.PASSING, Verdict.LASTING

VIEW = "Conversation > Communication > View (conversation:communication:view)"
DISCONNECT = "Conversation > Communication > Disconnect (conversation:communication:disconnect)"


class Step(StrEnum):
    """What is looked at, in this order; after the first that is wrong nothing more can be asked."""

    NAMES = "names"
    CONNECTION = "connection"
    LOGIN = "login"
    TOKEN = "token"  # noqa: S105 - the name of a step
    READ = "read"
    RATE = "rate"
    CLOCK = "clock"
    REMOVAL = "removal"


async def asked_of(
    name: str,
    options: OrgSettings,
    outgoing: Outgoing,
    clock: Clock,
    chance: str,
    *,
    transport: OpenTransport | None = None,
) -> list[Line]:
    """Return what was found of the org configured as `name`.

    Args:
        name: the org's.
        options: how it is reached.
        outgoing: how calls leave.
        clock: ours.
        chance: 32 hex digits: the id of a conversation that nobody has.
        transport: another way out than the network, see `Caller`.
    """
    asking = _Asking(name, options, outgoing, clock, transport)
    await asking.ask(chance)
    return asking.lines


class _Asking:
    def __init__(
        self, name: str, options: OrgSettings, outgoing: Outgoing, clock: Clock, transport: OpenTransport | None
    ) -> None:
        self.lines: list[Line] = []
        self._name, self._options, self._outgoing = name, options, outgoing
        self._witness = Witness(outgoing, clock, transport=transport)
        self._cloud = GenesysCloud(options, clock, outgoing, transport=self._witness.transport)

    async def ask(self, chance: str) -> None:
        try:
            if await self._names():
                await self._log_in("-".join((chance[:8], chance[8:12], chance[12:16], chance[16:20], chance[20:])))
        finally:
            await self._cloud.aclose()

    def _say(self, step: str, verdict: Verdict, sentence: str) -> None:
        self.lines.append(Line(f"org {self._name}", step, verdict, sentence))

    async def _names(self) -> bool:
        places = dict.fromkeys((self._options.login, self._options.api))
        if self._outgoing.proxy:
            self._say(Step.NAMES, _FINE, f"the proxy looks up {_listed(place.host for place in places)}")
            return True
        loop = asyncio.get_running_loop()
        looks = [loop.getaddrinfo(one.host, one.port or _PORTS[one.scheme], type=socket.SOCK_STREAM) for one in places]
        found = [
            self._named(place, infos)
            for place, infos in zip(places, await asyncio.gather(*looks, return_exceptions=True), strict=True)
        ]
        if all(found):
            self._say(Step.NAMES, _FINE, ", ".join(found))
        return all(found)

    def _named(self, place: Origin, infos: Sequence[tuple[object, ...]] | BaseException) -> str:
        """Return a name with its addresses; say why there are none, and return nothing."""
        if isinstance(infos, BaseException):
            _, why = trouble_of(infos, place.host, self._outgoing)
            where = f"region “{self._options.region}”" if self._options.region else "api_url and login_url"
            self._say(Step.NAMES, _PASSING, f"{why}; {where} of orgs.{self._name} leads there")
            return ""
        addresses = [str(cast("tuple[object, ...]", info[4])[0]) for info in infos]
        return f"{place.host} is {_listed(dict.fromkeys(addresses))}"

    async def _log_in(self, conversation_id: str) -> None:
        try:
            life = await self._cloud.log_in()
        except Throttled as error:
            self._connected()
            wait = f"the login takes no more calls for now: try again in {error.retry_after_seconds:.0f} s"
            self._say(Step.LOGIN, _PASSING, wait)
        except Rejected as error:
            self._connected()
            said = " ".join(str(part) for part in (error.reply.status, error.reply.code, error.reply.message) if part)
            where = f"orgs.{self._name}.client_id and client_secret"
            grant = "Admin > Integrations > OAuth, grant type Client Credentials, and of this region"
            self._say(Step.LOGIN, _LASTING, f"the login does not take {where} ({said}): copy both from {grant}")
        except Unreachable as error:
            if not self._is_in_trouble(Step.LOGIN):
                self._connected()
                self._say(Step.LOGIN, _PASSING, f"{error} (status {error.reply.status} {error.reply.code})")
        else:
            self._connected()
            self._say(Step.LOGIN, _FINE, "the client id and secret are taken")
            self._say(Step.TOKEN, _FINE, f"a token is good for {_life(life)}; it is renewed before it ends")
            await self._read(conversation_id)

    async def _read(self, conversation_id: str) -> None:
        sight = await self._cloud.look(conversation_id)
        if self._is_in_trouble(Step.READ):
            return
        if self._options.api != self._options.login:
            self._connected()
        call = self._witness.calls[-1]
        verdict, sentence = _of_sight(sight)
        name, _ = call.correlation
        self._say(Step.READ, verdict, sentence + (f"; support asks for the id under {name}" if name else ""))
        if verdict is not _FINE:
            return
        self._say(Step.RATE, *_of_rate(call))
        self._say(Step.CLOCK, *_of_clock(call))
        how = f"whether {DISCONNECT} is given is seen by a removal only: onhook check --test-call"
        self._say(Step.REMOVAL, _UNKNOWN, how)

    def _is_in_trouble(self, step: Step) -> bool:
        """Say why the last call had no answer, under the step that failed; False where it had one."""
        call = self._witness.calls[-1]
        if call.fault is None:
            return False
        place = self._options.login if step is Step.LOGIN else self._options.api
        topic, why = trouble_of(call.fault, place.host, self._outgoing)
        self._say(topic, _LASTING if topic in {CERTIFICATE, PROXY} else _PASSING, why)
        return True

    def _connected(self) -> None:
        call = self._witness.calls[-1]
        place = self._options.login if call.url.startswith(str(self._options.login)) else self._options.api
        self._say(Step.CONNECTION, _FINE, f"{place.host}: {_of_peer(call.peer, self._outgoing)}")


def _listed(words: Iterator[str] | dict[str, None]) -> str:
    return " and ".join(dict.fromkeys(words))


def _life(seconds: float) -> str:
    return f"{seconds / _HOURS:g} h" if seconds >= _HOURS else f"{seconds:g} s"


def _of_peer(peer: Peer, outgoing: Outgoing) -> str:
    way = "through the proxy" if outgoing.proxy else f"at {peer.address}" if peer.address else "reached"
    if not peer.tls:
        return f"{way}, without TLS: this machine only"
    trusted = " (trusted by outbound.ca_file too)" if outgoing.ca_file else ""
    names = ", ".join(peer.names[:3]) + (", …" if peer.names[3:] else "")
    return f"{way}, {peer.tls}, certificate for {names} by {peer.issuer}, until {peer.good_until}{trusted}"


def _of_sight(sight: m.Sight) -> tuple[Verdict, str]:
    """Return what a look at a conversation that nobody has says about a look at one that somebody has."""
    if isinstance(sight, m.Conversation):
        return _FINE, "a conversation was read"
    said = " ".join(str(part) for part in (sight.reply.status, sight.reply.code, sight.reply.message) if part)
    match sight:
        case m.NotFound():
            return _FINE, "a conversation that nobody has was asked for, and is not found (404), as it should be"
        case m.Forbidden():
            role = f"give a role of the OAuth client {VIEW}, in the divisions of your queues"
            return _LASTING, f"it may not read conversations ({said}): {role}"
        case m.CannotSee() if sight.retry_after_seconds:
            return _PASSING, f"no more calls for now ({said}): try again in {sight.retry_after_seconds:.0f} s"
        case m.CannotSee():
            return _PASSING, f"the answer says nothing about a conversation ({said}): try again; is a gateway between?"
        case _:
            return _LASTING, f"it was turned down ({said}): check the region, and the OAuth client"


def _of_rate(call: Overheard) -> tuple[Verdict, str]:
    count, allowed, reset = (call.headers.get(name, "") for name in RATE_HEADERS[:3])
    if not allowed:
        return _UNKNOWN, "the answer names no budget of calls (inin-ratelimit-allowed): 300 a minute are counted on"
    return _FINE, f"{count or '?'} of {allowed} calls are used, a new count begins in {reset or '?'} s"


def _of_clock(call: Overheard) -> tuple[Verdict, str]:
    try:
        theirs = parsedate_to_datetime(call.headers.get("date", "")).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return _UNKNOWN, "whether Genesys' clock and ours agree: the answer has no Date"
    # it was some moment of that second, between our two: only what no such moment explains is a difference
    ahead, behind = theirs - call.ended_at / 1000, call.began_at / 1000 - (theirs + _A_DATE_LASTS)
    if max(ahead, behind) <= CLOCK_SECONDS:
        return _FINE, "the clock of Genesys and ours agree"
    way = f"{behind:.0f} s ahead of" if behind > ahead else f"{ahead:.0f} s behind"
    seen = datetime.fromtimestamp(theirs, UTC).isoformat().replace("+00:00", "Z")
    return _PASSING, f"our clock is {way} Genesys' ({seen}): clicks seem older or newer than they are; use NTP"
