"""The head of a request is taken in one way alone; tests/web/wire.py has the same over a socket, and more of it."""

import pytest

from service.web.heads import fault_in

HOST = (b"host", b"onhook.example")
LENGTH = (b"content-length", b"2")
CHUNKED = (b"transfer-encoding", b" Chunked ")


@pytest.mark.parametrize(
    "headers, version, target, words",
    [
        ([HOST, LENGTH], "1.1", b"/webhooks/desk?a=b", ""),
        ([HOST, LENGTH], "1.0", b"/", ""),
        ([CHUNKED, HOST], "1.1", b"/", ""),
        ([(b"host", b"[::1]:8080")], "1.1", b"/", ""),
        ([(b"host", b"")], "1.1", b"/", ""),
        ([HOST], "2.0", b"/", "the version"),
        ([HOST], "0.9", b"/", "the version"),
        ([], "1.1", b"/", "exactly one Host"),
        ([HOST, HOST], "1.1", b"/", "exactly one Host"),
        ([(b"host", b"a, b")], "1.1", b"/", "exactly one Host"),
        ([(b"host", b"a/b")], "1.1", b"/", "exactly one Host"),
        ([(b"host", b"a@b")], "1.1", b"/", "exactly one Host"),
        ([HOST, CHUNKED], "1.0", b"/", "chunks are not"),
        ([HOST, CHUNKED, LENGTH], "1.1", b"/", "more than one way"),
        ([HOST, CHUNKED, CHUNKED], "1.1", b"/", "more than one way"),
        ([HOST, (b"transfer-encoding", b"gzip, chunked")], "1.1", b"/", "more than one way"),
        ([HOST, (b"upgrade", b"websocket")], "1.1", b"/", "no other protocol"),
        ([HOST], "1.1", b"http://onhook.example/", "must be a path"),
        ([HOST], "1.1", b"//onhook.example/", "must be a path"),
        ([HOST], "1.1", b"/a#b", "must be a path"),
        ([HOST], "1.1", b"*", "must be a path"),
    ],
)
def test_heads(headers: list[tuple[bytes, bytes]], version: str, target: bytes, words: str) -> None:
    """A head that could be read in another way is refused, with what is wrong with it; others are not."""
    fault = fault_in(headers, version, target, is_upgrade=False)
    assert (bool(fault), words in fault) == (bool(words), True)


def test_the_parser_sees_an_upgrade() -> None:
    """Where the parser takes a head for the end of HTTP it is refused, whatever it says."""
    assert fault_in([HOST], "1.1", b"/", is_upgrade=True) == "no other protocol is spoken here"
