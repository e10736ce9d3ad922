"""What stands before every peer asks for the same proof as we do."""

from __future__ import annotations

import pytest

from service.sources.signing import signed
from tests.bench.peers.inside.door import TOLERANCE_SECONDS, is_signed

NOW = 1_795_684_500
SECRET = b"a play secret of thirty-two bytes"
BODY = b'{"type": "caller.remove"}'


def headers(at: float = NOW) -> dict[str, str]:
    """Return what our own sender says."""
    return signed(SECRET, "msg_1", int(at * 1000), BODY)


def test_what_we_sign_is_taken() -> None:
    """A delivery as our senders sign it is proved, also beside another signature."""
    said = headers()
    assert is_signed(SECRET, said, BODY, NOW)
    assert is_signed(SECRET, said | {"webhook-signature": f"v1,AAAA {said['webhook-signature']}"}, BODY, NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", ["", "1", "v1,AAAA", "ü"])
def test_another_header_is_not(name: str, value: str) -> None:
    """Another id, moment or signature is no proof."""
    assert not is_signed(SECRET, headers() | {name: value}, BODY, NOW)
    assert not is_signed(SECRET, {key: said for key, said in headers().items() if key != name}, BODY, NOW)


def test_another_body_or_secret_is_not() -> None:
    """The proof is of these bytes, by who knows this secret."""
    assert not is_signed(SECRET, headers(), BODY + b" ", NOW)
    assert not is_signed(SECRET[1:], headers(), BODY, NOW)


@pytest.mark.parametrize("seconds, taken", [(TOLERANCE_SECONDS, True), (TOLERANCE_SECONDS + 1, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_old_ones(seconds: int, sign: int, *, taken: bool) -> None:
    """Five minutes either way are allowed, as with us."""
    assert is_signed(SECRET, headers(NOW + sign * seconds), BODY, NOW) is taken
