"""Who is there, who left, and which sends count as ours."""

import pytest

from service.core.errors import Reply
from service.core.model.asking import Medium
from service.core.model.seeing import Answer, AnswerKind, Conversation, Leg, Participant, Send

OPEN, ENDED = Leg("1", Medium.VOICE, "connected", is_ended=False), Leg("2", Medium.CHAT, "terminated", is_ended=True)


@pytest.mark.parametrize(
    "legs, has_ended, present, gone",
    [
        ((OPEN,), False, True, False),
        ((ENDED, OPEN), False, True, False),
        ((ENDED,), False, False, True),
        ((ENDED, ENDED), False, False, True),
        ((), False, False, False),
        ((), True, False, True),
        ((OPEN,), True, False, True),
        ((ENDED,), True, False, True),
    ],
)
def test_present_gone_or_neither(legs: tuple[Leg, ...], has_ended: bool, present: bool, gone: bool) -> None:
    """Present: a leg not ended. Gone: all legs ended, or the end time is set. Without legs yet: neither."""
    person = Participant("1", "customer", legs, has_ended=has_ended)
    assert (person.is_present, person.is_gone) == (present, gone)


@pytest.mark.parametrize(
    "kind, ours",
    [
        (None, True),
        (AnswerKind.ACCEPTED, True),
        (AnswerKind.UNCLEAR, True),
        (AnswerKind.REFUSED_FOR_NOW, False),
        (AnswerKind.REFUSED_FOR_GOOD, False),
    ],
)
def test_ours(kind: AnswerKind | None, ours: bool) -> None:
    """What was accepted, is unclear or was never answered may have taken effect; a refusal did not."""
    answer = None if kind is None else Answer(kind, Reply(), 1)
    assert Send(1, 0, 2_000, answer).is_ours is ours


def test_a_sight_of_a_conversation_is_a_success() -> None:
    """A conversation that could be read was answered with 200 unless said otherwise."""
    assert Conversation("1", ()).reply == Reply(200)
