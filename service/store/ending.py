"""How an action ends, in the words of the two scripts that end one: `settle` for its worker, `drop` for a person."""

from __future__ import annotations

from collections.abc import Sequence

from service.core import model as m
from service.core.lifecycle import ACTION_STEPS, REPORT_STEPS
from service.store import records
from service.store.budget import ms_of
from service.store.keys import Keys, Lives

# an intent is joined after the end only where the person was seen gone
_JOINED_AFTER = frozenset({m.OutcomeKind.DISCONNECTED, m.OutcomeKind.ALREADY_GONE})
_GONE_BOUNDS = " ".join(map(str, m.GONE_SECONDS))


def keys_of(keys: Keys, action_id: str) -> list[str]:
    """Return the keys that an end takes; ValueError where `action_id` is none."""
    org = action_id.partition(".")[0]
    return [keys.action(action_id), keys.timeline(action_id), keys.due_removals(org), keys.deliveries(action_id)]


def words_of(
    keys: Keys,
    lives: Lives,
    action_id: str,
    outcome: m.Outcome,
    *,
    seen_ago_seconds: float | None,
    entries: Sequence[m.Entry],
) -> list[str]:
    """Return the arguments of an end, from the state that the action gets to the last line of its timeline.

    Args:
        keys: the names of all keys.
        lives: how long what has ended stays.
        action_id: which action.
        outcome: how it ended.
        seen_ago_seconds: since the look that the outcome rests on; None where there was none.
        entries: what is written into the timeline.
    """
    is_removed = outcome.kind is m.OutcomeKind.DISCONNECTED
    return [
        *(ACTION_STEPS["settle"].to, action_id, action_id.partition(".")[0], keys.wake, records.json_of(outcome)),
        "1" if outcome.kind in _JOINED_AFTER else "",
        "" if seen_ago_seconds is None else ms_of(seen_ago_seconds),
        *(REPORT_STEPS["settle"].source, REPORT_STEPS["settle"].to),
        *(str(lives.action), str(lives.delivery), str(lives.hash_only), str(lives.ownership)),
        *(str(lives.audit), outcome.kind, records.ending_of(outcome)),
        _GONE_BOUNDS if is_removed else "",
        *records.lines_of(entries, action_id),
    ]
