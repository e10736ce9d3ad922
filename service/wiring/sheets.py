"""Rows for a spreadsheet, which works out what looks like a formula: nothing in these does."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from service.telemetry import without_controls

# a spreadsheet takes a cell that begins so for a formula, and works it out; the wide forms some of them take as well
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 - the wide ones are what is meant


def csv_line(values: Iterable[object]) -> str:
    """Return a row of CSV; a text that a spreadsheet would take for a formula has an apostrophe before it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([_plain(value) for value in values])
    return out.getvalue()


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return value
    said = without_controls(value)
    return f"'{said}" if said.startswith(_FORMULA) else said
