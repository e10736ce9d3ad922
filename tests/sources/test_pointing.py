"""Places in a body: what each pointer finds, and what is no pointer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from service.sources.pointing import At, AtOrWhole, Pointer, pointer_in, word_in

BODY = {
    "event": {"id": 7, "a/b": "slash", "m~n": "tilde", "": "nameless", "~1": "both", "done": True, "none": None},
    "items": [{"id": "first"}, {"id": "second"}, "third"],
    "fields": [
        {"name": "caller", "value": "+14155550123"},
        {"name": "conversation", "value": "c-1"},
        {"name": "conversation", "value": "c-2"},
        {"name": 5, "value": "by number"},
        {"name": True, "value": "by yes"},
        {"name": 1.5, "value": "never"},
        "no object",
        {"name": "a/b", "value": "slashed"},
    ],
    "text": "remove +14155550123 from c-1, please",
}


@pytest.mark.parametrize(
    "at, found",
    [
        ("/event/id", 7), ("/event/a~1b", "slash"), ("/event/m~0n", "tilde"), ("/event/", "nameless"),
        ("/event/~01", "both"), ("/event/done", True), ("/event/none", None), ("/event/nowhere", None),
        ("/event/id/deeper", None), ("/nowhere/at/all", None), ("/items/0/id", "first"), ("/items/2", "third"),
        ("/items/3", None), ("/items/-1", None), ("/items/00", None), ("/items/01", None), ("/items/-", None),
        ("/items/id", None), ("/items/\u0661", None), ("/items/9999999999", None), ("/text/0", None),
        ("/fields/[name=caller]/value", "+14155550123"), ("/fields/[name=conversation]/value", "c-1"),
        ("/fields/[name=5]/value", "by number"), ("/fields/[name=true]/value", "by yes"),
        ("/fields/[name=1.5]/value", None), ("/fields/[name=nobody]/value", None),
        ("/fields/[name=a~1b]/value", "slashed"),
        ("/event/[id=7]", None), ("/text/[id=7]", None), ("/[x=y]", None),
    ],
)  # fmt: skip
def test_places(at: str, found: object) -> None:
    """A pointer goes by names, by places in lists, or to the first of a list with a name; elsewhere is nothing."""
    assert pointer_in(at).find(BODY) == found


@pytest.mark.parametrize(
    "pattern, found",
    [
        (r"remove (\+[0-9]+)", "+14155550123"), (r"from (\S+),", "c-1"), (r"(nobody)", None), (r"^(please)", None),
        (r"remove(?: (x))?", None), (r"r(?:emove|om c-(1))", "1"), (r"()", ""),
    ],
)  # fmt: skip
def test_patterns(pattern: str, found: str | None) -> None:
    """Of a text the first group is meant, wherever the pattern fits."""
    assert pointer_in({"at": "/text", "pattern": pattern}).find(BODY) == found


@pytest.mark.parametrize(
    "text, is_so",
    [
        ("a1", False),
        ("a1 a1", False),
        ("a1 a2", True),
        ("", False),
        ("b", False),
        ("a a1", False),
        (["a1", "a2"], False),
    ],
)
def test_more_than_one_thing(text: object, is_so: bool) -> None:
    """A text in which a pattern finds two different things does not say which is meant; the same twice is one."""
    assert pointer_in({"at": "/x", "pattern": "a([0-9])?"}).is_ambiguous({"x": text}) is is_so
    assert not pointer_in("/x").is_ambiguous({"x": text})


def test_a_pattern_is_held_against_text_alone() -> None:
    """What is no text has no part, and of a long one only the first 2,000 characters are looked at."""
    pointer = pointer_in({"at": "/x", "pattern": "(b)"})
    assert [pointer.find({"x": value}) for value in (7, None, ["b"], {"b": 1}, True)] == [None] * 5
    assert pointer.find({"x": "a" * 1999 + "b"}) == "b"
    assert pointer.find({"x": "a" * 2000 + "b"}) is None


SAID = "is a JSON pointer: / and the names"


@pytest.mark.parametrize(
    "said, words",
    [
        ("", SAID), ("event/id", SAID), ("$.event.id", SAID), ("/event/~2", SAID), ("/event~", SAID), (None, SAID),
        (7, SAID), (["/event"], SAID), ({}, SAID), ({"at": ""}, SAID), ({"pattern": "(x)"}, SAID),
        ({"at": "/x", "patern": "(x)"}, "has at and pattern"), ({"at": "/x", "pattern": "("}, "no regular expression"),
        ({"at": "/x", "pattern": "x"}, "exactly one group"), ({"at": "/x", "pattern": "(x)(y)"}, "exactly one group"),
        ({"at": "/x", "pattern": 7}, "exactly one group"),
    ],
)  # fmt: skip
def test_what_is_no_pointer(said: object, words: str) -> None:
    """A setting that names no place is a fault in words."""
    with pytest.raises(ValueError, match=words):
        pointer_in(said)


class Places(BaseModel):
    """Settings with both kinds of place."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    at: At
    either: AtOrWhole


def test_places_in_settings() -> None:
    """Settings read places, write them as they were read, and only where it may be is the whole body one."""
    said = {"at": {"at": "/x", "pattern": "(y)"}, "either": ""}
    places = Places.model_validate(said)
    assert (places.at.find({"x": "xyz"}), places.either.find(BODY)) == ("y", BODY)
    assert places.model_dump() == said
    assert Places.model_validate(dict(places)) == places
    assert Places.model_validate({"at": "/x", "either": "/y"}).model_dump() == {"at": "/x", "either": "/y"}
    with pytest.raises(ValidationError, match=r"at\n.*is a JSON pointer"):
        Places.model_validate({"at": "", "either": ""})


@pytest.mark.parametrize(
    "value, word",
    [
        ("x", "x"),
        ("", ""),
        (7, "7"),
        (-7, "-7"),
        (True, "true"),
        (False, "false"),
        (1.5, None),
        (None, None),
        ([], None),
    ],
)
def test_words(value: object, word: str | None) -> None:
    """Texts, whole numbers, yes and no are words as JSON writes them; nothing else is."""
    assert word_in(value) == word


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "0", ""]), inner, max_size=3)
    ),
    max_leaves=8,
)
STEPS = st.sampled_from(["a", "b", "0", "1", "", "-", "[a=b]", "[b=]", "~0", "~1", "[", "]"])


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(STEPS, max_size=4), VALUES)
def test_any_pointer_into_any_body(steps: list[str], value: object) -> None:
    """Wherever a pointer leads in whatever body, it finds a part of it or nothing, and never an exception."""
    found = Pointer("".join(f"/{step}" for step in steps)).find(value)
    assert found is None or repr(found) in repr(value)
