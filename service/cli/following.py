"""The commands that tell what happens, as it happens: `tail`, and the audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Annotated

import typer

from service.cli.printing import Form

Org = Annotated[str, typer.Option(help="Only this org; all configured ones without it.")]
Source = Annotated[str, typer.Option(help="Only what this source asks.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document a line.")]
Since = Annotated[str, typer.Option(help="From then on: 90m, 24h, 7d, 2026-11-20, 2026-11-20T09:00:00Z.")]
Until = Annotated[str, typer.Option(help="Until then.")]
# keys and how wide they are shown: a moment has 24 characters, an id its org and 27
_TAIL = {"at": 24, "event": 8, "action": 36, "source": 12, "ticket": 12, "requester": 16, "person": 12, "outcome": 12}
_TAIL |= {"reason": 12, "seconds": 7}
_AUDIT = {"at": 24, "deed": 7, "about": 36, "source": 12, "ticket": 12, "requester": 16, "person": 12, "outcome": 12}
_AUDIT |= {"seconds": 7, "who": 16, "why": 16, "gap": 1}


def tail(org: Org = "", source: Source = "", as_json: Json = False) -> None:
    """Show actions as they are accepted and as they settle, until Ctrl-C.

    While Redis is away it waits, and says so; what happened meanwhile is shown then.

    Example: onhook tail --source servicenow
    """
    import asyncio

    from service.cli import printing
    from service.wiring import following as rooms
    from service.wiring.lifetime import Stop

    show: Callable[[Mapping[str, object]], None] = printing.line if as_json else printing.columns(_TAIL)

    async def told() -> None:
        async with aclosing(rooms.tail(org, source, printing.say, Stop())) as events:
            async for event in events:
                show(event)

    asyncio.run(told())


def audit(
    org: Org = "",
    since: Since = "",
    until: Until = "",
    form: Annotated[Form, typer.Option("--format", help="How.")] = Form.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format jsonl.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what is written from now on.")] = False,
) -> None:
    """Show who was removed for whom, by which ticket and how it ended, and what people did: the oldest first.

    It is only ever added to. Who it was is read from the action's record: what was forgotten is not shown any more.

    Example: onhook audit --since 7d --format csv > audit.csv
    """
    import asyncio

    from service.cli import printing
    from service.core.errors import Misconfigured
    from service.wiring import following as rooms
    from service.wiring.lifetime import Stop

    if follow and until:
        raise Misconfigured(["--follow and --until: what has an end is not followed; leave one of them out"])
    shown = Form.JSONL if as_json else form
    show = printing.columns(_AUDIT) if shown is Form.TABLE else printing.writer(is_csv=shown is Form.CSV)

    async def told() -> None:
        is_followed = (printing.say, Stop()) if follow else None
        with printing.progress("lines", is_beside=True) as step:
            async with aclosing(rooms.audit(org, since, until, follow=is_followed)) as lines:
                async for line in lines:
                    show(line)
                    step()

    asyncio.run(told())
