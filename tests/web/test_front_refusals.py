"""What the public door turns away it notes for an operator, who is told more than the sender."""

from tests.web.doors import Desk


async def test_a_refusal_is_remembered(desk: Desk) -> None:
    """An operator can read what a sender is not told: when, which source, why, how large; a number in it is masked."""
    await desk.post(headers={"content-type": "application/json", "x-toy": "wrong"})
    await desk.post(b'{"a": 1, "a": 2}')
    await desk.post({"remove": "+19"}, x_id="one")
    await desk.post({"remove": "+14155550188"}, x_id="one")
    first, *_, last = desk.refused.noted
    assert (first.source, first.code, first.reason, first.size) == ("desk", "unauthorized", "the word is wrong", 26)
    assert (first.refused_at, first.secret_fingerprint) == (desk.clock.now(), "")
    assert (last.code, last.secret_fingerprint) == ("delivery_conflict", "abcd1234")
    assert len(desk.refused.noted) == 3
