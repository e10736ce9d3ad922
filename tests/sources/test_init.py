"""The register: each kind is one file and one line."""

from pathlib import Path

import pytest
from pydantic import ValidationError

import service.sources
from service.core import model as m
from service.sources import KINDS
from tests.sources.senders import OPTIONS, Outdoors, built

EVERY = pytest.mark.parametrize("kind", list(KINDS))


def test_every_kind_is_registered() -> None:
    """Each file with Options of its own is a kind, by its own name."""
    room = Path(service.sources.__file__).parent
    kinds = {path.stem for path in room.glob("*.py") if "\nclass Options(" in path.read_text()}
    assert kinds == set(KINDS) == set(OPTIONS)


@EVERY
def test_a_kind_knows_its_name(kind: str) -> None:
    """Options say their kind, and no other kind takes them."""
    with pytest.raises(ValidationError, match="kind"):
        KINDS[kind].options.model_validate({**OPTIONS[kind], "kind": "other"})
    with pytest.raises(ValidationError, match="kind"):
        KINDS[kind].options.model_validate({name: value for name, value in OPTIONS[kind].items() if name != "kind"})


@EVERY
def test_a_source_is_built_from_its_options(kind: str) -> None:
    """What the rules need to know of a source is what its options say, under its configured name."""
    source = built(kind, success_status=200, max_age=30, rate=0, runaway=7, wait=3)
    channels = {"servicenow": ("ticket",), "standard": ("webhook",)}[kind]
    assert source.terms == m.SourceTerms("desk", "acme", 30, channels, rate=0, runaway=7, wait=3)
    assert source.success_status == 200
    assert source.media_types == {"application/json"}


@EVERY
def test_every_rule_goes_to_the_configured_desk(kind: str) -> None:
    """A source opens one way out, to its own desk alone."""
    outdoors = Outdoors()
    built(kind, outdoors)
    assert {str(rule.origin) for rule in outdoors.rules} == {"http://127.0.0.1:8090"}
