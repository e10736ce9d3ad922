"""The numbers of the design that the store counts with; each has its reason where it stands."""

from service.core.situation import POISON_LAPSES
from service.store import (
    address,
    client,
    embedded,
    forgetting,
    health,
    launcher,
    ledger,
    records,
    redis,
    refusals,
    tags,
    waiter,
)
from service.store.keys import DAY, Lives


def test_how_long_things_stay() -> None:
    """What a setting does not say otherwise stays as long as the design says: no less, or sameness is forgotten."""
    assert DAY == 24 * 3_600_000
    assert Lives() == Lives(
        action=30 * DAY,
        delivery=7 * DAY,
        hash_only=2 * 3_600_000,
        ownership=3_600_000,
        allowance=DAY,
        step=10_000,
        unknown=30_000,
        refusals=7 * DAY,
        forgettings=365 * DAY,
        audit=30 * DAY,
        workers=600_000,
    )


def test_how_long_and_how_much_at_once() -> None:
    """Nobody waits for Redis longer than the design says, and no step of ours holds it up for others."""
    assert (client.TOTAL_SECONDS, client.WAIT_MS, client.SHARED_MOST) == (2, 900, 200)
    assert (address.SOCKET_SECONDS, address.CONNECTIONS) == (1, 32)
    assert client.WAIT_MS / 1000 < address.SOCKET_SECONDS < client.TOTAL_SECONDS
    assert (redis.SCAN_MOST, redis.SEND_MS) == (100, 2_000)
    assert redis.POISON_LAPSES == POISON_LAPSES
    assert (waiter.SILENCE_SECONDS, waiter.AGAIN_SECONDS) == (5, (0.1, 1))
    assert (waiter.CONNECTIONS, waiter.SETTLED_MOST) == (2, 1_000)
    assert (forgetting.WALK, forgetting.ATTESTED_MOST) == (1_000, 1_000)
    assert (records.WHO_CHARS, records.WHY_CHARS) == (100, 500)
    assert (ledger.AUDIT_MOST, ledger.DEAD_MOST, ledger.AWAY_MS) == (1_000, 1_000, "120000")
    assert (refusals.MOST, refusals.WRITE_SECONDS, refusals.REASON_CHARS) == (200, 1, 300)


def test_what_a_redis_must_be() -> None:
    """Since 6.2, four fifths of its memory, a second of its clock: beyond, it is no Redis to keep promises on."""
    assert (health.VERSION_LEAST, health.MEMORY_SHARE_MOST, health.CLOCK_OFFSET_MOST) == ((6, 2), 0.8, 1)


def test_how_an_embedded_one_is_waited_for() -> None:
    """It has ten seconds to start, three for the one before it to go, and five to end."""
    assert embedded.TURN_SECONDS * embedded.START_TURNS == 10
    assert embedded.TURN_SECONDS * embedded.LOCK_TURNS == 3
    assert (embedded.STOP_SECONDS, launcher.GRACE_SECONDS, launcher.LOOK_SECONDS) == (5, 3, 0.5)
    assert launcher.PR_SET_PDEATHSIG == 1


def test_how_a_tag_is_made() -> None:
    """Two numbers never meet, and nobody reads one from its tag."""
    assert (tags._TAG_HEX, tags._NAME_HEX, tags._RECOGNISED, tags._DIGITS_LEAST) == (32, 8, 4, 7)
