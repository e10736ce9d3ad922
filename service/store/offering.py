"""An offer in the words of `accept`, and its answer: made for each webhook, so with as little effort as can be."""

from __future__ import annotations

from service.core import model as m
from service.core.errors import BacklogFull, Conflicting, TooMany, UnknownVersion
from service.core.lifecycle import ACTION_STEPS, REPORT_STEPS
from service.store import records, terms
from service.store.budget import ms_of
from service.store.keys import Keys, Lives, hex_in, name_in
from service.store.script import Reply
from service.store.tags import Tags


class Offering:
    """Makes the words; what is the same in each is made once.

    Args:
        keys: the names of all keys.
        lives: how long what has ended stays.
        tags: how numbers are found again after they were cut.
    """

    def __init__(self, keys: Keys, lives: Lives, tags: Tags) -> None:
        self._keys = keys
        self._tags = tags
        action, report = ACTION_STEPS["settle"], REPORT_STEPS["settle"]
        self._states = (ACTION_STEPS["join"].source, action.to, report.source, report.to)
        self._lives = (str(lives.action), str(lives.delivery), str(lives.hash_only))
        self._audit = str(lives.audit)

    def words_of(self, offer: m.Offer) -> tuple[list[str], list[str]]:
        """Return the keys, and the arguments behind the first two, as the script says them."""
        keys, org, removal, bounds = self._keys, offer.org, offer.removal, offer.bounds
        intent = self._tags.blinded(org, offer.intent_key or "")
        kept, masked = records.json_of(removal), records.json_of(records.masked(removal))
        names = [keys.due_removals(org), keys.delivery(org, offer.delivery_key), *keys.begun(offer.action_id)]
        if intent:
            names.append(keys.intent(org, intent))
        return names, [
            *(org, keys.wake, *self._states, *self._lives),
            *(offer.action_id, offer.key, name_in(offer.source)),
            *(keys.conversation(org, removal.conversation_id)[-36:], kept, "" if masked == kept else masked),
            *("" if removal.event_at is None else str(removal.event_at), ms_of(offer.max_age_seconds)),
            *(offer.delivery_key, hex_in(offer.body_hash), "1" if offer.is_hash_only else ""),
            *(intent, offer.replay_of, "1" if offer.is_shadow else ""),
            *(offer.requester_key and hex_in(offer.requester_key), str(offer.requester_rate)),
            *(self._tags.of(org, removal), str(bounds.rate), str(bounds.backlog), str(bounds.runaway)),
            *(bounds.clicker and hex_in(bounds.clicker), *terms.of_offer(offer)),
            *(offer.asked_in.traceparent if offer.asked_in else "", *records.reports_of(offer)),
            *(*records.lines_of(offer.entries, offer.action_id), self._audit, records.by_of(offer.by)),
        ]


def receipt_in(reply: Reply) -> m.Receipt:
    """Return the receipt, or raise Conflicting, TooMany, BacklogFull or UnknownVersion."""
    if isinstance(reply, list) and reply[:1] == ["ok"]:  # nearly always, so it is not matched word by word
        _, joined, action_id, key, outcome, is_runaway = map(str, reply)
        return m.Receipt(action_id, key, joined, records.outcome_in(outcome), is_runaway == "1")
    match reply:
        case ["conflict"]:
            raise Conflicting("a delivery with this id was received before, with another body")
        case ["too many", str(micros)]:
            seconds = -(-int(micros) // 1_000_000)  # up: who waits so long is taken
            raise TooMany(f"This source sends too much. Send it again in {seconds} s.", retry_after_seconds=seconds)
        case ["full"]:
            raise BacklogFull("Too much is waiting to be done already. Nothing was stored. Send it again later.")
        case _:
            raise UnknownVersion("this delivery was stored by a newer version of this service")
