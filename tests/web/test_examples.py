"""What the document shows as an example is what the source of that kind takes: it is given to one of each."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from service.core import model as m
from service.sources import KINDS, presets
from service.web.examples import examples
from tests.sources.senders import NOW, Outdoors

SECRET = "c2VydmljZW5vdy1zaGFyZWQtc2VjcmV0LTI0Yis="  # base64, and text for who takes it as that


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_takes_its_example(kind: str) -> None:
    """There is an example for each kind, and a source of it reads a removal there, with a conversation and a person."""
    as_json, as_form = examples()
    shown = as_form if kind in as_form else as_json
    given = {"kind": kind, "org": "acme", "secrets": [SECRET], "reports": [], "untimed": "accept"}
    options = KINDS[kind].options.model_validate(given)
    source = KINDS[kind].build("desk", options, Outdoors().outside)
    value = shown[kind]["value"]
    assert isinstance(value, dict | list)
    body = urlencode(value).encode() if kind in as_form else json.dumps(value).encode()
    found = source.parse(m.Delivery("desk", (), body, NOW), m.Verified("", NOW, ""))
    asked = [part.asked for part in found.parts] if isinstance(found, m.Batch) else [found]
    removals = [one for one in asked if isinstance(one, m.Removal)]
    assert removals
    assert all(one.conversation_id and one.selector.value for one in removals)


def test_every_kind_is_shown_once() -> None:
    """Each kind there is stands once among the examples, and nothing else; forms for who sends forms."""
    as_json, as_form = examples()
    assert sorted([*as_json, *as_form]) == sorted(KINDS)
    forms = {name for name in presets.NAMES if presets.preset(name).options.get("ask", {}).get("form")}
    assert set(as_form) - {"slack"} == forms
    assert all(set(one) == {"summary", "value"} for one in [*as_json.values(), *as_form.values()])
