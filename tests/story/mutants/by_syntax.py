"""Makes mutants of a file by its syntax alone: each comparison, condition, constant, return, call and raise in turn.

Left alone is what is nobody's behaviour: docstrings, sentences (a text of several words), names of tasks, annotations,
what a raise says. Left out is what would be the same program by construction, or the same mutant a second time.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.story.mutants.growing import ROOT
from tests.story.mutants.mutant import Mutant

Change = tuple[ast.AST, str]

_OTHERS: Final[dict[type[ast.cmpop], tuple[str, ...]]] = {
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
_SIGNS: Final[dict[type[ast.operator], str]] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "//",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Mod: "*",
    ast.BitOr: "&",
    ast.BitAnd: "|",
}
_SENTENCE = re.compile(r"\S\s+\S")
# types that are written where values are, and what only people read
_TYPES = frozenset({"Literal", "TypeVar", "cast", "NewType"})
_UNSEEN_FIELDS = frozenset({"annotation", "returns", "decorator_list", "bases"})


class Place(NamedTuple):
    """One mutant, and where it stands.

    Attributes:
        mutant: its safeguard is its name: where it stands, what stands there, and what does instead; without the number
            of a line, so that it is the same name when something changes elsewhere.
        first: the first line of the innermost statement, or of its head, that is changed.
        last: the last one.
        names: what the definitions around it are called.
        function: the outermost function around the statement: its qualified name and first line; None: it runs when its
            module is imported.
    """

    mutant: Mutant
    first: int
    last: int
    names: tuple[str, ...]
    function: tuple[str, int] | None


def mutants_of(file: str, names: tuple[str, ...] = ()) -> list[Mutant]:
    """Return the mutants of a file below `service/`; with `names` only of those definitions at its top."""
    return [place.mutant for place in places_in(file, names)]


def places_in(file: str, names: tuple[str, ...] = (), root: Path = ROOT) -> list[Place]:
    """Return the mutants of a file below `service/` of the house at `root`, and where they stand."""
    text = (root / "service" / file).read_text(encoding="utf-8")
    found, seen = list[Place](), Counter[str]()
    for top in ast.parse(text).body:
        if names and getattr(top, "name", "") not in names:
            continue
        for around, node, instead in _statements(top, ()):
            if ast.unparse(node) == ast.unparse(ast.parse(instead)):
                continue
            within = ".".join(one.name for one in around if isinstance(one, _NAMED))
            told = f"{file} {within}: {_short(ast.unparse(node))} -> {_short(instead)}"
            seen[told] += 1
            told += f" ({seen[told]})" * (seen[told] > 1)
            mutant = Mutant(told, file, ((text, _replaced(text, node, instead)),), "")
            found.append(Place(mutant, *_lines(around[-1]), _defined(around), _function(around)))
    return found


_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_Around = tuple[ast.stmt, ...]


def _statements(node: ast.stmt, around: _Around) -> Iterator[tuple[_Around, ast.AST, str]]:
    """Yield each change with the statements around it, outermost first."""
    here = (*around, node)
    is_said = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if is_said or "__all__" in _defined((node,)):
        return
    for part in _walked(node):
        if part is not node and isinstance(part, ast.stmt):
            yield from _statements(part, here)
        else:
            yield from ((here, *change) for change in _changes(part))


def _walked(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is in it, down to and with the next statements."""
    yield node
    if isinstance(node, ast.Raise | ast.JoinedStr) or _is_of_types(node):
        return
    for name, value in ast.iter_fields(node):
        if name in _UNSEEN_FIELDS:
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.stmt):
                yield part
            elif isinstance(part, ast.AST):
                yield from _walked(part)


def _is_of_types(node: ast.AST) -> bool:
    match node:
        case ast.Subscript(value=ast.Name(id=name)) | ast.Call(func=ast.Name(id=name)):
            return name in _TYPES
        case ast.keyword(arg="name"):
            return True
        case _:
            return False


def _changes(node: ast.AST) -> Iterator[Change]:
    """Yield each change of one node."""
    match node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.BinOp():
            yield from ((node, instead) for instead in _operated(node))
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) | ast.match_case(guard=ast.expr() as test):
            yield from _negated(test)
        case ast.comprehension(ifs=tests):
            for test in tests:
                yield from _negated(test)
        case ast.Constant(value=value):
            yield from ((node, instead) for instead in _other_constant(value))
        case ast.stmt():
            yield from ((node, instead) for instead in _done(node))
        case _:
            pass


def _operated(node: ast.AST) -> Iterator[str]:
    """Yield what may stand in the place of an operation."""
    match node:
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            rights = [f"({ast.unparse(right)})" for right in comparators]
            for at, op in enumerate(ops):
                for other in _OTHERS[type(op)]:
                    spelled = [*map(_spelled, ops[:at]), other, *map(_spelled, ops[at + 1 :])]
                    pairs = (f"{each} {right}" for each, right in zip(spelled, rights, strict=True))
                    yield f"({ast.unparse(left)} {' '.join(pairs)})"
        case ast.BoolOp(op=op, values=values):
            other = " and " if isinstance(op, ast.Or) else " or "
            yield "(" + other.join(f"({ast.unparse(value)})" for value in values) + ")"
        case ast.UnaryOp(operand=operand):
            yield f"bool({ast.unparse(operand)})"
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS and not (
            _is_text(left) or _is_no_value(right)
        ):
            yield f"(({ast.unparse(left)}) {_SIGNS[type(op)]} ({ast.unparse(right)}))"
        case _:
            pass


def _done(node: ast.stmt) -> Iterator[str]:
    """Yield what may stand in the place of a statement that does something."""
    match node:
        case ast.Return(value=ast.AST() as value):
            if not (isinstance(value, ast.Constant) and not value.value):  # whoever asks it for truth gets the same
                yield "return None"
        case ast.Raise() | ast.Expr(value=ast.Call() | ast.Await()):
            yield "pass"
        case ast.AugAssign(target=target, op=op, value=value) if type(op) in _SIGNS and not _is_text(value):
            yield f"{ast.unparse(target)} {_SIGNS[type(op)]}= {ast.unparse(value)}"
        case ast.Break() | ast.Continue():
            yield "continue" if isinstance(node, ast.Break) else "break"
        case _:
            pass


def _negated(test: ast.expr) -> Iterator[Change]:
    """Yield the opposite, unless a change of the comparison, the `not` or the constant says it already."""
    is_alone = isinstance(test, ast.Compare) and len(test.ops) == 1
    if not (
        is_alone or isinstance(test, ast.Constant) or (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not))
    ):
        yield test, f"(not ({ast.unparse(test)}))"


def _other_constant(value: object) -> Iterator[str]:
    match value:
        case bool():
            yield str(not value)
        case int() | float():
            yield f"({value + 1})"
        case str():
            if not _SENTENCE.search(value):
                yield repr(value + value[:1] or "x")
        case bytes():
            yield repr(value + value[:1] or b"x")
        case _:
            pass


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _is_no_value(node: ast.AST) -> bool:
    """Whether it is a text, or a class: of `Sight = Conversation | NotFound` no other sign makes a program."""
    name = node.id if isinstance(node, ast.Name) else ""
    return _is_text(node) or (name[:1].isupper() and not name.isupper())


def _spelled(op: ast.cmpop) -> str:
    return ast.unparse(ast.Compare(ast.Name("x"), [op], [ast.Name("y")]))[2:-2]


def _short(code: str) -> str:
    return " ".join(code.split())[:100]


def _lines(node: ast.stmt) -> tuple[int, int]:
    """Return the lines of a statement; of one that has a body, those of its head."""
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    if not body:
        return node.lineno, node.end_lineno or node.lineno
    begin = body[0].pattern.lineno if isinstance(body[0], ast.match_case) else body[0].lineno
    return node.lineno, max(node.lineno, begin - 1)


def _function(around: _Around) -> tuple[str, int] | None:
    """Return the outermost function around the innermost statement; the head of a function itself runs at once."""
    names = list[str]()
    for one in around[:-1]:
        if isinstance(one, _NAMED):
            names.append(one.name)
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            return ".".join(names), min([one.lineno, *(each.lineno for each in one.decorator_list)])
    return None


def _defined(around: _Around) -> tuple[str, ...]:
    """Return what names the innermost definition around gives."""
    names = list[str]()
    for one in around:
        match one:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.append(name)
            case ast.Assign(targets=targets):
                names += [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.append(name)
            case _:
                pass
    return tuple(names)


def _replaced(text: str, node: ast.AST, instead: str) -> str:
    """Return the text with `instead` where a node stands; columns count bytes."""
    assert isinstance(node, ast.expr | ast.stmt)
    lines = text.encode().splitlines(keepends=True)
    begin = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: (node.end_lineno or 0) - 1])) + (node.end_col_offset or 0)
    raw = text.encode()
    return (raw[:begin] + instead.encode() + raw[end:]).decode()
