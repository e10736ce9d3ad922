"""Core, flow, store, genesys, signing, guard with a comparison, a constant, a return or a call changed: who notices."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.findings import write_evidence
from tests.story.mutants.by_syntax import Place, mutants_of, places_in
from tests.story.mutants.growing import ROOT, mutated
from tests.story.mutants.mutant import Mutant
from tests.story.mutants.sampling import End, Room, sample, tried
from tests.story.mutants.survivors import ARGUED

COMMAND = "CI=true uv run pytest -m slow -n 0 tests/story/mutants/test_by_syntax.py"
SEED, SIZE = 1, 200
IN_FULL = {
    "signing": Room(
        ("sources/signing.py",),
        (),
        (
            "tests/sources/test_signing.py",
            "tests/sources/test_signing_layouts.py",
            "tests/sources/test_schemes.py",
            "tests/story/test_signature_timing.py",
            "tests/story/test_forged_signatures.py",
        ),
    ),
    "guard": Room(
        ("outbound.py",),
        ("Origin", "origin_in", "_is_loopback", "Rule", "EgressGuard"),
        ("tests/test_outbound.py", "tests/test_outbound_calls.py"),
    ),
}
SAMPLED = {room: Room((room,), (), (f"tests/{room}",), SIZE) for room in ("core", "flow", "store", "genesys")}
ROOMS = IN_FULL | SAMPLED
LEAST_SHARE = 0.85
MODULE = '''"""Why it is here, 1 == 1."""
__all__ = ["one"]
Kind = Literal["a", "b"]
ONE: Literal["c"] = "c"


@decorated("d")
def one(a: "int", b=2) -> "int":
    """Say why."""
    if a == 1 and not b:
        raise ValueError("no", 7)
    note(f"it is {a}", "two words")
    for each in (part for part in a if part.is_it):
        continue
    b += 1
    return None
'''


@pytest.mark.parametrize("room", list(IN_FULL))
def test_mutants_are_programs(room: str) -> None:
    """Each mutant is Python that differs in one place, and there are enough of them of every kind."""
    (file,), names, *_ = ROOMS[room]
    mutants = mutants_of(file, names)
    assert len(mutants) > 60
    assert len({mutated(one) for one in mutants}) == len({one.safeguard for one in mutants}) == len(mutants)
    before = ast.unparse(ast.parse((ROOT / "service" / file).read_text()))
    assert all(ast.unparse(ast.parse(mutated(one))) != before for one in mutants)


def test_what_is_changed_and_what_is_not(tmp_path: Path) -> None:
    """Behaviour is changed; sentences, types, what is exported, and what would be the same program are left alone."""
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "one.py").write_text(MODULE)
    places = places_in("one.py", root=tmp_path)
    assert [place.mutant.safeguard.removeprefix("one.py ") for place in places] == [
        ": 'c' -> 'cc'",
        "one: 2 -> (3)",
        "one: a == 1 and (not b) -> (not (a == 1 and (not b)))",
        "one: a == 1 and (not b) -> ((a == 1) or (not b))",
        "one: a == 1 -> (a != (1))",
        "one: 1 -> (2)",
        "one: not b -> bool(b)",
        "one: raise ValueError('no', 7) -> pass",
        "one: note(f'it is {a}', 'two words') -> pass",
        "one: part.is_it -> (not (part.is_it))",
        "one: continue -> break",
        "one: b += 1 -> b -= 1",
        "one: 1 -> (2) (2)",
    ]
    assert [place.function for place in places[:3]] == [None, None, ("one", 7)]
    assert (places[2].first, places[2].last, places[2].names) == (10, 10, ("one",))


def test_a_sample_is_drawn_by_names() -> None:
    """One seed draws the same mutants each time, another seed others, and a room has as many as are asked for."""
    drawn = {seed: [place.mutant.safeguard for place in sample(SAMPLED["flow"], seed, ROOT)] for seed in (1, 2)}
    assert drawn[1] == [place.mutant.safeguard for place in sample(SAMPLED["flow"], 1, ROOT)]
    assert len(set(drawn[1])) == len(set(drawn[2])) == SIZE
    assert set(drawn[1]) != set(drawn[2])
    smaller = sample(SAMPLED["flow"]._replace(size=20), 1, ROOT)
    assert [place.mutant.safeguard for place in smaller] == drawn[1][:20]


def planted(name: str, file: str, function: str, into: str) -> Place:
    """Return a mutant of ours: `into` stands before the first statement of a function; without one, at the end."""
    text = (ROOT / "service" / file).read_text(encoding="utf-8")
    if not function:
        return Place(Mutant(name, file, ((text, f"{text}\n{into}\n"),), ""), 1, 1, ("GROUNDS",), None)
    (found,) = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == function]
    first, lines = found.body[-1].lineno, text.splitlines(keepends=True)
    changed = "".join([*lines[: first - 1], f"    {into}\n", *lines[first - 1 :]])
    return Place(Mutant(name, file, ((text, changed),), ""), first, first, (function,), (function, found.lineno))


def test_who_notices_and_who_does_not() -> None:
    """What a room's tests miss is killed; what changes nothing survives, as does what none runs; no end is an end."""
    room = Room(
        ("core/policy.py", "core/lifecycle.py"), (), ("tests/core/test_policy.py", "tests/core/test_lifecycle.py")
    )
    ends = {
        "wrong": End.KILLED,
        "wrong at import": End.KILLED,
        "never ends": End.CUT_OFF,
        "harmless": End.SURVIVED,
        "harmless at import": End.SURVIVED,
        "of no test": End.UNSEEN,
    }
    ours = [
        planted("wrong", "core/policy.py", "over_rate", "return None"),
        planted("wrong at import", "core/policy.py", "", "GROUNDS = ()"),
        planted("never ends", "core/policy.py", "_last_pair", "__import__('time').sleep(600)"),
        planted("harmless", "core/policy.py", "_division", "asked = asked"),
        planted("harmless at import", "core/policy.py", "", "GROUNDS = GROUNDS"),
        planted("of no test", "core/wording/own.py", "own_words", "raise ValueError"),
    ]
    went = tried(room._replace(size=5), SEED, {one: 3 if one.mutant.safeguard == "never ends" else 90 for one in ours})
    assert {name: went[name] for name in ends} == ends
    assert sum(went[name] is End.KILLED for name in set(went) - set(ends)) >= 3
    assert len(went) == 5 + len(ours)


def test_the_argued_survivors_are_there() -> None:
    """Each survivor that is argued is still a mutant of one of the rooms: the code has not left the argument behind."""
    for room, argued in ARGUED.items():
        there = {place.mutant.safeguard for place in sample(ROOMS[room]._replace(size=0), SEED, ROOT)}
        assert set(argued) <= there, f"{room}: {set(argued) - there}"


def written(room: str, ends: Mapping[str, End]) -> tuple[list[str], float]:
    """Write down how a room's mutants ended; return the survivors that nobody argued, and the share that was killed."""
    argued = ARGUED[room]
    counted = {end.value: sum(one is end for one in ends.values()) for end in End}
    survivors = [name for name, end in ends.items() if end in {End.SURVIVED, End.UNSEEN}]
    unargued, share = [one for one in survivors if one not in argued], 1 - len(survivors) / len(ends)
    write_evidence(
        f"mutation_{room}",
        command=f"{COMMAND} -k {room}",
        counters={"mutants": len(ends), **counted},
        findings=unargued,
        seed=SEED,
        share_killed=round(share, 3),
        survivors={one: argued[one] for one in survivors if one in argued},
    )
    return unargued, share


@pytest.mark.slow
@pytest.mark.parametrize("room", list(ROOMS))
def test_a_room_notices(room: str) -> None:
    """A room's tests notice 85 of 100, signing's and guard's all that is another program; the rest is argued."""
    unargued, share = written(room, tried(ROOMS[room], SEED))
    assert unargued == []
    assert room in IN_FULL or share >= LEAST_SHARE
