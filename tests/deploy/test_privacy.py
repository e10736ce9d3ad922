"""The page on privacy is true: each kind of key stands on it, the lives are the code's, the words those of forget."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.cli import app
from service.settings import Settings
from service.store.forgetting import ATTESTED_MOST
from service.store.keys import DAY, KINDS, Lives
from service.store.refusals import MOST
from service.wiring.house import lives_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "deploy" / "privacy.md").read_text(encoding="utf-8")
LIVES, HOUR = Lives(), 3_600_000
# keys of no person: what is due and held, what may be spent, and the answers to a step asked again
IMPERSONAL = {
    *("due", "desks", "held", "budget", "allowance", "window", "rate", "floor", "claim", "step"),
}


def _rows() -> dict[str, str]:
    """Return by kind of key how long the page says that it stays."""
    rows = re.findall(r"^\| .* \| (`.*`) \| (.*) \|$", PAGE, re.MULTILINE)
    # of an action there are two rows: the first one is of the action itself
    return {kind: life for kinds, life in reversed(rows) for kind in re.findall(r"`(\w+)`", kinds)}


def test_every_kind_of_key_stands_there() -> None:
    """Each kind of key in Redis is on the page, or is known to be of no person; the page knows none that is not."""
    kinds = {re.split(r"[:\\]", kind.pattern)[0] for kind in KINDS}
    assert set(_rows()) == kinds - IMPERSONAL
    assert kinds >= IMPERSONAL


@pytest.mark.parametrize(
    "kind, life",
    [
        ("action", f"{LIVES.action // DAY} days"),
        ("delivery", f"{LIVES.delivery // DAY} days after the end; {LIVES.hash_only // HOUR} hours"),
        ("conversation", f"{LIVES.ownership // HOUR} hour after the end"),
        ("refusals", f"{LIVES.refusals // DAY} days, the last {MOST} of each source"),
        ("audit", f"{LIVES.audit // DAY} days after its day"),
        ("workers", f"{LIVES.workers // 60_000} minutes"),
        ("forgettings", f"{LIVES.forgettings // DAY} days, the last {ATTESTED_MOST}"),
        *((kind, "as its action") for kind in ("timeline", "report", "intent")),
    ],
)
def test_the_lives_are_those_of_the_code(kind: str, life: str) -> None:
    """How long each thing stays is what the code lets it stay where nothing is set."""
    assert life in _rows()[kind]
    assert lives_of(Settings()) == LIVES


def test_what_it_says_to_type_is_there() -> None:
    """Each option of `onhook forget` that the page names is one, and each way to name somebody is on the page."""
    (forget,) = [one.callback for one in app.registered_commands if one.callback and one.callback.__name__ == "forget"]
    options = {name.removeprefix("is_") for name in forget.__annotations__ if name != "return"}
    said = set(re.findall(r"`?--([a-z]+)", PAGE)) - {"test"}
    assert said <= options
    assert said >= {"phone", "requester", "ticket", "yes", "log"}
    assert "BGREWRITEAOF" in PAGE
