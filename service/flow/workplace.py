"""What every attempt works with: the ports, and the terms an action stands under right now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from service import telemetry
from service.core import model as m
from service.core.errors import LeaseLost, StoreDown
from service.core.ports import Agenda, Budget, Clock, Dice, Genesys, Source, Store, Token, Waiter
from service.core.wording import SHIPPED, Wording
from service.traces import Spans

RENEW_SECONDS = 2.0  # so that two renewals may fail before the lease is over


@dataclass(frozen=True, slots=True)
class Workplace:
    """The ports of one process.

    Attributes:
        worker: the name this process signs its claims with.
        genesys: by org.
        sources: by name.
        terms: by org: policy and mode.
        stopping: set when the process is told to end; attempts then give their leases back instead of waiting.
        narrowings: by source: what it says on top of its org's.
        wording: how outcomes are told.
        spans: what is said in traces.
        tokens: by org: how long its token is still good for, and why there is none.
        agenda: where something is due, of many orgs at once; None: each is asked by itself, however many there are.
    """

    worker: str
    store: Store
    budget: Budget
    waiter: Waiter
    clock: Clock
    dice: Dice
    genesys: Mapping[str, Genesys]
    sources: Mapping[str, Source]
    terms: Mapping[str, m.Terms]
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    narrowings: Mapping[str, m.Limits] = field(default_factory=dict)
    wording: Wording = SHIPPED
    spans: Spans = field(default_factory=Spans)
    tokens: Mapping[str, Callable[[], Token]] = field(default_factory=dict)
    agenda: Agenda | None = None

    def terms_of(self, org: str, source: str) -> m.Terms:
        """Return the terms of what `source` asks of `org`.

        Nobody is removed for a source that is not in the settings: it was taken out since, or this process does not
        know it yet, and then it does not know either what that source refuses.
        """
        known = self.source_of(org, source) is not None
        narrowed = self.narrowings.get(source, m.Limits()) if known else m.Limits(purposes=frozenset())
        return replace(self.terms[org], narrowed_by=narrowed)

    def looks_first(self, org: str) -> bool:
        """Whether nobody who asks something of `org` is refused without a look: then a claim may take the look along.

        Else who may not ask would use up the calls of those who may.
        """
        asks = [name for name, source in self.sources.items() if source.terms.org == org]
        narrowings = [self.narrowings[name] for name in asks if name in self.narrowings]
        return not any(limits.requesters for limits in (self.terms[org].policy, *narrowings))

    def source_of(self, org: str, name: str) -> Source | None:
        """Return the source that `org` knows as `name`, or None: another org's of that name is none of its own.

        A name may be given to another org's source while an action of the old one is kept.
        """
        source = self.sources.get(name)
        return source if source is not None and source.terms.org == org else None

    @asynccontextmanager
    async def renewing(self, lease: m.Lease, renew: Callable[[m.Lease], Awaitable[None]]) -> AsyncIterator[None]:
        """Keep `lease` alive with `renew` while the block runs. A lost lease shows at the block's next write."""
        task = asyncio.create_task(self._renew_until_lost(lease, renew))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _renew_until_lost(self, lease: m.Lease, renew: Callable[[m.Lease], Awaitable[None]]) -> None:
        rest = RENEW_SECONDS
        while True:
            await self.clock.sleep(rest)
            began = self.clock.monotonic()
            try:
                await renew(lease)
            except LeaseLost:
                return
            except StoreDown:
                # the next renewal may come through in time; if not, the lease ends and every write is refused
                telemetry.emit(telemetry.Event.STORE_LOST, "warning", during="renew", id=lease.id)
            except Exception as fault:  # noqa: BLE001 - as above; a fault of ours must not go unseen either
                telemetry.emit_fault(fault, lease.id)
            # a store that needs its two seconds to say no is asked again at once, or one failure would cost the lease
            rest = max(0.0, RENEW_SECONDS - (self.clock.monotonic() - began))
