"""The same looked at on every server that keeps something: a Cluster is no better than the worst of its masters."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, Unpack, runtime_checkable

from service.core.errors import StoreDown
from service.store.health import Asked, Finding, Health, Topic, Verdict, examine, unreached
from service.store.keys import Keys
from service.store.script import Runner


@runtime_checkable
class Several(Protocol):
    """A runner that knows of each server by itself."""

    async def masters(self) -> Mapping[str, Runner]:
        """Return who asks each server that keeps something, by what to call it in a sentence; "" where it is alone.

        Raises:
            StoreDown: nobody can say.
        """
        ...


async def examine_all(runner: Runner, keys: Keys, **asked: Unpack[Asked]) -> Health:
    """Do as `health.examine` does with each server there is, and say of which one each fault is. Never raises."""
    if not isinstance(runner, Several):
        return await examine(runner, keys, **asked)
    try:
        masters = await runner.masters()
    except StoreDown as fault:
        return Health((unreached(fault),))
    several = await asyncio.gather(*(examine(one, keys, **asked) for one in masters.values()))
    return together(dict(zip(masters, several, strict=True)))


def together(several: Mapping[str, Health]) -> Health:
    """Return what is known of all of them: what is wrong or unknown anywhere, and what is fine everywhere."""
    findings: list[Finding] = []
    for name, health in several.items():
        findings += [_named(one, name) for one in health.findings if one.verdict is not Verdict.FINE]
    wrong = {one.topic for one in findings}
    fine = {one.topic: one for health in several.values() for one in health.findings if one.topic not in wrong}
    shares = [health.memory_share for health in several.values() if health.memory_share is not None]
    # whether Redis was reached at all comes first
    order = list(Topic)
    return Health(
        tuple(sorted((*fine.values(), *findings), key=lambda one: order.index(one.topic))),
        " and ".join(sorted({health.version for health in several.values()})),
        " and ".join(sorted({health.role for health in several.values()})),
        max(shares, default=None),
    )


def _named(finding: Finding, name: str) -> Finding:
    return replace(finding, sentence=f"{name}: {finding.sentence}") if name else finding
