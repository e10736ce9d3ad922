"""Signatures and the guard, with each comparison, constant, return and call changed in turn: their tests miss each."""

from __future__ import annotations

import ast
import re

import pytest

from tests.findings import write_evidence
from tests.story.mutants.by_syntax import mutants_of
from tests.story.mutants.growing import ROOT, grow, mutated

ROOMS = {
    "signing": (
        "sources/signing.py",
        (),
        (
            "tests/sources/test_signing.py",
            "tests/story/test_signature_timing.py",
            "tests/story/test_forged_signatures.py",
        ),
    ),
    "guard": (
        "outbound.py",
        ("Origin", "origin_in", "_is_loopback", "Rule", "EgressGuard"),
        ("tests/test_outbound.py", "tests/test_outbound_calls.py"),
    ),
}
# survivors that are the same program: what each changes, and why nobody can see it
SAME = {
    "signing.py: b'' -> b'x'": "where a header is missing it is refused, whatever was compared in its place",
    "outbound.py: return False -> return None": "nothing is as false as False to who asks; mypy refuses it",
}
TOGETHER = 24  # copies at a time


def test_mutants_are_programs() -> None:
    """Each mutant is Python that differs in one place, and there are enough of them of every kind."""
    for file, names, _ in ROOMS.values():
        mutants = mutants_of(file, names)
        assert len(mutants) > 60
        assert len({mutated(one) for one in mutants}) == len(mutants)
        before = ast.unparse(ast.parse((ROOT / "service" / file).read_text()))
        assert all(ast.unparse(ast.parse(mutated(one))) != before for one in mutants)


@pytest.mark.slow
@pytest.mark.parametrize("room", list(ROOMS))
def test_every_mutant_is_missed(room: str) -> None:
    """Of the mutants of signing and guard none passes their tests, but those that are the same program."""
    file, names, tests = ROOMS[room]
    mutants, survivors = mutants_of(file, names), list[str]()
    for begin in range(0, len(mutants), TOGETHER):
        part = mutants[begin : begin + TOGETHER]
        for mutant, outcome in zip(part, grow(part, ("-x", *tests)), strict=True):
            if re.search(r"^\d+ passed(?!.*(?:failed|error))", outcome.said, re.MULTILINE):
                survivors.append(mutant.safeguard)
    told = [re.sub(r":\d+ ", ": ", one) for one in survivors]
    write_evidence(
        f"mutation_{room}",
        command="uv run pytest -m slow tests/story/mutants/test_by_syntax.py",
        counters={"mutants": len(mutants), "killed": len(mutants) - len(survivors)},
        findings=[one for one in told if one not in SAME],
        same={one: SAME[one] for one in told if one in SAME},
    )
    assert [one for one in told if one not in SAME] == []
