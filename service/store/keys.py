"""Every Redis key, its type and its life, in one place: nothing else in the house makes a key.

A key is made of the prefix, the org as hash tag (a Cluster keeps all of an org in one slot) and words that are
names from the configuration, UUIDs, hex digests or ids of ours. Everything else is refused before it reaches Redis.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from service.core.model import ACTION_ID, ORG_NAME, UUID

PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)
# a digest or a nonce: 128 bits at least, SHA-512 at most
HEX = re.compile(r"[0-9a-f]{32,128}", re.ASCII)
REPORT_ID = re.compile(ACTION_ID.pattern + r"\.([0-9a-f]{8})", re.ASCII)
# a configured source, or the channel of a report
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
# of a day or an hour, counted from the epoch
COUNTED = re.compile(r"[0-9]{1,7}", re.ASCII)
# host, process and slot; stands in the timeline's JSON, so no quote and no backslash can be in it
WORKER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}", re.ASCII)

# of the part of an id behind its org: 17 minutes
_SPAN_CHARS = 6
DAY = 86_400_000


class Kind(NamedTuple):
    """One kind of key: what comes after `<prefix>:{<org>}:`, its Redis type, and how long it lives."""

    pattern: str
    type: str
    life: str


_ACTION = ACTION_ID.pattern
KINDS: tuple[Kind, ...] = (
    Kind(r"due:removals", "zset", "while an action is open; a member per open action"),
    Kind(rf"due:reports:{NAME.pattern}", "zset", "while a report of the source is due; a member per due report"),
    Kind(r"desks", "set", "while a report is due; a member per source that has one"),
    Kind(rf"held:{NAME.pattern}", "zset", "one lease: the reports that are being told at the source's desk"),
    Kind(rf"action:{_ACTION}", "hash", "none while open, then Lives.action"),
    Kind(rf"timeline:{_ACTION}", "list", "as its action"),
    Kind(rf"deliveries:{_ACTION}", "set", "while its action is open: the digests that lead to it"),
    Kind(rf"report:{REPORT_ID.pattern}", "hash", "as its action"),
    Kind(r"delivery:[0-9a-f]{32,128}", "hash", "none while its action is open, then Lives.delivery or Lives.hash_only"),
    Kind(r"intent:[0-9a-f]{32,128}", "string", "as the action it points to"),
    Kind(rf"conversation:{UUID.pattern}", "hash", "none while owned, then Lives.ownership"),
    Kind(r"paused", "hash", "until resumed; a field per paused source, and '' for the whole org"),
    Kind(r"budget", "string", "until the bucket is full again"),
    Kind(r"allowance", "string", "Lives.allowance after Genesys last said it: calls a window"),
    Kind(r"window:[0-9a-f]{32,128}", "hash", "until the window is over that Genesys counts one process in"),
    Kind(r"terms", "zset", "none while an action is open, then as the newest action; a member per span of time"),
    Kind(r"terms:[a-z0-9]{6}", "string", "as the newest action of its span of time; a row per action"),
    Kind(r"requester:[0-9a-f]{32,128}", "string", "until he may ask for a minute's worth again"),
    Kind(rf"rate:{NAME.pattern}", "string", "until the source may send a minute's worth again"),
    Kind(r"clicks:[0-9a-f]{32,128}", "list", "a minute after the newest: when a requester asked; of bounded length"),
    Kind(rf"refusals:{NAME.pattern}", "list", "Lives.refusals after the newest; of bounded length"),
    Kind(rf"audit:{COUNTED.pattern}", "list", "Lives.audit after the end of its day; only ever added to"),
    Kind(rf"minutes:{COUNTED.pattern}", "hash", "25 hours after the end of its hour; of bounded size"),
    Kind(r"dead", "zset", "as the newest of its reports may live; a member per dead letter"),
    Kind(r"workers", "hash", "Lives.workers after one of them was there; a field per worker"),
    Kind(r"forgettings", "list", "Lives.forgettings after the newest; of bounded length"),
    Kind(r"floor", "hash", "until the Retry-After is over"),
    Kind(r"claim:[0-9a-f]{32,128}", "string", "one lease: the answer to the same claim asked again"),
    Kind(r"step:[0-9a-f]{32,128}", "string", "Lives.step: the answer to the same step asked again"),
)


@dataclass(frozen=True, slots=True)
class Lives:
    """How long things stay, in milliseconds.

    Attributes:
        action: a settled action, its timeline, reports and intent.
        delivery: a delivery, counted from the end of its action.
        hash_only: the same where the key is the body's hash alone: a real second click may look the same.
        ownership: who owned a conversation last; an attempt is over long before.
        allowance: what Genesys said that a window has; each answer says it again.
        step: the answer to a step that leaves no record; we ask again for two seconds.
        unknown: how long a record written by a newer version is left alone.
        refusals: what was refused, counted from the newest.
        forgettings: who let something be forgotten, counted from the newest: it may be asked for long after.
        audit: a day's lines of the audit, counted from the end of the day.
        workers: who was there, counted from who was there last.
    """

    action: int = 30 * DAY
    delivery: int = 7 * DAY
    hash_only: int = 7_200_000
    ownership: int = 3_600_000
    allowance: int = DAY
    step: int = 10_000
    unknown: int = 30_000
    refusals: int = 7 * DAY
    forgettings: int = 365 * DAY
    audit: int = 30 * DAY
    workers: int = 600_000


def _checked(pattern: re.Pattern[str], word: str, what: str) -> str:
    if pattern.fullmatch(word) is None:
        raise ValueError(f"{word[:80]!r} is not {what}")
    return word


# orgs stand in the settings, so there are few; what may be none is looked at each time
@lru_cache(maxsize=1024)
def _base(prefix: str, org: str) -> str:
    return f"{prefix}:{{{_checked(ORG_NAME, org, 'the name of an org')}}}:"


def _counted(number: int) -> str:
    return _checked(COUNTED, str(number), "a day or an hour since the epoch")


def hex_in(word: str) -> str:
    """Return `word`, a lower-case hex digest or nonce; ValueError for anything else."""
    return _checked(HEX, word, "a hex digest")


def name_in(word: str) -> str:
    """Return `word`, the configured name of a source or a channel; ValueError for anything else."""
    return _checked(NAME, word, "a configured name")


def worker_in(word: str) -> str:
    """Return `word`, the name of a worker; ValueError for anything else."""
    return _checked(WORKER, word, "a worker's name")


def action_of(report_id: str) -> str:
    """Return the id of the action that the report `report_id` tells of; ValueError for anything else."""
    return _checked(REPORT_ID, report_id, "a report id").rpartition(".")[0]


def due_topic(org: str, kind: str) -> str:
    """Return what is published when something of `kind` (`removals`, `reports`) is due in `org`."""
    return f"{kind}:{org}"


def settled_topic(action_id: str) -> str:
    """Return what is published when an action was settled."""
    return f"settled:{action_id}"


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of all keys under one prefix; every method raises ValueError for a word that may not be in a key."""

    prefix: str = "onhook"

    def __post_init__(self) -> None:
        """Refuse a prefix that could be taken for more than a prefix."""
        _checked(PREFIX, self.prefix, "a prefix: lower-case letters, digits, - and _")

    def base(self, org: str) -> str:
        """Return what every key of `org` begins with; the scripts put the derived keys together from it."""
        return _base(self.prefix, org)

    def base_of(self, action_id: str) -> str:
        """Return `base` of the org that an action id carries."""
        return self.base(_checked(ACTION_ID, action_id, "an action id").partition(".")[0])

    @property
    def wake(self) -> str:
        """The one channel of all wakes."""
        return f"{self.prefix}:wake"

    @property
    def probe(self) -> str:
        """The key that the dry-run writes and that lives a second; no org can be called so."""
        return f"{self.prefix}:{{_}}:probe"

    def due_removals(self, org: str) -> str:
        """Return the open actions of `org`, scored by when a worker may next touch them."""
        return f"{self.base(org)}due:removals"

    def due_reports(self, org: str, source: str) -> str:
        """Return the due reports for the desk of `source`, scored likewise."""
        return f"{self.base(org)}due:reports:{name_in(source)}"

    def desks(self, org: str) -> str:
        """Return the sources of `org` that have due reports."""
        return f"{self.base(org)}desks"

    def held(self, org: str, source: str) -> str:
        """Return the reports that are being told at the desk of `source`, scored by the end of their leases."""
        return f"{self.base(org)}held:{name_in(source)}"

    def action(self, action_id: str) -> str:
        """Return the record of an action."""
        return f"{self.base_of(action_id)}action:{action_id}"

    def begun(self, action_id: str) -> tuple[str, str, str]:
        """Return `action`, `timeline` and `deliveries` of an action: what begins with it."""
        base = self.base_of(action_id)
        return f"{base}action:{action_id}", f"{base}timeline:{action_id}", f"{base}deliveries:{action_id}"

    def actions(self, org: str) -> str:
        """Return the pattern that the records of all actions of `org` fit."""
        return f"{self.base(org)}action:*"

    def timeline(self, action_id: str) -> str:
        """Return the timeline of an action."""
        return f"{self.base_of(action_id)}timeline:{action_id}"

    def deliveries(self, action_id: str) -> str:
        """Return the digests of the deliveries that lead to an open action."""
        return f"{self.base_of(action_id)}deliveries:{action_id}"

    def report(self, report_id: str) -> str:
        """Return the record of a report."""
        return f"{self.base_of(action_of(report_id))}report:{report_id}"

    def delivery(self, org: str, digest: str) -> str:
        """Return the record of a delivery."""
        return f"{self.base(org)}delivery:{hex_in(digest)}"

    def intent(self, org: str, digest: str) -> str:
        """Return the pointer from a wish to its latest action."""
        return f"{self.base(org)}intent:{hex_in(digest)}"

    def conversation(self, org: str, conversation_id: str) -> str:
        """Return who owns a conversation, and who did last."""
        return f"{self.base(org)}conversation:{_checked(UUID, conversation_id, 'a UUID')}"

    def paused(self, org: str) -> str:
        """Return what is paused in `org`."""
        return f"{self.base(org)}paused"

    def budget(self, org: str) -> str:
        """Return the bucket of `org`."""
        return f"{self.base(org)}budget"

    def allowance(self, org: str) -> str:
        """Return what Genesys said that a window of `org` has."""
        return f"{self.base(org)}allowance"

    def window(self, org: str, process: str) -> str:
        """Return what the running window of one process' token has seen."""
        return f"{self.base(org)}window:{hex_in(process)}"

    def terms(self, org: str) -> str:
        """Return of which spans of time there are terms by which actions of `org` are found."""
        return f"{self.base(org)}terms"

    def terms_in(self, action_id: str) -> str:
        """Return by which terms the actions are found whose ids were made when that of `action_id` was."""
        return f"{self.base_of(action_id)}terms:{action_id.rpartition('.')[2][:_SPAN_CHARS]}"

    def requester(self, org: str, digest: str) -> str:
        """Return how much of his rate a requester of a source has used."""
        return f"{self.base(org)}requester:{hex_in(digest)}"

    def rate(self, org: str, source: str) -> str:
        """Return how much of its rate a source has used."""
        return f"{self.base(org)}rate:{name_in(source)}"

    def clicks(self, org: str, digest: str) -> str:
        """Return when a requester of a source asked within the last minute."""
        return f"{self.base(org)}clicks:{hex_in(digest)}"

    def floor(self, org: str) -> str:
        """Return the moment before which nobody calls Genesys for `org`."""
        return f"{self.base(org)}floor"

    def refusals(self, org: str, source: str) -> str:
        """Return the newest refused deliveries of `source`."""
        return f"{self.base(org)}refusals:{name_in(source)}"

    def forgettings(self, org: str) -> str:
        """Return who let something of `org` be forgotten, and when."""
        return f"{self.base(org)}forgettings"

    def audit(self, org: str, day: int) -> str:
        """Return the audit of one day, which is counted from the epoch."""
        return f"{self.base(org)}audit:{_counted(day)}"

    def minutes(self, org: str, hour: int) -> str:
        """Return what happened in which minute of an hour, which is counted from the epoch."""
        return f"{self.base(org)}minutes:{_counted(hour)}"

    def dead(self, org: str) -> str:
        """Return the dead letters of `org`, scored by when they died."""
        return f"{self.base(org)}dead"

    def workers(self, org: str) -> str:
        """Return who works for `org`."""
        return f"{self.base(org)}workers"

    def everything(self, org: str) -> str:
        """Return the pattern that all keys of `org` fit."""
        return f"{self.base(org)}*"

    def claim(self, org: str, token: str) -> str:
        """Return what was claimed with `token`."""
        return f"{self.base(org)}claim:{hex_in(token)}"

    def step(self, org: str, step: str) -> str:
        """Return the answer that the step `step` was given."""
        return f"{self.base(org)}step:{hex_in(step)}"
