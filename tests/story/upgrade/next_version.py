"""The version after this one, as its engineers might make it: two fields of the records get other names, in schema 2.

It writes 2, reads 1 and 2, and leaves each record in the schema that it was begun in. What it changes is all here: so
little must be enough, and so much is what a change of schema costs.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import service

SCHEMA = "2"


class Edit(NamedTuple):
    """One place of the source that is another one in the next version; the old text stands there exactly once."""

    file: str
    old: str
    new: str


EDITS = (
    Edit("store/records.py", 'READ = frozenset({"1"})', 'READ = frozenset({"1", "2"})'),
    Edit(
        "store/records.py",
        'not_after=int(fields["not_after"])',
        'not_after=int(fields["not_after" if fields["v"] == "1" else "ends_by"])',
    ),
    Edit(
        "store/records.py",
        'tries=int(fields["tries"])',
        'tries=int(fields["tries" if fields["v"] == "1" else "asked"])',
    ),
    Edit(
        "store/scripts/prologue.lua",
        "local V = '1'\nlocal READS = { [V] = true }",
        "local V = '2'\nlocal READS = { ['1'] = true, [V] = true }",
    ),
    # whoever reads a whole record finds both under the names they had
    Edit(
        "store/scripts/prologue.lua",
        "do fields[flat[i]] = flat[i + 1] end\n",
        "do fields[flat[i]] = flat[i + 1] end\n"
        "  if fields.v == V then fields.not_after, fields.tries = fields.ends_by, fields.asked end\n",
    ),
    Edit("store/scripts/accept.lua", "'not_after', text(clicked", "'ends_by', text(clicked"),
    Edit(
        "store/scripts/accept.lua",
        "'not_after', 'sends', 'source' }\n",
        "'not_after', 'sends', 'source' }\n"
        "  if pointed and redis.call('HGET', keys.action(pointed), 'v') == V then fields[5] = 'ends_by' end\n",
    ),
    Edit("store/scripts/accept.lua", "'tries', '0'", "version == V and 'asked' or 'tries', '0'"),
    Edit(
        "store/scripts/mark_sent.lua",
        "'until', 'not_after', 'sends'",
        "'until', redis.call('HGET', KEYS[1], 'v') == V and 'ends_by' or 'not_after', 'sends'",
    ),
    Edit(
        "store/scripts/claim_reports.lua",
        "'HMGET', key, 'v', 'state', 'tries'",
        "'HMGET', key, 'v', 'state', redis.call('HGET', key, 'v') == V and 'asked' or 'tries'",
    ),
    Edit(
        "store/scripts/claim_reports.lua",
        "'tries', text(tonumber(r[3]) + 1)",
        "r[1] == V and 'asked' or 'tries', text(tonumber(r[3]) + 1)",
    ),
)


def this_version(folder: Path) -> Path:
    """Copy the service as it is, into a folder of its own; return where to start it."""
    shutil.copytree(Path(service.__file__).parent, folder / "service")
    return folder


def next_version(folder: Path, edits: tuple[Edit, ...] = EDITS) -> Path:
    """Make the next version in a folder of its own; return where to start it.

    Raises:
        ValueError: the source is not what the edits were made for.
    """
    this_version(folder)
    for edit in edits:
        file = folder / "service" / edit.file
        text = file.read_text(encoding="utf-8")
        if text.count(edit.old) != 1:
            raise ValueError(f"{edit.file} has {text.count(edit.old)} times: {edit.old}")
        file.write_text(text.replace(edit.old, edit.new), encoding="utf-8")
    return folder
