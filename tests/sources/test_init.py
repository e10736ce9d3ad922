"""The register: each kind is one file and one line, or a preset's file alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

import service.sources
from service.core import model as m
from service.sources import KINDS
from service.sources.presets import NAMES
from tests.sources.seats import seat
from tests.sources.senders import Outdoors

EACH = pytest.mark.parametrize("kind", list(KINDS))
MORE: dict[str, object] = {"success_status": 200, "max_age": 30, "rate": 0, "runaway": 7, "wait": 2}


def test_every_kind_is_registered() -> None:
    """Each file with Options of its own is a kind by its own name, and each preset is one."""
    room = Path(service.sources.__file__).parent
    coded = {path.stem for path in room.glob("*.py") if "\nclass Options(" in path.read_text()}
    assert coded == {"servicenow", "standard", "slack", "generic"}
    assert {path.stem for path in (room / "presets").glob("*.toml")} == NAMES
    assert KINDS.keys() == coded | NAMES
    assert not coded & NAMES


@pytest.mark.parametrize("kind", ["servicenow", "standard", "slack"])
def test_a_kind_knows_its_name(kind: str) -> None:
    """Options of a kind with code say their kind, and no other kind takes them."""
    given = dict(seat(kind).settings)
    for other in ({**given, "kind": "other"}, {name: value for name, value in given.items() if name != "kind"}):
        with pytest.raises(ValidationError, match="kind"):
            KINDS[kind].options.model_validate(other)


@EACH
def test_a_source_is_built_from_its_options(kind: str) -> None:
    """What the rules need to know of a source is what its options say, under its configured name."""
    source, options = seat(kind).source("desk", None, **MORE), seat(kind).options
    terms = source.terms
    assert (terms.name, terms.org, terms.max_age_seconds) == ("desk", "acme", 30)
    assert (terms.rate, terms.runaway, terms.wait, terms.language) == (0, 7, 2, "en")
    assert (terms.channels, source.success_status) == (options.channels, 200)
    assert (terms.unreadable_status, terms.answer) == (options.unreadable_status, options.answer)
    assert "application/json" in source.media_types


@pytest.mark.parametrize(
    "kind, channels, unreadable",
    [
        ("servicenow", ("ticket",), 422), ("standard", ("webhook",), 422), ("generic", (), 422),
        ("slack", ("response",), 200), ("pagerduty", ("ticket",), 200),
    ],
)  # fmt: skip
def test_how_each_is_told(kind: str, channels: tuple[str, ...], unreadable: int) -> None:
    """A source is told by all that its settings make possible, and what it cannot read has its kind's status."""
    terms = seat(kind).source().terms
    assert (terms.channels, terms.unreadable_status) == (channels, unreadable)
    assert isinstance(terms, m.SourceTerms)


@EACH
def test_every_rule_goes_where_the_settings_say(kind: str) -> None:
    """A source opens ways out to its own desk alone, and to nobody where it tells nothing."""
    outdoors, silent = Outdoors(), Outdoors()
    seat(kind).source("desk", outdoors)
    seat(kind).source("desk", silent, reports=[])
    assert silent.rules == []
    origins = {str(rule.origin) for rule in outdoors.rules}
    wanted = {
        "slack": {"https://hooks.slack.com"},
        "generic": set(),
        "dynamics": {"http://127.0.0.1:8090", "https://login.microsoftonline.com"},
    }
    assert origins == wanted.get(kind, {"http://127.0.0.1:8090"})
