"""How commands show what they found: a table on a terminal, plain lines in a pipe, JSON or CSV for programs.

Nothing that somebody else wrote gets to a terminal as it is: what turns, hides or colours text is replaced here, where
everything goes out, whatever was done about it before.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum

import typer

# a spreadsheet takes a cell that begins so for a formula, and works it out; the wide forms some of them take as well
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 - the wide ones are what is meant
_INDENT = 14  # the width of the names in `facts`


class Form(StrEnum):
    """How lines are shown."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


class Told(StrEnum):
    """How lines are written to a file."""

    JSONL = "jsonl"
    CSV = "csv"


def fit(value: object) -> object:
    """Return a document with nothing in its texts that acts on a terminal; the rest as it is."""
    from service.telemetry import without_controls

    match value:
        case str():
            return without_controls(value)
        case Mapping():
            return {key: fit(inner) for key, inner in value.items()}
        case list() | tuple():
            return [fit(inner) for inner in value]
        case _:
            return value


def as_json(document: object) -> str:
    """Return a document as one line of JSON."""
    return json.dumps(fit(document), ensure_ascii=False)


def line(document: object) -> None:
    """Print a document as one line of JSON."""
    typer.echo(as_json(document))


def cell(value: object) -> str:
    """Return a value as it stands in a table: "" for nothing."""
    match value:
        case None | "":
            return ""
        case bool():
            return "yes" if value else ""
        case _:
            return str(fit(value if isinstance(value, str) else str(value)))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print rows: a table with its heads on a terminal; in a pipe a line for each, tabs between, and nothing else."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(map(cell, row)))
        return
    shown = Table(title=Text(title, "bold") if title else None, title_justify="left", box=None, pad_edge=False)
    for head in heads:
        shown.add_column(Text(head, "bold"), overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell(value)) for value in row))  # a text, not markup: “[red]” is three letters in brackets
    console.print(shown)


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print what is known of one thing, a line for each name; what is empty is left out."""
    for name, value in pairs:
        if said := cell(value):
            typer.echo(f"{name + ':':<{_INDENT}} {said}")


def say(sentence: str) -> None:
    """Say something beside the answer, on standard error."""
    typer.echo(f"onhook: {cell(sentence)}", err=True)


def csv_line(values: Iterable[object]) -> str:
    """Return a row of CSV; a text that a spreadsheet would take for a formula has an apostrophe before it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([_plain(value) for value in values])
    return out.getvalue()


def writer(told: Told) -> Callable[[Mapping[str, object]], None]:
    """Return what prints one document after another, of the same keys, in this form; CSV begins with the keys."""
    is_begun = False

    def write(document: Mapping[str, object]) -> None:
        nonlocal is_begun
        if told is Told.JSONL:
            line(document)
            return
        if not is_begun:
            typer.echo(csv_line(document), nl=False)
        is_begun = True
        typer.echo(csv_line(document.values()), nl=False)

    return write


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """Show on standard error, if that is a terminal, how far something is that takes long; call it for each step."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return value
    said = str(fit(value))
    return f"'{said}" if said.startswith(_FORMULA) else said
