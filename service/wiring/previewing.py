"""How `onhook preview` asks a running service who would go: without a webhook, its signature and its ticket."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from service import settings
from service.core import model as m
from service.core.errors import Misconfigured, Unreadable
from service.core.ports import Source
from service.core.rules import Minted
from service.flow import operations
from service.outbound import Caller, Outgoing, Rule
from service.settings import Settings
from service.sources import KINDS, Outside, SourceOptions
from service.store.keys import Keys
from service.store.waiter import WakeWaiter
from service.wiring.house import opened_store
from service.wiring.machine import SystemClock, SystemDice
from service.wiring.secret import options_of


@dataclass(frozen=True, slots=True)
class Previewed:
    """What became of a preview: its action, and how that ended; None where it has not in time."""

    action_id: str
    outcome: m.Outcome | None


async def preview(source: str, data: Mapping[str, str], by: m.Operator, seconds: float) -> Previewed:
    """Ask as `source` what it could ask, but that nobody is removed, and wait for what comes of it.

    Args:
        source: its configured name.
        data: what stands under `data` in a webhook; what is wrong with it is said as to the source.
        by: the person who asks, for the timeline and the audit.
        seconds: how long to wait.

    Raises:
        Misconfigured: the settings cannot be used, there is no such source, or the data say nothing usable.
        StoreDown: Redis is away.
    """
    said, clock = settings.read(), SystemClock()
    async with AsyncExitStack() as stack:
        asked, terms = _asked(said, source, data, clock, stack)
        store, _, url = await stack.enter_async_context(opened_store(said, may_start=False))
        waiter = WakeWaiter(url, clock, keys=Keys(said.redis.prefix), is_cluster=said.redis.cluster or None)
        await stack.enter_async_context(waiter)
        dice = SystemDice(clock)
        minted = Minted(dice.action_id(terms.org), dice.token())
        receipt = await operations.preview(store, clock, minted, asked, terms, by=by)
        outcome = await operations.outcome_of(store, waiter, clock, receipt.action_id, seconds)
        return Previewed(receipt.action_id, outcome)


def _asked(
    said: Settings, name: str, data: Mapping[str, str], clock: SystemClock, stack: AsyncExitStack
) -> tuple[m.Removal, m.SourceTerms]:
    source = built(name, options_of(said, name), clock, stack)
    now = clock.now()
    stamp = datetime.fromtimestamp(now / 1000, UTC).isoformat()
    body = json.dumps({"type": "caller.remove", "timestamp": stamp, "data": data}).encode()
    try:
        # our own form asks for one thing, whatever the source's system sends
        removal = cast("m.Removal | m.Ignored", source.parse(m.Delivery(name, (), body, now), m.Verified("", now, "")))
    except Unreadable as fault:
        raise Misconfigured([str(fault)]) from None
    if isinstance(removal, m.Ignored):
        raise Misconfigured([removal.reason])
    return removal, source.terms


def built(name: str, options: SourceOptions, clock: SystemClock, stack: AsyncExitStack) -> Source:
    """Return the source `name` as a command needs it: to read what is asked. What it opens is closed with `stack`."""

    def open_caller(rules: Sequence[Rule]) -> Caller:
        caller = Caller(rules, clock, Outgoing())
        stack.push_async_callback(caller.aclose)
        return caller

    build = {kind.options: kind.build for kind in KINDS.values()}
    return build[type(options)](name, options, Outside(open_caller, clock))
