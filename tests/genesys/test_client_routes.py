"""By which call a removal is asked: one call a send, the next route with the next send, one leg by its own alone."""

import math

import httpx
import pytest

from service.core import model as m
from service.core.errors import EgressRefused
from service.genesys import GenesysCloud, GenesysOptions
from service.genesys.routes import OWN_CALLS
from service.outbound import Outgoing
from tests.genesys.peers import CID, PID, HandClock, Noting, reply

LATER = math.inf  # a deadline that no test reaches
NOW, GOOD = m.AnswerKind.REFUSED_FOR_NOW, m.AnswerKind.REFUSED_FOR_GOOD
ACCEPTED, UNCLEAR = m.AnswerKind.ACCEPTED, m.AnswerKind.UNCLEAR
API = "http://127.0.0.1:8090"
BODY = b'{"state":"disconnected"}'
TOKEN = reply(200, {"access_token": "token", "expires_in": 300})
NOT_A_USER = {"code": "not.a.user", "message": "This request requires a user context."}
USER, LEG = f"1{CID[1:]}", f"2{CID[1:]}"
HIM = m.Target(PID, (LEG,), "customer", m.Medium.VOICE)


def on(
    answers: tuple[httpx.Response | Exception, ...], clock: HandClock | None = None, **said: str
) -> tuple[GenesysCloud, Noting]:
    """A client whose requests get these answers, the token's first; `said` are options of its org."""
    noting = Noting(*answers)
    keys = {"api_url": API, "login_url": API, "client_id": "id", "client_secret": "secret", **said}
    options = GenesysOptions.model_validate(keys)
    return GenesysCloud(options, clock or HandClock(), Outgoing(), transport=lambda: noting), noting


async def asked(noting: Noting) -> list[tuple[str, bytes]]:
    """The paths and bodies of the removals that left, in order, without what all have in common."""
    start = "/api/v2/conversations/"
    return [(one.url.path.removeprefix(start), await one.aread()) for one in noting.seen if one.method == "PATCH"]


async def test_not_a_user_leads_to_the_next_route() -> None:
    """A send is one call; refused for want of a user it may be sent again, and then takes the next route."""
    refusals = [reply(400, NOT_A_USER) for _ in range(2)]
    cloud, noting = on((TOKEN, *refusals, reply(202), reply(202)), on_behalf_of=USER)
    answers = [await cloud.disconnect(CID, HIM, LATER) for _ in range(4)]
    assert [(one.kind, one.route) for one in answers] == [
        (NOW, "generic"),
        (NOW, "medium calls"),
        (ACCEPTED, "on_behalf"),
        (ACCEPTED, "on_behalf"),  # remembered
    ]
    assert answers[0].reply.code == "not.a.user"
    him = f"{CID}/participants/{PID}"
    behalf = f"calls/{him}/user/{USER}"
    assert await asked(noting) == [(path, BODY) for path in (him, f"calls/{him}", behalf, behalf)]


async def test_no_route_left() -> None:
    """Where every route wants a user, the last refusal is for good, with Genesys' own code and sentence."""
    cloud, noting = on((TOKEN, *(reply(400, NOT_A_USER) for _ in range(3))))
    kinds = [(await cloud.disconnect(CID, HIM, LATER)).kind for _ in range(3)]
    assert kinds == [NOW, GOOD, GOOD]
    assert len(await asked(noting)) == 3
    only, _ = on((TOKEN, reply(400, NOT_A_USER)), route="generic")
    answer = await only.disconnect(CID, HIM, LATER)
    assert (answer.kind, answer.reply) == (GOOD, m.Reply(400, "not.a.user", "This request requires a user context."))


async def test_the_next_route_has_its_deadline_too() -> None:
    """After a refused route nothing leaves past the deadline of the send that would take the next."""
    clock = HandClock()
    cloud, noting = on((TOKEN, reply(400, NOT_A_USER), reply(202)), clock)
    assert (await cloud.disconnect(CID, HIM, clock.at + 2)).kind is NOW
    with pytest.raises(EgressRefused):
        await cloud.disconnect(CID, HIM, clock.at)
    assert len(await asked(noting)) == 1


@pytest.mark.parametrize("medium", ["calls", "callbacks", "emails", "messages", "cobrowsesessions"])
async def test_one_leg(medium: str) -> None:
    """One leg is removed by its own call, answered 200 and an empty object; the participant as a whole is not."""
    cloud, noting = on((TOKEN, reply(200, {}), reply(400, NOT_A_USER)))
    leg = m.Target(PID, (LEG,), "customer", m.Medium(medium), USER, LEG)
    answer = await cloud.disconnect(CID, leg, LATER)
    assert (answer.kind, answer.route, answer.reply.status) == (ACCEPTED, f"leg {medium}", 200)
    assert (await cloud.disconnect(CID, leg, LATER)).kind is GOOD
    assert await asked(noting) == [(f"{medium}/{CID}/participants/{PID}/communications/{LEG}", BODY)] * 2


@pytest.mark.parametrize("medium", [*(it for it in m.Medium if it not in OWN_CALLS), None])
async def test_one_leg_that_has_no_call(medium: m.Medium | None) -> None:
    """Where Genesys has no call for one leg, the removal is refused in words before anything is asked, a token too."""
    cloud, noting = on(())
    answer = await cloud.disconnect(CID, m.Target(PID, (LEG,), "customer", medium, USER, LEG), LATER)
    assert (answer.kind, answer.reply.status, answer.reply.code, answer.route) == (GOOD, None, "no_route", "")
    assert "name the whole participant" in answer.reply.message
    assert noting.seen == []


async def test_every_answer_names_its_route() -> None:
    """Refused, unclear or accepted, an answer says by which route it was asked; one that never left names none."""
    cloud, _ = on((TOKEN, reply(409), httpx.ReadTimeout("x"), reply(500), reply(202)), route="medium")
    answers = [await cloud.disconnect(CID, HIM, LATER) for _ in range(4)]
    assert [(one.kind, one.route) for one in answers] == [
        (kind, "medium calls") for kind in (NOW, UNCLEAR, UNCLEAR, ACCEPTED)
    ]
    shut, _ = on((reply(400, {"error": "invalid_client"}),))
    assert (await shut.disconnect(CID, HIM, LATER)).route == ""


@pytest.mark.parametrize("state, is_gone", [("disconnected", True), ("terminated", True), ("connected", False)])
async def test_a_session_that_was_over(state: str, is_gone: bool) -> None:
    """A 202 whose leg then shows that its session was inactive: the look decides by the leg's state alone."""
    leg = {"id": LEG, "state": state, "errorInfo": {"code": "error.ininedgecontrol.session.inactive", "status": 400}}
    shown = {"id": CID, "participants": [{"id": PID, "purpose": "customer", "calls": [leg]}]}
    cloud, _ = on((TOKEN, reply(202), reply(200, shown)))
    assert (await cloud.disconnect(CID, HIM, LATER)).kind is ACCEPTED
    sight = await cloud.look(CID)
    assert isinstance(sight, m.Conversation)
    assert [(one.is_gone, one.is_present) for one in sight.participants] == [(is_gone, not is_gone)]
