"""The English sentences: each way to end has its own, each sentence is used, and a tired reader knows what to do."""

import re

import pytest

from service.core import model as m
from service.core.wording.english import ALSO, OPERATOR, PEOPLE, RECEIPT, SENTENCES, TICKET
from tests.core.wording.endings import ALL, ANSWERED

K = m.OutcomeKind
NEXT = re.compile(
    r"by hand|lick again|Ask a colleague|nothing more to do|Show|real click|Nothing was done|\{Who\} was removed"
)


def test_every_sentence_is_used_and_every_ending_has_one() -> None:
    """The words know each kind, each ending, and no reason or answer that nothing can give."""
    assert {key for key in TICKET if "." not in key} == set(K)
    reasons = {f"{kind.value}.{reason}" for kind, reason in ALL}
    answers = {f"{kind.value}.{reason}.{name}" for kind, reason, name in ANSWERED}
    for key in TICKET:
        assert key in K._value2member_map_ or key in reasons or key in answers, key
    for key in OPERATOR:
        if key.startswith("operator."):
            assert key.removeprefix("operator.") in {*K, *reasons, *answers}, key


def test_every_ticket_sentence_has_an_operators_beside_it() -> None:
    """Whatever is told to a ticket by kind and reason, an operator is told more of."""
    for key in TICKET:
        assert key.count(".") == 2 or f"operator.{key}" in OPERATOR, key


@pytest.mark.parametrize("key", TICKET)
def test_a_ticket_hears_what_to_do_and_no_code(key: str) -> None:
    """Each sentence for a ticket ends whole, says what to do next, and holds no status, code or permission."""
    said = TICKET[key]
    assert said.endswith((".", "{allowed_by}”.", "{who}."))
    assert NEXT.search(said), said
    bare = re.sub(r"\{\w+\}", "", said)
    assert not re.search(r"\d{3}|\w_\w|\w\.\w|\w:\w", bare), said
    assert len(said) <= 300


@pytest.mark.parametrize("key", [key for key in TICKET if key.startswith(("not_found", "refused", "expired", "prev"))])
def test_where_nobody_was_removed_it_says_so_first(key: str) -> None:
    """A ticket's reader learns from the first three words that nobody was removed."""
    assert TICKET[key].startswith("Nobody was removed")


@pytest.mark.parametrize("key", [key for key in TICKET if key.startswith("unknown")])
def test_what_is_not_known_is_not_claimed(key: str) -> None:
    """An unknown end says that it is unknown, and to look before anything else."""
    assert TICKET[key].startswith("It is not known")
    assert re.search(r"Look .*in Genesys Cloud yourself", TICKET[key])


def test_nothing_is_said_to_be_sent_that_was_not() -> None:
    """A pinned person lost to a merge may be lost before any send: the sentence claims none."""
    assert "sent" not in TICKET["unknown.participant_lost"]
    assert "several times" not in "".join(TICKET.values())


def test_no_key_stands_twice() -> None:
    """The groups of sentences do not hide each other's."""
    assert len(SENTENCES) == sum(map(len, (TICKET, ALSO, RECEIPT, PEOPLE, OPERATOR)))


def test_people_have_three_forms() -> None:
    """Each role is written with its article, for one and for several."""
    for key, forms in PEOPLE.items():
        assert len(forms.split("|")) == 3, key
        assert forms.startswith("the "), key
