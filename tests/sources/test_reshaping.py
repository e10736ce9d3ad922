"""What a body may have been when it was signed: each way that people's tools write it anew is tried, and named."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.sources.reshaping import shapes

PLAIN = '{"a":[1,{}],"b":"Zoë \\u00fc 1/2"}'


def words_of(sent: bytes, signed: bytes) -> list[str]:
    """Return what is said where `signed` was signed and `sent` came."""
    return [shape.words for shape in shapes(sent) if shape.body == signed]


@pytest.mark.parametrize(
    "sent, signed, words",
    [
        (PLAIN, PLAIN, ""),
        (PLAIN + "\n", PLAIN, "without the line end behind it"),
        (PLAIN + "\r\n", PLAIN, "without the line end behind it"),
        (PLAIN, PLAIN + "\n", "with a line end (LF) behind it"),
        (PLAIN, PLAIN + "\r\n", "with a line end (CRLF) behind it"),
        (f"  {PLAIN} ", PLAIN, "without the blanks around it"),
        ('{\r\n"a":1}', '{\n"a":1}', "with LF instead of CRLF between its lines"),
        ('{\n"a":1}', '{\r\n"a":1}', "with CRLF instead of LF between its lines"),
        ("\ufeff" + PLAIN, PLAIN, "without the byte order mark before it"),
        (PLAIN, "\ufeff" + PLAIN, "with a byte order mark before it"),
        ('{"a": "é😀\\u00fc"}', '{"a": "\\u00e9\\ud83d\\ude00\\u00fc"}', "with all beyond ASCII escaped, like \\u00e9"),
        ('{"a": "é"}', '{"a": "\\u00E9"}', "with all beyond ASCII escaped, like \\u00E9"),
        ('{"a": "\\u00e9\\uD83D\\ude00"}', '{"a": "é😀"}', "with its \\uXXXX written as letters"),
        ('{"a": "\\u000a\\u00e9"}', '{"a": "\\u000aé"}', "with its \\uXXXX written as letters"),
        ('{"a": "1/2"}', '{"a": "1\\/2"}', "with / escaped as \\/"),
        ('{"a": "1\\/2"}', '{"a": "1/2"}', "with \\/ written as /"),
        ('{"b": 1, "a": 2}', '{"a":2,"b":1}', "with its JSON minified, its fields sorted"),
        ('{"b":1,"a":2}', '{"a": 2, "b": 1}', "with its JSON sorted, and a blank behind commas and colons"),
        ("not json", "not json\n", "with a line end (LF) behind it"),
    ],
)
def test_each_way(sent: str, signed: str, words: str) -> None:
    """What was signed is found among the shapes of what was sent, and how it differs is said."""
    assert words_of(sent.encode(), signed.encode()) == [words]


@pytest.mark.parametrize(
    "words, written",
    [
        ("with its JSON minified", {"separators": (",", ":")}),
        ("with a blank behind the commas and colons of its JSON", {}),
        ("with its JSON indented by 2", {"indent": 2}),
        ("with its JSON indented by 4", {"indent": 4}),
        ("with its JSON indented by tabs", {"indent": "\t"}),
    ],
)
def test_json_is_laid_as_others_lay_it(words: str, written: dict[str, object]) -> None:
    """JSON that was printed anew is found as the library that most people use prints it, empty lists and all."""
    value = {"a": [1, {}, [], [[2], {"b": None}]], "c": 'x,:{}[]"\\', "d": {}, "e": -1.5e-7}
    printed = json.dumps(value, **written)  # type: ignore[arg-type] # the options of a table
    sent = json.dumps(value, indent=3).encode()
    assert words_of(sent, printed.encode()) == [words]


def test_numbers_stay_as_they_are_written() -> None:
    """JSON laid anew keeps each number and escape as the sender wrote it: 1.0 stays 1.0, and 1e5 stays 1e5."""
    assert words_of(b'{"a": 1.0, "b": 1e5, "c": "\\u0041"}', b'{"a":1.0,"b":1e5,"c":"\\u0041"}') != []


def test_several_changes() -> None:
    """Up to three changes at once are found, and said together."""
    (words,) = words_of('{"a": "Zoë", "b": 1}'.encode(), b'{"a":"Zo\\u00eb","b":1}\n')
    assert words == (
        "with its JSON minified and with all beyond ASCII escaped, like \\u00e9 and with a line end (LF) behind it"
    )


def test_what_is_no_text() -> None:
    """Bytes that are no UTF-8, and a body in Latin-1 or none at all, are shapes as well."""
    assert [shape.words for shape in shapes(b"\xff\n")] == ["", "left out: nothing was signed in its place"]
    assert words_of("Zoë".encode(), "Zoë".encode("latin-1")) == ["in Latin-1 instead of UTF-8"]
    assert words_of("€".encode(), b"") == ["left out: nothing was signed in its place"]


@given(st.one_of(st.binary(max_size=80), st.text(alphabet='{}[]",:\\/u09afé\ud800😀 \r\n\ufeff', max_size=40)))
def test_hostile_bodies(body: bytes | str) -> None:
    """Whatever a body is, it is among its shapes first, no shape comes twice, and fewer changes come before more."""
    sent = body.encode(errors="surrogatepass") if isinstance(body, str) else body
    found = list(shapes(sent))
    assert (found[0].body, found[0].words) == (sent, "")
    assert len({shape.body for shape in found}) == len(found)
    changes = [shape.changes for shape in found if shape.words[:2] not in {"in", "le"}]
    assert changes == sorted(changes)


@pytest.mark.parametrize("part", ["\\u00e9", "\\\\u", '"\\', "\r\n"])
def test_large_bodies_take_no_time(part: str) -> None:
    """A body as large as the door takes is turned in all ways within seconds, whatever is in it."""
    began = time.process_time()
    body = (part * (65_536 // len(part))).encode()[:65_536]
    assert sum(1 for _ in shapes(body)) > 1
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    "body", [b'{"a": "\\ud800"}', b'{"a":"\\ud800\\u00e9"}', b"[" * 5000, b'{"a":' + b"1" * 5000 + b"}"]
)
def test_json_that_is_odd(body: bytes) -> None:
    """Half a surrogate pair, a depth or a number that nobody reads are no reason to fail."""
    assert next(iter(shapes(body))).body == body
    assert len(list(shapes(body))) > 1
