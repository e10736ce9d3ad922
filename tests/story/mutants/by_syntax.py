"""Makes mutants of a file by its syntax alone: each comparison, condition, constant, return, call and raise in turn."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

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


def mutants_of(file: str, names: tuple[str, ...] = ()) -> list[Mutant]:
    """Return the mutants of a file below `service/`; with `names` only of those definitions at its top."""
    text = (ROOT / "service" / file).read_text(encoding="utf-8")
    found = list[Mutant]()
    for top in ast.parse(text).body:
        is_docstring = isinstance(top, ast.Expr)
        if not is_docstring and (not names or getattr(top, "name", "") in names):
            for node, instead in _changes(top):
                changed = _replaced(text, node, instead)
                told = f"{Path(file).name}:{getattr(node, 'lineno', 0)} {ast.unparse(node)[:80]} -> {instead}"
                found.append(Mutant(told, file, ((text, changed),), ""))
    return found


def _changes(top: ast.AST) -> Iterator[Change]:
    """Yield each change; sentences, docstrings and annotations are nobody's behaviour."""
    for node in _walked(top):
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                for other in _OTHERS[type(op)]:
                    yield node, f"({ast.unparse(left)} {other} {ast.unparse(right)})"
            case ast.BoolOp(op=op, values=values):
                other = " and " if isinstance(op, ast.Or) else " or "
                yield node, "(" + other.join(f"({ast.unparse(value)})" for value in values) + ")"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield node, f"bool({ast.unparse(operand)})"
            case ast.If(test=test) | ast.IfExp(test=test):
                yield test, f"(not ({ast.unparse(test)}))"
            case ast.Constant(value=bool() | int() | str() | bytes() as value):
                yield node, _other_constant(value)
            case ast.Return(value=ast.AST()):
                yield node, "return None"
            case ast.Raise() | ast.Expr(value=ast.Call() | ast.Await()):
                yield node, "pass"
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
                yield node, f"({ast.unparse(left)} {'-' if isinstance(op, ast.Add) else '+'} {ast.unparse(right)})"
            case _:
                pass


def _other_constant(value: bool | int | str | bytes) -> str:
    match value:
        case bool():
            return str(not value)
        case int():
            return f"({value + 1})"
        case str():
            return repr(value + value[:1] or "x")
        case _:
            return repr(value + value[:1] or b"x")


def _walked(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "bases"} or isinstance(node, ast.Raise | ast.JoinedStr):
            continue
        for part in value if isinstance(value, list) else [value]:
            is_docstring = isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
            if isinstance(part, ast.AST) and not is_docstring:
                yield from _walked(part)


def _replaced(text: str, node: ast.AST, instead: str) -> str:
    """Return the text with `instead` where a node stands; columns count bytes."""
    assert isinstance(node, ast.expr | ast.stmt)
    lines = text.encode().splitlines(keepends=True)
    begin = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: (node.end_lineno or 0) - 1])) + (node.end_col_offset or 0)
    raw = text.encode()
    return (raw[:begin] + instead.encode() + raw[end:]).decode()
