"""The words that the document is made of say what JSON Schema means by them."""

from __future__ import annotations

from service.web import shapes


def test_the_words() -> None:
    """A shape asks for all its fields, a list for its items, a word for one of a few; null is said, and names point."""
    text = shapes.TEXT
    assert shapes.shape(a=text) == {"type": "object", "required": ["a"], "properties": {"a": text}}
    assert shapes.list_of(text) == {"type": "array", "items": text}
    assert shapes.words(["a", "b"]) == {"type": "string", "enum": ["a", "b"]}
    assert shapes.or_null(text) == {"oneOf": [text, {"type": "null"}]}
    assert shapes.ref("Wish") == {"$ref": "#/components/schemas/Wish"}
    assert "Wish" in shapes.SCHEMAS
