"""A thousand orgs in one file are read, and reading them takes a thousand times as long as one, not a million."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from service import settings
from service.core.errors import Misconfigured
from tests.counted import calls_counted

ORGS = 1_000


def _file(folder: Path, orgs: int, *, shared: int = 0) -> dict[str, str]:
    """Write settings of so many orgs with a source each, the last `shared` of them with the secret of the first."""
    lines = []
    for number in range(orgs):
        first = 0 if number >= orgs - shared else number
        secret = base64.b64encode(b"obviously fake, and long %7d" % first).decode()
        lines.append(
            f'[orgs.o{number}]\nregion = "eu_central_1"\nclient_id = "fake"\nclient_secret = "obviously-fake"\n'
        )
        lines.append(f'[sources.s{number}]\nkind = "standard"\norg = "o{number}"\nsecrets = ["whsec_{secret}"]\n')
    (folder / "onhook.toml").write_text("".join(lines), encoding="utf-8")
    return {"ONHOOK_CONFIG": str(folder / "onhook.toml"), "ONHOOK_STATE_DIR": str(folder)}


def test_a_thousand_orgs_are_read(tmp_path: Path) -> None:
    """They fit into one file, and no secret is looked at for every other one."""
    with calls_counted() as calls:
        said = settings.read(_file(tmp_path, ORGS))
    assert (len(said.orgs), len(said.sources)) == (ORGS, ORGS)
    assert ORGS <= calls["secret_in"] <= 6 * ORGS


def test_who_shares_a_secret_is_named_among_many(tmp_path: Path) -> None:
    """Each two of those that share one are named, once."""
    with pytest.raises(Misconfigured) as wrong:
        settings.read(_file(tmp_path, 40, shared=2))
    pairs = [("s0", "s38"), ("s0", "s39"), ("s38", "s39")]
    said = [f"sources.{one} and sources.{other} share a secret" for one, other in pairs]
    assert [fault.partition(":")[0] for fault in wrong.value.faults] == said
