"""Fields are read strictly: what has the wrong type is refused in words, what is absent is None."""

from collections.abc import Callable

import pytest

from service.sandbox.fields import Fields, Unusable

Reader = Callable[[Fields], object]


@pytest.mark.parametrize(
    "reader",
    [
        lambda fields: fields.text("x"),
        lambda fields: fields.uuid("x"),
        lambda fields: fields.number("x", 0, 1),
        lambda fields: fields.whole("x", 0, 1),
        lambda fields: fields.flag("x"),
        lambda fields: fields.items("x"),
        lambda fields: fields.texts("x"),
        lambda fields: fields.raw("x"),
    ],
)
def test_an_absent_field_is_none(reader: Reader) -> None:
    """An absent field and a null one read as None, and only the null one counts as given."""
    assert reader(Fields({}, "it", ("x",))) is None
    assert reader(Fields({"x": None}, "it", ("x",))) is None
    assert ("x" in Fields({}, "it", ("x",)), "x" in Fields({"x": None}, "it", ("x",))) == (False, True)


@pytest.mark.parametrize("value", [True, "1", float("nan"), float("inf"), [], 2])
def test_a_number_is_a_number(value: object) -> None:
    """Booleans, texts, NaN and numbers out of range are no number."""
    with pytest.raises(Unusable, match="it: x must be a number from 0 to 1"):
        Fields({"x": value}, "it", ("x",)).number("x", 0, 1)


def test_a_uuid_is_read_in_lower_case() -> None:
    """A UUID reads the same however it is written; one with a line feed behind it is none."""
    written = "C0FFEE00-1111-4222-8333-444455556666"
    assert Fields({"x": written}, "it", ("x",)).uuid("x") == written.lower()
    with pytest.raises(Unusable, match="must be a UUID"):
        Fields({"x": written + "\n"}, "it", ("x",)).uuid("x")
