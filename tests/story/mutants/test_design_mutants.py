"""Each safeguard is taken out of the source once, and the README's test command notices."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.findings import FOLDER, write_evidence
from tests.story.mutants.growing import Outcome, grow, mutated
from tests.story.mutants.mutant import Mutant
from tests.story.mutants.table import MUTANTS, markdown

COMMAND = "uv run pytest -m slow tests/story/mutants"
# what the promises ask for by name; there are more
ASKED = {
    "mark before send": "marked before it is sent",
    "token check in settle": "the token check of settle",
    "look before resend": "a look before it is sent again",
    "quiescence": "failed only when quiet (row 18)",
    "atomic accept": "check and write are one step (atomic accept)",
    "confirming look": "disconnected only after a look showed it (the confirming look)",
    "timeout is failure": "a timeout may have acted (it is no failure)",
    "conversation ownership": "a conversation has one owner (mark_sent)",
    "not-after": "nothing is marked past not-after",
    "UUID at the call": "an id is a UUID again at the call",
    "guard body": "the guard's body check",
    "purpose allow-list": "the allow-list of purposes",
    "Retry-After floor": "Retry-After is a floor for calls",
    "strict JSON": "a name twice in one object is refused",
}


TOGETHER = 12  # of one batch: few enough to end long before a test is taken for hanging, on a busy machine too


class Nursery:
    """How the tests of the mutants went; a batch is run when the first of it is asked for."""

    def __init__(self) -> None:
        self._grown: dict[str, Outcome] = {}

    def outcome(self, mutant: Mutant) -> Outcome:
        """Return how the tests of one went."""
        if mutant.safeguard not in self._grown:
            begin = MUTANTS.index(mutant) // TOGETHER * TOGETHER
            batch = MUTANTS[begin : begin + TOGETHER]
            self._grown |= dict(zip((one.safeguard for one in batch), grow(batch), strict=True))
        return self._grown[mutant.safeguard]


@pytest.fixture(scope="module")
def nursery() -> Nursery:
    """Give how the tests of the mutants went; each is run once."""
    return Nursery()


def test_all_that_is_asked_for_is_there() -> None:
    """Every safeguard that the promises name has its mutant, and no two have one name."""
    names = [one.safeguard for one in MUTANTS]
    assert set(ASKED.values()) <= set(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("mutant", [pytest.param(one, id=one.safeguard) for one in MUTANTS])
def test_the_safeguard_is_missed(mutant: Mutant, nursery: Nursery) -> None:
    """Without this safeguard the test that the table names fails, and not for something that cannot even run."""
    outcome = nursery.outcome(mutant)
    assert outcome.is_caught, f"nobody notices that it is missing: {mutant}\n{outcome.said}"


def test_the_house_as_it_stands_passes() -> None:
    """In an untouched copy every test of the table passes: what fails there fails for the mutant alone."""
    (outcome,) = grow([None], sorted({one.caught_by for one in MUTANTS}))
    assert not outcome.failed, outcome.said
    passed = re.search(r"^(\d+) passed", outcome.said, re.MULTILINE)
    assert passed, outcome.said
    assert int(passed[1]) >= len({one.caught_by for one in MUTANTS})


def test_the_table_fits_the_code() -> None:
    """What each mutant takes out stands in the source exactly once."""
    assert all(mutated(one) for one in MUTANTS)


def test_a_table_that_no_longer_fits_is_noticed() -> None:
    """Text that does not stand there, or stands there twice, is no safeguard taken out."""
    for old in ("no such text", "import"):
        with pytest.raises(ValueError, match="times"):
            mutated(Mutant("none", "flow/removal.py", ((old, "pass"),), "tests/flow"))


def test_a_mutant_that_nobody_misses_is_seen() -> None:
    """A change that no test notices, and one that cannot even run, are not taken for caught."""
    named, caught_by = "RENEW_SECONDS = 2.0", "tests/flow/test_workplace.py"
    harmless = Mutant("none", "flow/workplace.py", ((named, f"{named}  # as before"),), caught_by)
    broken = Mutant("none", "flow/workplace.py", ((named, f"{named}\nlost = nothing_of_this_name"),), caught_by)
    pausing, operations = "await store.pause(", "tests/flow/test_operations.py::test_pause_and_resume"
    late = Mutant("none", "flow/operations.py", ((pausing, "await nothing_of_this_name("),), operations)
    assert [one.is_caught for one in grow([harmless, broken, late])] == [False, False, False]


def test_every_test_of_the_table_is_one_of_ours() -> None:
    """The tests that the table names stand in the files it names, and are not slow."""
    root = Path(__file__).parents[3]
    for mutant in MUTANTS:
        file, _, name = mutant.caught_by.partition("::")
        assert f"def {name.partition('[')[0]}(" in (root / file).read_text(), mutant


def test_a_reader_sees_the_table() -> None:
    """The table has a line for each safeguard with the test that objects, printed as well as kept in a file."""
    assert (FOLDER / "safeguards.md").read_text(encoding="utf-8").endswith(f"\n\n{markdown()}\n")
    lines = markdown().splitlines()
    assert len(lines) == len(MUTANTS) + 2
    assert all(one.caught_by in line for one, line in zip(MUTANTS, lines[2:], strict=True))


@pytest.mark.slow
def test_the_table_is_written_down(nursery: Nursery) -> None:
    """A full run leaves the outcome of every mutant."""
    went = [(one, nursery.outcome(one)) for one in MUTANTS]
    missed = [one.safeguard for one, outcome in went if not outcome.is_caught]
    rows = [
        {
            "safeguard": one.safeguard,
            "file": f"service/{one.file}",
            "caught_by": one.caught_by,
            "caught": outcome.is_caught,
            "failed": len(outcome.failed),
        }
        for one, outcome in went
    ]
    counters = {"mutants": len(MUTANTS), "caught": len(MUTANTS) - len(missed)}
    findings = [f"nobody notices that it is missing: {one}" for one in missed]
    write_evidence("design_mutants", command=COMMAND, counters=counters, findings=findings, mutants=rows)
    assert not missed


def test_the_nursery_knows_nothing_of_ours() -> None:
    """What runs the mutants imports nothing of ours before it forks: else all would test the house as it stands."""
    text = Path(__file__).with_name("nursery.py").read_text()
    assert not re.search(r"^\s*(?:from|import) (?:service|tests)\b", text, re.MULTILINE)
