"""A file for a spreadsheet holds what was written, and nothing that it would work out."""

from __future__ import annotations

import csv
import io

import pytest

from service.wiring.sheets import csv_line


@pytest.mark.parametrize(
    "text, written",
    [
        ("=HYPERLINK(A1)", "'=HYPERLINK(A1)"),
        ("+14155550123", "'+14155550123"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "�=1"),
        ("＝1+1", "'＝1+1"),  # noqa: RUF001 - the wide one is what is meant
        ('say "no", twice', 'say "no", twice'),
        ("a=b", "a=b"),
    ],
)
def test_no_formula(text: str, written: str) -> None:
    """A spreadsheet works nothing out that somebody wrote into a ticket; everything else is read back as it was."""
    (row,) = csv.reader(io.StringIO(csv_line([text, 1.5, None, True, False])))
    assert row == [written, "1.5", "", "true", "false"]
