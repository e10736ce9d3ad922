"""How commands show what they found: a table on a terminal, plain lines in a pipe, JSON or CSV for programs.

Nothing that somebody else wrote gets to a terminal as it is: what turns, hides or colours text is replaced here, where
everything goes out, whatever was done about it before.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, TypeVar

import typer

_INDENT = 14  # the width of the names in `facts`
_FOLDED = 16  # characters to which a column of a table may be folded: two words


T = TypeVar("T")


class Form(StrEnum):
    """How lines are shown."""

    TABLE = "table"
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
    """Print rows: a table with its heads on a terminal; in a pipe a line for each, tabs between, and nothing else.

    What matters most stands first: columns for which a terminal is too narrow are left out, and named below it.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, cells = Console(), [[cell(value) for value in row] for row in rows]
    if not console.is_terminal:
        for row in cells:
            typer.echo("\t".join(row))
        return
    shown = Table(title=Text(title, "bold") if title else None, title_justify="left", box=None, pad_edge=False)
    fits = _fitting([max(map(len, column)) for column in zip(heads, *cells, strict=True)], console.width)
    for head in heads[:fits]:
        # an id is copied whole: what is folded is the last column, which says something in words
        shown.add_column(Text(head, "bold"), overflow="fold", no_wrap=head != heads[fits - 1])
    for row in cells:
        shown.add_row(*map(Text, row[:fits]))  # a text, not markup: “[red]” is three letters in brackets
    console.print(shown)
    if left := ", ".join(heads[fits:]):
        console.print(Text(f"Not shown: {left}. A wider terminal shows it, and --json.", "dim"))


def _fitting(widths: Sequence[int], width: int) -> int:
    """Return how many columns fit, two spaces between; the last may be folded if enough of it is left to read."""
    room, fits = width, 0
    for column in widths:
        if fits and room < min(column, _FOLDED):
            break
        room -= column + 2
        fits += 1
    return fits


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print what is known of one thing, a line for each name; what is empty is left out."""
    for name, value in pairs:
        if said := cell(value):
            typer.echo(f"{name + ':':<{_INDENT}} {said}")


def say(sentence: str) -> None:
    """Say something beside the answer, on standard error."""
    typer.echo(f"onhook: {cell(sentence)}", err=True)


def done(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work and return what came of it; where nothing was done that is said, and it ends with 1."""
    import asyncio

    from service.wiring.watching import NotDone

    try:
        return asyncio.run(work)
    except NotDone as why:
        for sentence in str(why).splitlines():
            say(sentence)
        sys.exit(1)


def writer(*, is_csv: bool) -> Callable[[Mapping[str, object]], None]:
    """Return what prints one document after another, of the same keys: as JSON Lines, or as CSV under the keys."""
    from service.wiring.sheets import csv_line

    is_begun = False

    def write(document: Mapping[str, object]) -> None:
        nonlocal is_begun
        if not is_csv:
            line(document)
            return
        if not is_begun:
            typer.echo(csv_line(document), nl=False)
        is_begun = True
        typer.echo(csv_line(document.values()), nl=False)

    return write


def columns(widths: Mapping[str, int]) -> Callable[[Mapping[str, object]], None]:
    """Return what prints one document after another as rows, of its values under these keys, without waiting for more.

    On a terminal they stand under their keys, which come once, each as wide as is said here; in a pipe there are tabs.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console()

    def row(cells: Iterable[str], style: str = "") -> None:
        said = "  ".join(text.ljust(width) for text, width in zip(cells, widths.values(), strict=True))
        console.print(Text(said.rstrip(), style), soft_wrap=True)

    if not console.is_terminal:
        return lambda document: typer.echo("\t".join(cell(document[key]) for key in widths))
    row((key.replace("_", " ") for key in widths), "bold")
    return lambda document: row(cell(document[key]) for key in widths)


@contextmanager
def progress(what: str, total: int | None = None, *, is_beside: bool = False) -> Iterator[Callable[[], None]]:
    """Show on standard error, if that is a terminal, how far something is that takes long; call it for each step.

    With `is_beside` answers are printed meanwhile: then it is shown only where those go elsewhere.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    is_shown = console.is_terminal and not (is_beside and Console().is_terminal)
    with Progress(*columns, console=console, transient=True, disable=not is_shown) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
