"""What the console looks at, and what it acts through: the ports, and what the settings say of orgs and sources."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from service.core.ports import Archive, Clock, Dice, Refusals, Source, Store
from service.core.wording import Wording

# by org its mode, what of it is paused ("" for all of it), and which of its sources are in shadow
Standing = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Watch:
    """What every page and act is given.

    Attributes:
        orgs: of the settings, in their order.
        sources: of the settings, in their order.
        standing: asks the store; raises StoreDown.
    """

    store: Store
    archive: Archive
    refusals: Refusals
    clock: Clock
    dice: Dice
    orgs: tuple[str, ...]
    sources: Mapping[str, Source]
    wording: Wording
    standing: Callable[[], Awaitable[Standing]]
