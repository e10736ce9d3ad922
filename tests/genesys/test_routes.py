"""Routes: which call removes whom, in which order they are tried, and what a refusal teaches."""

import itertools

import pytest

from service.core import model as m
from service.core.errors import EgressRefused
from service.genesys import GenesysOptions
from service.genesys.routes import NO_ROUTE, NOT_A_USER, OWN_CALLS, Routes, Way, conversation_rules
from tests.genesys.peers import CID, PID

BEHALF, HIMSELF, LEG = (f"{n}{CID[1:]}" for n in "123")
C = "/api/v2/conversations"
FOR_NOW, FOR_GOOD = m.AnswerKind.REFUSED_FOR_NOW, m.AnswerKind.REFUSED_FOR_GOOD
REFUSED = m.Answer(FOR_GOOD, m.Reply(400, NOT_A_USER), 7)
ACCEPTED = m.Answer(m.AnswerKind.ACCEPTED, m.Reply(202), 7)
OTHERS = tuple(medium for medium in m.Medium if medium not in OWN_CALLS)


def routes(route: str = "auto", on_behalf_of: str = "") -> Routes:
    """The routes of an org with these settings."""
    return Routes(options(route, on_behalf_of))


def options(route: str = "auto", on_behalf_of: str = "") -> GenesysOptions:
    """An org's options."""
    keys = {"region": "eu_west_1", "client_id": "id", "client_secret": "secret"}
    return GenesysOptions.model_validate({**keys, "route": route, "on_behalf_of": on_behalf_of})


def target(medium: m.Medium | None = m.Medium.VOICE, user_id: str = "", communication_id: str = "") -> m.Target:
    """Somebody to be removed."""
    return m.Target(PID, (LEG,), "customer", medium, user_id, communication_id)


def names(ways: tuple[Way, ...]) -> list[str]:
    """What the timeline calls these ways."""
    return [way.name for way in ways]


@pytest.mark.parametrize(
    "route, on_behalf_of, whom, ways",
    [
        ("auto", "", target(), ["generic", "medium calls"]),
        ("auto", BEHALF, target(), ["generic", "medium calls", "on_behalf"]),
        ("auto", "", target(user_id=HIMSELF), ["generic", "medium calls"]),
        ("auto", BEHALF, target(m.Medium.EMAIL, HIMSELF), ["generic", "medium emails"]),
        ("auto", BEHALF, target(m.Medium.CHAT), ["generic"]),
        ("auto", BEHALF, target(None), ["generic"]),
        ("generic", BEHALF, target(), ["generic"]),
        ("generic", "", target(m.Medium.VIDEO), ["generic"]),
        ("medium", BEHALF, target(), ["medium calls"]),
        ("medium", "", target(m.Medium.CHAT), []),
        ("medium", "", target(None), []),
        ("on_behalf", "", target(user_id=HIMSELF), ["on_behalf"]),
        ("on_behalf", BEHALF, target(), ["on_behalf"]),
        ("on_behalf", "", target(), []),
        ("on_behalf", BEHALF, target(m.Medium.MESSAGE), []),
        ("on_behalf", BEHALF, target(None), []),
        *((route, BEHALF, target(communication_id=LEG), ["leg calls"]) for route in ("auto", "generic", "on_behalf")),
        *(("auto", BEHALF, target(medium, HIMSELF, LEG), []) for medium in (*OTHERS, None)),
    ],
)
def test_the_ways_that_are_configured_and_possible(
    route: str, on_behalf_of: str, whom: m.Target, ways: list[str]
) -> None:
    """The setting, the medium and the user say which calls there are for whom; for one leg there is its own or none."""
    assert names(routes(route, on_behalf_of).ways(CID, whom)) == ways


@pytest.mark.parametrize("medium", OWN_CALLS)
def test_the_ways_of_a_medium(medium: m.Medium) -> None:
    """Each medium with calls of its own has them under its word, for the participant and for one leg."""
    org = routes()
    assert org.ways(CID, target(medium))[1] == Way(f"medium {medium}", f"{C}/{medium}/{CID}/participants/{PID}")
    (leg,) = org.ways(CID, target(medium, communication_id=LEG))
    assert leg == Way(f"leg {medium}", f"{C}/{medium}/{CID}/participants/{PID}/communications/{LEG}")


def test_the_media_with_calls_of_their_own() -> None:
    """They are the vendor's five; for no other medium there is a PATCH."""
    assert [medium.value for medium in OWN_CALLS] == ["calls", "callbacks", "emails", "messages", "cobrowsesessions"]


def test_where_the_ways_lead() -> None:
    """Each path is the vendor's; a user among those to be removed is asked for himself, else for the one configured."""
    generic, medium, other = routes("auto", BEHALF).ways(CID, target())
    assert generic.path == f"{C}/{CID}/participants/{PID}"
    assert medium.path == f"{C}/calls/{CID}/participants/{PID}"
    assert other.path == f"{C}/calls/{CID}/participants/{PID}/user/{BEHALF}"
    assert routes("on_behalf", BEHALF).ways(CID, target(user_id=HIMSELF))[0].path.endswith(f"/user/{HIMSELF}")


@pytest.mark.parametrize("route", ["auto", "generic", "medium", "on_behalf"])
@pytest.mark.parametrize("on_behalf_of", ["", BEHALF])
def test_each_way_is_one_that_the_guard_knows(route: str, on_behalf_of: str) -> None:
    """Whatever way is found, one rule of the org has its shape, and no rule is there that no way needs."""
    org, rules = routes(route, on_behalf_of), conversation_rules(options(route, on_behalf_of))
    hit = {
        tuple(number for number, rule in enumerate(rules) if rule.path.fullmatch(way.path.encode()))
        for medium, user, leg in itertools.product((*m.Medium, None), ("", HIMSELF), ("", LEG))
        for way in org.ways(CID, target(medium, user, leg))
    }
    assert hit == {(number,) for number in range(1, len(rules))}


@pytest.mark.parametrize("field", ["conversation", "participant", "user", "communication"])
def test_an_id_that_is_none_has_no_way(field: str) -> None:
    """An id that is no lower-case UUID is refused, even where no call would carry it."""
    ids = {"conversation": CID, "participant": PID, "user": HIMSELF, "communication": LEG, field: "../.."}
    for medium in (m.Medium.VOICE, m.Medium.CHAT):
        whom = m.Target(ids["participant"], (), "", medium, ids["user"], ids["communication"])
        with pytest.raises(EgressRefused):
            routes().ways(ids["conversation"], whom)


def test_not_a_user_leads_to_the_next_way() -> None:
    """Refused for want of a user, a removal may be repeated by the next way while there is one; then it is over."""
    org = routes("auto", BEHALF)
    for name, kind in (("generic", FOR_NOW), ("medium calls", FOR_NOW), ("on_behalf", FOR_GOOD)):
        ways = org.ways(CID, target())
        answer = org.learned(ways, REFUSED)
        assert (ways[0].name, answer.route, answer.kind) == (name, name, kind)
        assert (answer.reply, answer.answered_at) == (REFUSED.reply, 7)


def test_what_is_learned_is_kept_for_the_org() -> None:
    """The next removal begins with the way that was left, in each medium by itself; another org learns for itself."""
    org, other = routes(), routes()
    org.learned(org.ways(CID, target()), REFUSED)
    assert names(org.ways(CID, target())) == ["medium calls", "generic"]
    assert names(org.ways(CID, target(m.Medium.EMAIL))) == ["medium emails", "generic"]
    org.learned(org.ways(CID, target()), REFUSED)
    assert names(org.ways(CID, target(m.Medium.EMAIL))) == ["medium emails", "generic"]
    assert names(other.ways(CID, target())) == ["generic", "medium calls"]


def test_where_all_were_refused_the_first_is_asked_again() -> None:
    """With no way left each removal is asked once and refused for good; if that is taken again, it is the way again."""
    org = routes()
    for _ in range(2):
        org.learned(org.ways(CID, target()), REFUSED)
    ways = org.ways(CID, target())
    assert (names(ways)[0], org.learned(ways, REFUSED).kind) == ("generic", FOR_GOOD)
    assert names(org.ways(CID, target(m.Medium.EMAIL)))[0] == "medium emails"
    assert org.learned(org.ways(CID, target()), ACCEPTED) == m.Answer(m.AnswerKind.ACCEPTED, m.Reply(202), 7, "generic")
    assert names(org.ways(CID, target(m.Medium.EMAIL)))[0] == "generic"
    assert org.learned(org.ways(CID, target()), REFUSED).kind is FOR_GOOD
    assert org.learned(org.ways(CID, target(m.Medium.EMAIL))[:1], ACCEPTED).route == "medium emails"


def test_only_the_want_of_a_user_teaches() -> None:
    """Any other refusal, and an answer that never came, say nothing of the way: they stay what they are."""
    org = routes()
    for kind, reply in (
        (FOR_GOOD, m.Reply(403, "missing.permissions")),
        (FOR_NOW, m.Reply(409, "general.conflict")),
        (m.AnswerKind.UNCLEAR, m.Reply(code="timeout")),
    ):
        answer = m.Answer(kind, reply, 7)
        assert org.learned(org.ways(CID, target()), answer) == m.Answer(kind, reply, 7, "generic")
    assert names(org.ways(CID, target())) == ["generic", "medium calls"]


def test_one_leg_has_no_other_way() -> None:
    """Refused for want of a user, the removal of one leg is over: every other call would take more than the leg."""
    org = routes("auto", BEHALF)
    whom = target(communication_id=LEG)
    assert org.learned(org.ways(CID, whom), REFUSED).kind is FOR_GOOD
    assert names(org.ways(CID, whom)) == ["leg calls"]


@pytest.mark.parametrize(
    "route, whom, words",
    [
        ("auto", target(m.Medium.CHAT, communication_id=LEG), "one leg of chats"),
        ("medium", target(m.Medium.CHAT, communication_id=LEG), "one leg of chats"),
        ("auto", target(None, communication_id=LEG), "one leg of a medium that is not known"),
        ("medium", target(m.Medium.VIDEO), "for videos: the setting route"),
        ("on_behalf", target(), "set on_behalf_of"),
        ("on_behalf", target(m.Medium.EMAIL), "not for emails"),
    ],
)
def test_why_there_is_no_way_is_said(route: str, whom: m.Target, words: str) -> None:
    """Where no call removes somebody, the operator is told why and what to set; the code is one of ours."""
    org = routes(route)
    assert org.ways(CID, whom) == ()
    reply = org.refusal(whom)
    assert (reply.status, reply.code) == (None, NO_ROUTE)
    assert words in reply.message
