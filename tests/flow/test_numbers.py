"""The numbers of the design that the flow waits by; each has its reason where it stands."""

from service.core.rules import LEASE_SECONDS
from service.flow import removal, worker, workplace


def test_the_numbers_of_the_design() -> None:
    """How long a slot waits, and how soon something put back comes due again, is what the design says."""
    assert (removal.WAIT_HERE_SECONDS, removal.BEHIND_SECONDS, removal.OWNED_SECONDS) == (2, 0.5, 0.5)
    assert (removal.OUTAGE_SECONDS, removal.UNMARKED_SECONDS) == (1, 1)
    assert (worker.RECHECK_SECONDS, worker.TOGETHER_SECONDS, worker.REMOVAL_SLOTS) == (1, 0.005, 8)
    assert workplace.RENEW_SECONDS == 2


def test_a_killed_workers_action_is_anothers_within_eight_seconds() -> None:
    """A lease, its renewal and the re-check together leave promise 7 its eight seconds; two renewals may fail."""
    assert 3 * workplace.RENEW_SECONDS <= LEASE_SECONDS
    assert LEASE_SECONDS + worker.RECHECK_SECONDS < 8
