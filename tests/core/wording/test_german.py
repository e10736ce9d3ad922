"""The German sentences: all there, with the same holes, and nobody is addressed."""

import re

import pytest

from service.core.wording import english, german

HOLE = re.compile(r"\{\w+\}")
GROUPS = ["TICKET", "ALSO", "RECEIPT", "PEOPLE", "OPERATOR"]


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_is_left_in_english(group: str) -> None:
    """Each English sentence has a German one, in its own group, and none has no English one."""
    assert getattr(german, group).keys() == getattr(english, group).keys()


@pytest.mark.parametrize("key", english.SENTENCES)
def test_the_same_holes(key: str) -> None:
    """A translation says what the English sentence says: the same placeholders, none more."""
    holes = [{hole.lower() for hole in HOLE.findall(said[key])} for said in (english.SENTENCES, german.SENTENCES)]
    assert holes[0] == holes[1]


@pytest.mark.parametrize("key", german.SENTENCES)
def test_nobody_is_addressed(key: str) -> None:
    """The style is impersonal: no “Sie”, “Ihr” or “du”; and no straight quotes where a reader sees them."""
    said = german.SENTENCES[key]
    assert not re.search(r"\b(Ihnen|Ihre?[mnrs]?|[Dd]u|[Dd]ein\w*|klicken Sie|Sie)\b", said)
    assert key == "operator.previewed.shadow" or '"' not in said


@pytest.mark.parametrize("key", german.TICKET)
def test_a_ticket_hears_what_to_do_and_no_code(key: str) -> None:
    """Each German sentence for a ticket ends whole, says what to do next, and holds no status or code."""
    said = german.TICKET[key]
    assert said.endswith(".")
    assert re.search(r"von Hand|erneut klicken|jemanden fragen|nichts zu tun|bestätigt|echter Klick", said), said
    assert not re.search(r"\d{3}|\w_\w|\w\.\w|\w:\w", HOLE.sub("", said)), said
    assert len(said) <= 320
