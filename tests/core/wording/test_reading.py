"""What a reader made of the notes: of those that are written today, and right each time."""

from tests.core.wording.reading import CASES, kept, notes


def test_the_notes_are_of_different_ends() -> None:
    """Twelve ends and more are read, no two of the same kind and reason but where other things are beside them."""
    assert len(CASES) >= 12
    assert len(set(notes())) == len(CASES)
    assert len({(case.outcome.kind, case.outcome.reason) for case in CASES}) >= 12


def test_a_reader_understood_the_notes_of_today() -> None:
    """Who was given only the notes said rightly, of at least twelve, what happened, who is there and what to do."""
    evidence = kept()
    assert evidence is not None, "nobody has read the notes yet"
    assert [one["note"] for one in evidence["read"]] == notes(), "the words have changed: let somebody read them again"
    assert evidence["findings"] == []
    assert sum(one["is_right"] is True for one in evidence["read"]) >= 12
