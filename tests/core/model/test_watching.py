"""What is counted in a minute, and under which time."""

from service.core.model.watching import GONE_SECONDS, Minute


def test_each_time_has_its_count() -> None:
    """The bounds rise, and an empty minute has a count for each of them and one for what took longer."""
    assert list(GONE_SECONDS) == sorted(set(GONE_SECONDS))
    assert Minute(0).gone == (0,) * (len(GONE_SECONDS) + 1)
