"""The numbers of the design that the rules count with; each has its reason where it stands."""

from service.core import rules, situation


def test_the_numbers_of_the_design() -> None:
    """How soon is looked again, how long is waited and how often is tried is what the design says, to the tenth."""
    assert situation.CONFIRM_LOOKS_SECONDS == (0.3, 0.6, 1.2, 2.4)
    assert (situation.CONFIRM_EVERY_SECONDS, situation.CONFIRM_WINDOW_SECONDS) == (2.4, 8)
    assert (situation.CALL_TIMEOUT_SECONDS, situation.GRACE_SECONDS) == (5, 5)
    assert (situation.VERIFY_BUDGET_SECONDS, situation.AGREE_SECONDS) == (900, 3)
    assert (situation.BLIND_FIRST_SECONDS, situation.BLIND_MOST_SECONDS) == (1, 30)
    assert (situation.BACK_OFF_SECONDS, situation.POISON_LAPSES) == ((1, 2, 4), 3)
    assert (situation.MOST_REFUSED, situation.MOST_OURS) == (4, 3)
    assert (rules.LEASE_SECONDS, rules.DESK_CALLS) == (6, 2)
    assert (rules.REPORT_FIRST_SECONDS, rules.REPORT_MOST_SECONDS, rules.REPORT_LIFE_SECONDS) == (1, 900, 86_400)


def test_the_numbers_fit_each_other() -> None:
    """A call ends before its lease does, and whoever must see it confirmed looks several times within the window."""
    assert situation.CALL_TIMEOUT_SECONDS < rules.LEASE_SECONDS < situation.CONFIRM_WINDOW_SECONDS
    assert sum(situation.CONFIRM_LOOKS_SECONDS) < situation.CONFIRM_WINDOW_SECONDS
