"""What answers teach about the budget, what odd headers do not, and that a Retry-After holds a whole process."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest

from service.core import model as m
from service.core.errors import Throttled
from service.genesys import GenesysCloud, GenesysOptions
from service.genesys.limits import Limits
from service.outbound import Answered, Outgoing
from tests.genesys.peers import CID, PID, HandClock, Noting, reply

TOKEN = {"access_token": "a-token", "token_type": "bearer", "expires_in": 86_400}
ANYBODY = m.Target(PID, ("leg",), "customer")


def answered(status: int = 200, **headers: str) -> Answered:
    """Return an answer with these headers."""
    return Answered(status, tuple((name.replace("_", "-"), value) for name, value in headers.items()))


def limited(allowed: str, count: str, reset: str) -> Answered:
    """Return an answer that says this of the budget."""
    named = {"inin_ratelimit_allowed": allowed, "inin_ratelimit_count": count, "inin_ratelimit_reset": reset}
    return answered(200, **named)


def client(*answers: httpx.Response) -> tuple[GenesysCloud, Noting, HandClock]:
    """Return a client that has its token and gets these answers, what was asked, and its clock."""
    noting, clock = Noting(reply(200, TOKEN), *answers), HandClock()
    given = {"api_url": "http://127.0.0.1:1", "login_url": "http://127.0.0.1:1"}
    options = GenesysOptions.model_validate(given | {"client_id": "us", "client_secret": "a-secret"})
    return GenesysCloud(options, clock, Outgoing(), transport=lambda: noting), noting, clock


def test_what_is_told() -> None:
    """What the last answer said is told once, with the seconds that are left by then."""
    clock = HandClock()
    limits = Limits(clock)
    assert limits.told() is None
    limits.heed(limited("300", "17", "42"))
    clock.at += 2
    limits.heed(limited("300", "18", "40"))
    clock.at += 5
    assert limits.told() == (300, 18, 35)
    assert limits.told() is None


def test_what_is_over_is_not_told() -> None:
    """What is told of a window is told until it is over, and nothing of it from then on."""
    clock = HandClock()
    limits = Limits(clock)
    limits.heed(limited("300", "300", "60"))
    clock.at += 59.5
    assert limits.told() == (300, 300, 0.5)
    limits.heed(limited("300", "300", "60"))
    clock.at += 60
    assert limits.told() is None


def test_an_answer_that_comes_late() -> None:
    """The answer to a call of the last window takes nothing from what is known of this one; a new one always counts."""
    clock = HandClock()
    limits = Limits(clock)
    limits.heed(limited("300", "1", "60"))
    limits.heed(limited("300", "299", "1"))
    assert limits.told() == (300, 1, 60)
    limits.heed(limited("300", "2", "60"))
    clock.at += 61
    limits.heed(limited("300", "1", "30"))
    assert limits.told() == (300, 1, 30)


ODD = ["", " 300", "300 ", "+300", "-1", "3e2", "0x10", "300.0", "\uff13\uff10\uff10", "9" * 10, "NaN", "300,300", "³"]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("place", range(3))
def test_odd_headers_teach_nothing(odd: str, place: int) -> None:
    """What is no plain number in any of the three teaches nothing, and what was known before stays."""
    limits = Limits(HandClock())
    limits.heed(limited("100", "1", "60"))
    words = ["300", "2", "50"]
    words[place] = odd
    limits.heed(limited(*words))
    assert limits.told() == (100, 1, 60)


@pytest.mark.parametrize("missing", ["allowed", "count", "reset"])
def test_headers_that_are_not_there(missing: str) -> None:
    """Two of the three are as good as none."""
    limits = Limits(HandClock())
    names = {f"inin_ratelimit_{name}": "7" for name in ("allowed", "count", "reset") if name != missing}
    limits.heed(answered(200, **names))
    assert limits.told() is None


def test_a_429_holds() -> None:
    """Until the Retry-After is over nothing is let through; of two the later one holds."""
    clock = HandClock()
    limits = Limits(clock)
    limits.hold()
    for seconds in ("7", "3"):
        limits.heed(answered(429, retry_after=seconds))
    clock.at += 6
    with pytest.raises(Throttled) as caught:
        limits.hold()
    assert (caught.value.retry_after_seconds, caught.value.reply.status) == (1, 429)
    clock.at += 1
    limits.hold()


@pytest.mark.parametrize("call", ["look", "disconnect"])
@pytest.mark.parametrize("headers", [{"Retry-After": "7"}, {}])
async def test_nothing_leaves_before_retry_after(call: str, headers: Mapping[str, str]) -> None:
    """A call that was granted before another one was throttled does not leave either, and says how long to wait."""
    cloud, noting, clock = client(reply(429, headers=headers))
    await cloud.look(CID)
    clock.at += 2.5
    left = 0.0
    for _ in range(2):
        if call == "look":
            sight = await cloud.look(CID)
            assert isinstance(sight, m.CannotSee)
            left = sight.retry_after_seconds
        else:
            with pytest.raises(Throttled) as caught:
                await cloud.disconnect(CID, ANYBODY, 1e9)
            left = caught.value.retry_after_seconds
        assert left == (4.5 if headers else 0.5)
    assert [one.method for one in noting.seen] == ["POST", "GET"]
    clock.at += left
    await cloud.look(CID)
    assert [one.method for one in noting.seen] == ["POST", "GET", "GET"]


async def test_the_logins_retry_after() -> None:
    """The login's 429 is a floor too: it is not asked again, and neither is anything else, before the time is over."""
    cloud, noting, clock = client()
    noting.answers = iter([reply(429, headers={"Retry-After": "9"}), reply(200, TOKEN)])
    for _ in range(3):
        sight = await cloud.look(CID)
        assert isinstance(sight, m.CannotSee)
        assert sight.retry_after_seconds == 9
    assert [one.method for one in noting.seen] == ["POST"]
    clock.at += 9
    await cloud.look(CID)
    assert [one.method for one in noting.seen] == ["POST", "POST", "GET"]


async def test_the_repeat_after_a_401_is_held_too() -> None:
    """A call that is repeated under a new token does not leave either when another was throttled meanwhile."""
    cloud, noting, _ = client(reply(401))
    noting.answers = iter([reply(200, TOKEN), reply(401), reply(429, headers={"Retry-After": "9"})])
    sight = await cloud.look(CID)
    assert isinstance(sight, m.CannotSee)
    assert [one.method for one in noting.seen] == ["POST", "GET", "POST"]


async def test_the_client_tells() -> None:
    """What the answers to looks and removals say of the budget is told by the client."""
    said = {"inin-ratelimit-allowed": "300", "inin-ratelimit-count": "3", "inin-ratelimit-reset": "31"}
    cloud, _, clock = client(reply(200, {}, said), reply(202, b"", said | {"inin-ratelimit-count": "4"}))
    await cloud.look(CID)
    assert cloud.told() == (300, 3, 31)
    await cloud.disconnect(CID, ANYBODY, 1e9)
    clock.at += 1
    assert cloud.told() == (300, 4, 30)
    assert cloud.told() is None
