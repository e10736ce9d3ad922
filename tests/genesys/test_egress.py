"""Nothing but the allowed shapes of request can leave towards Genesys, whatever is asked, and whatever it answers."""

import asyncio
import itertools
import json
import math
from collections import Counter
from contextlib import aclosing, suppress
from typing import cast

import httpx
import pytest

from service.core import model as m
from service.core.errors import EgressRefused
from service.core.selection import select
from service.genesys import GenesysCloud, GenesysOptions
from service.genesys.routes import OWN_CALLS, conversation_rules
from service.genesys.token import token_rule
from service.outbound import EgressGuard, Outgoing, origin_in
from tests.genesys.evil import EVIL
from tests.genesys.peers import CID, PID, HandClock, Noting, peer, read_request, reply

API = "http://127.0.0.1:8090"
BODY = b'{"state":"disconnected"}'
FORM = b"grant_type=client_credentials"
UID, LEG = f"1{CID[1:]}", f"2{CID[1:]}"
CONVERSATIONS = "/api/v2/conversations"
C = f"{CONVERSATIONS}/{CID}"
MEDIA = ("calls", "callbacks", "emails", "messages", "cobrowsesessions")
ROUTES = ("auto", "generic", "medium", "on_behalf")
FIELDS = ("conversation", "participant", "communication", "user", "medium")

# written out, not taken from the code: what may leave
GENERIC = f"{C}/participants/{PID}"
OF_MEDIA = [f"{CONVERSATIONS}/{medium}/{CID}/participants/{PID}" for medium in MEDIA]
LEGS = [f"{path}/communications/{LEG}" for path in OF_MEDIA]
ON_BEHALF = f"{CONVERSATIONS}/calls/{CID}/participants/{PID}/user/{UID}"
REMOVALS = {
    "auto": {GENERIC, *OF_MEDIA, ON_BEHALF, *LEGS},
    "generic": {GENERIC, *LEGS},
    "medium": {*OF_MEDIA, *LEGS},
    "on_behalf": {ON_BEHALF, *LEGS},
}


def options(url: str = API, route: str = "auto", on_behalf_of: str = UID) -> GenesysOptions:
    """An org at `url`."""
    keys = {"api_url": url, "login_url": url, "client_id": "id", "client_secret": "secret"}
    return GenesysOptions.model_validate({**keys, "route": route, "on_behalf_of": on_behalf_of})


def target(medium: str = "calls", **ids: str) -> m.Target:
    """Somebody to be removed, with some of the fields as nobody's types allow them."""
    whom = {"participant": PID, "user": "", "communication": "", **ids}
    return m.Target(whom["participant"], (), "", cast("m.Medium", medium), whom["user"], whom["communication"])


def shapes(route: str) -> set[tuple[str, str, bytes]]:
    """What may leave for an org with this route."""
    removals = {("PATCH", path, BODY) for path in REMOVALS[route]}
    return {("GET", C, b""), ("POST", "/oauth/token", FORM), *removals}


# -------------------------------------------------------------------------------------------- whatever is asked of us
class Heard:
    """A peer that answers everything as Genesys would, and keeps what arrives."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str, bytes]] = Counter()

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await read_request(reader):
            head, _, body = request.partition(b"\r\n\r\n")
            method, path, _ = head.split(b"\r\n")[0].decode("latin-1").split(" ", 2)
            self.asked[method, path, body] += 1
            said, status = b"{}", b"202 Accepted"
            if method == "POST":
                said, status = b'{"access_token":"one","expires_in":86400}', b"200 OK"
            writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(said), said))


def test_there_are_enough_evil_ids() -> None:
    """Each is another one, and none of them is a UUID by any reading."""
    assert len(EVIL) >= 280
    assert not [evil for evil in EVIL if m.UUID.fullmatch(evil)]


@pytest.mark.parametrize("route", ROUTES)
async def test_evil_ids_ask_for_nothing(route: str) -> None:
    """Each evil id in each field of a look and a removal: at a listening peer only the allowed shapes arrive."""
    heard, refused = Heard(), Counter[str]()
    async with peer(heard.play) as url, aclosing(GenesysCloud(options(url, route), HandClock(), Outgoing())) as cloud:
        for evil, field in itertools.product(EVIL, FIELDS):
            for leg in ("", LEG):
                ids = {"conversation": CID, "medium": "calls", "communication": leg, field: evil}
                refused[field] += await is_refused(cloud, **ids)
            if field == "conversation":
                with pytest.raises(EgressRefused):
                    await cloud.look(evil)
        await cloud.look(CID)
    assert set(heard.asked) <= shapes(route)
    assert heard.asked["GET", C, b""] == 1  # the peer does hear
    # no user and no communication is nobody's evil id; without a medium these two routes still know the participant
    once = {"user": 2, "communication": 2, "medium": len(EVIL) if route in {"auto", "generic"} else 0}
    assert refused == {field: 2 * len(EVIL) - once.get(field, 0) for field in FIELDS}


async def is_refused(cloud: GenesysCloud, conversation: str, **ids: str) -> bool:
    """Whether nothing left for this target: stopped for an id that is none, or for want of a call."""
    try:
        answer = await cloud.disconnect(conversation, target(**ids), math.inf)
    except EgressRefused:
        return True
    return answer.reply.code == "no_route"


@pytest.mark.parametrize("route", ROUTES)
async def test_each_shape_leaves_once(route: str) -> None:
    """Asked rightly, each removal of each medium arrives under the vendor's path, beside the look; nothing more."""
    heard = Heard()
    async with peer(heard.play) as url:
        cloud = GenesysCloud(options(url, route), HandClock(), Outgoing())
        await cloud.look(CID)
        for medium, user, leg in itertools.product(MEDIA, ("", UID), ("", LEG)):
            await cloud.disconnect(CID, target(medium, user=user, communication=leg), math.inf)
        await cloud.aclose()
    first = {"auto": {GENERIC}, "generic": {GENERIC}, "medium": {*OF_MEDIA}, "on_behalf": {ON_BEHALF}}[route]
    assert {path for method, path, _ in heard.asked if method == "PATCH"} == first | set(LEGS)
    assert set(heard.asked) <= shapes(route)


@pytest.mark.parametrize("place", ["id", "userId", "leg"])
async def test_evil_answers_lead_nowhere(place: str) -> None:
    """Whatever ids a look shows, the removal of somebody named by number has an allowed shape, or does not leave."""
    heard = asked = 0
    for evil in EVIL:
        ids = {"id": PID, "userId": UID, "leg": LEG, place: evil}
        legs = [{"id": ids.pop("leg"), "state": "connected"}]
        person = {**ids, "purpose": "customer", "address": "tel:+14155550123", "calls": legs}
        token = reply(200, {"access_token": "token", "expires_in": 300})
        noting = Noting(token, reply(200, {"id": CID, "participants": [person]}), reply(202))
        cloud = GenesysCloud(options(), HandClock(), Outgoing(), transport=lambda it=noting: it)  # type: ignore[misc] # bound now
        sight = await cloud.look(CID)
        named = m.Removal(CID, m.Selector(m.SelectorKind.PHONE, "+14155550123"))
        found = select(named, sight, None, m.Policy(), 0).target
        assert found is not None
        with suppress(EgressRefused):
            asked += (await cloud.disconnect(CID, found, math.inf)).kind is m.AnswerKind.ACCEPTED
        heard += len(noting.seen) - 2
        assert {(one.method, one.url.raw_path.decode(), await one.aread()) for one in noting.seen} <= shapes("auto")
    # an evil participant cannot be asked for (upper case is read as what it is); evil users and legs are not needed
    assert heard == asked == (1 if place == "id" else len(EVIL))


# ------------------------------------------------------------------------------- whatever would be asked of the guard
PATHS = [path for route in REMOVALS.values() for path in route] + [C, "/oauth/token", "/oauth/token?a", "/", "//", "/x"]
# the calls that drop everyone, calls that others believe in, and what is close to an allowed one
PATHS += [
    f"{CONVERSATIONS}/{medium}/{CID}" for medium in (*MEDIA, "chats", "phone", "voice", "conversations", "videos")
]
PATHS += [f"{C}/disconnect", f"{C}/participants", f"{C}/wrapup", f"{C}/communications/{LEG}", f"{GENERIC}/user/{UID}"]
PATHS += [f"{GENERIC}/communications/{LEG}", f"{GENERIC}/wrapup", f"{GENERIC}/replace", f"{GENERIC}/participants/{PID}"]
PATHS += [f"{CONVERSATIONS}/{medium}/{CID}/participants/{PID}" for medium in ("chats", "videos", "phone", "voice", "x")]
PATHS += [
    f"{CONVERSATIONS}/{medium}/{CID}/participants/{PID}" for medium in ("conferences", "screenshares", "Calls", "CALLS")
]
PATHS += [
    f"{CONVERSATIONS}/{medium}/{CID}/participants/{PID}" for medium in ("socials", "internalmessages", "calls|emails")
]
PATHS += [
    f"{CONVERSATIONS}/chats/{CID}/participants/{PID}/communications/{LEG}",
    f"{CONVERSATIONS}/calls/participants/{PID}",
]
PATHS += [f"{CONVERSATIONS}/{medium}/{CID}/participants/{PID}/user/{UID}" for medium in MEDIA[1:]]
PATHS += [f"{OF_MEDIA[0]}/user/{user}" for user in ("me", "..", "", "x", f"{UID}/", UID.replace("1", "\uff11"))]
PATHS += [f"{ON_BEHALF}/communications/{LEG}", f"{LEGS[0]}/user/{UID}", f"{OF_MEDIA[0]}/communications", f"{LEGS[0]}/x"]
PATHS += [f"/api/v3/conversations/{CID}", f"/x/..{C}", C.replace("/api", "/%61pi"), C.replace("/api", "/API"), f"/{C}"]
PATHS += [
    f"{path}{tail}" for path in (C, GENERIC, *OF_MEDIA[:2], ON_BEHALF, LEGS[0]) for tail in ("/", "?", "?a=b", "#x")
]
PATHS += [
    f"{path}{tail}"
    for path in (C, GENERIC, OF_MEDIA[0], ON_BEHALF, LEGS[0])
    for tail in ("%2f", "%", ";a", "/.", "/..")
]
PATHS += [path.replace(PID, PID.upper()) for path in (GENERIC, OF_MEDIA[0], ON_BEHALF, LEGS[0])]
# these two are read as that very id before the guard sees them: what leaves is a path with a UUID in it
IN_PATHS = [evil for evil in EVIL if evil not in {f"./{PID}", f"{PID}#"}]
EVIL_PATHS = [f"{start}/{evil}" for evil in IN_PATHS for start in (f"{C}/participants", CONVERSATIONS)]
EVIL_PATHS += [f"{OF_MEDIA[0]}/{word}/{evil}" for evil in IN_PATHS for word in ("communications", "user")]
EVIL_PATHS += [f"{CONVERSATIONS}/{evil}/{CID}/participants/{PID}" for evil in IN_PATHS]
BODIES = [b"", BODY, FORM, BODY + b"\n", b" ", b'{"state": "disconnected"}', b'{"state":"connected"}', b"{}", b"null"]
BODIES += [b'{"state":"disconnected","wrapup":{}}', b'{"state":"disconnected","state":"x"}', b"grant_type=password"]
BODIES += [
    b'{"state":"DISCONNECTED"}',
    b'[{"state":"disconnected"}]',
    b'{"state":"terminated"}',
    BODY.decode().encode("utf-16"),
]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "patch ")
ORIGINS = ("http://127.0.0.1:8091", "https://127.0.0.1:8090", "http://localhost:8090", "https://api.evil.example")


async def through(guard: EgressGuard, method: str, url: str, body: bytes) -> bool:
    """Whether the guard, or the library before it, let this out."""
    try:
        await guard.handle_async_request(httpx.Request(method, url, content=body))
    except (EgressRefused, httpx.InvalidURL, UnicodeError, ValueError):
        return False
    return True


@pytest.mark.parametrize("route", ROUTES)
async def test_nothing_but_the_shapes_leaves(route: str) -> None:
    """Of thousands of methods, paths, bodies and hosts the guard lets out exactly the shapes of the route."""
    noting, org = Noting(), options(route=route)
    guard = EgressGuard(noting, (token_rule(origin_in(API)), *conversation_rules(org)), HandClock())
    tried = left = 0
    asked = [(API, method, path, body) for method in METHODS for path in PATHS for body in (BODY, b"", FORM)]
    asked += [(API, method, path, body) for method, path, _ in shapes("auto") for body in BODIES]
    asked += [(API, "PATCH", path, BODY) for path in EVIL_PATHS] if route == "auto" else []
    asked += [(origin, method, path, body) for origin in ORIGINS for method, path, body in shapes("auto")]
    for origin, method, path, body in asked:
        tried += 1
        left += await through(guard, method, origin + path, body)
    seen = {(one.method, one.url.raw_path.decode(), await one.aread()) for one in noting.seen}
    assert seen == shapes(route)
    assert {(one.url.scheme, one.url.host, one.url.port) for one in noting.seen} == {("http", "127.0.0.1", 8090)}
    assert (tried > 2_500, left) == (True, len(noting.seen))


async def test_what_drops_everyone_is_no_shape() -> None:
    """The calls that drop a whole conversation are refused by the guard of every route, with every body."""
    everyone = [("PATCH", f"{CONVERSATIONS}/{medium}/{CID}") for medium in (*MEDIA, "conversations")]
    everyone += [("DELETE", C), ("POST", f"{C}/disconnect"), ("PATCH", C), ("PUT", C), ("PATCH", f"{C}/participants")]
    for route in ROUTES:
        noting = Noting()
        guard = EgressGuard(noting, conversation_rules(options(route=route)), HandClock())
        for (method, path), body in itertools.product(everyone, BODIES):
            assert not await through(guard, method, API + path, body)
        assert noting.seen == []
        assert await through(guard, "PATCH", API + next(iter(REMOVALS[route])), BODY)


def test_the_media_are_the_vendors() -> None:
    """The words in these paths are the ones that the code knows."""
    assert tuple(json.loads(json.dumps(OWN_CALLS))) == MEDIA
