"""The commands for actions: find them, look at one, write them out, ask again, give up."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any

import typer

from service.cli.printing import Form

app = typer.Typer(
    name="actions", help="Actions: find them, look at one, write them out, ask again, give up.", no_args_is_help=True
)


def _outcomes() -> list[str]:
    """Return what completes `--outcome`."""
    from service.core.model import OPEN, OutcomeKind

    return [OPEN, *OutcomeKind]


Id = Annotated[str, typer.Argument(help="Its id, which begins with its org.", show_default=False)]
Text = Annotated[
    str,
    typer.Option(
        "--search", help="A whole id (conversation, participant, ticket, requester, delivery), or a number's last four."
    ),
]
Org = Annotated[str, typer.Option(help="Only of this org; of all configured ones without it.")]
Source = Annotated[str, typer.Option(help="Only what this source asked.")]
Outcome = Annotated[
    str, typer.Option(help="Only what ended so: disconnected, failed, …; or open.", autocompletion=_outcomes)
]
Since = Annotated[str, typer.Option(help="Received then or later: 90m, 24h, 7d, 2026-11-20, 2026-11-20T09:00:00Z.")]
Until = Annotated[str, typer.Option(help="Received before then.")]
Why = Annotated[str, typer.Option(help="Why, for the audit.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before it is done.")]
Json = Annotated[bool, typer.Option("--json", help="Say it as one JSON document, for programs.")]
# what matters most stands first
_SHOWN = ("action", "outcome", "ticket", "person", "received_at", "reason", "source", "requester", "seconds")
_STEPS = ("verb", "duration_ms", "status", "note", "correlation_id", "worker")
_REPORTS = ("ticket", "state", "tries", "error", "channel")


@app.command("list")
def list_(
    text: Text = "",
    org: Org = "",
    source: Source = "",
    outcome: Outcome = "",
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option(min=1, max=200, help="So many at most.")] = 50,
    after: Annotated[str, typer.Option(help="Where the page before said to go on.")] = "",
    as_json: Json = False,
) -> None:
    """Show actions that fit, the newest first, a page at a time.

    Example: onhook actions list --outcome failed --since 24h
    """
    import asyncio

    from service.cli import printing
    from service.wiring import acting as rooms

    page: Any = asyncio.run(rooms.listed(rooms.Wish(text, org, source, outcome, since, until), limit, after))
    if as_json:
        printing.line(page)
        return
    if page["actions"]:
        printing.table([*map(_head, _SHOWN)], ([one[key] for key in _SHOWN] for one in page["actions"]))
    if page["after"]:
        printing.say(f"there is more: the same with --after {page['after']}")
    elif not page["actions"]:
        printing.say("nothing fits" + ("" if after else "; with fewer words, or for a longer time, there may be more"))


@app.command(short_help="Show one action: how it ended, why, and its timeline.")
def show(
    text: Annotated[str, typer.Argument(help="Its id, or whatever it is found by, if it is the only one.")],
    as_json: Json = False,
) -> None:
    """Show one action: how it ended and why, its timeline, what was sent, and what its tickets were told.

    Ends with 1 where there is no such action, or more than one that fits; they are named then.

    Example: onhook actions show INC0010112
    """
    from service.cli import printing
    from service.wiring import acting as rooms

    told: Any = printing.done(rooms.shown(text))
    if as_json:
        printing.line(told)
        return
    printing.facts(_facts(told))
    printing.table(["after s", *map(_head, _STEPS)], _timeline(told), "Timeline")
    sends = [(send, send["answer"] or {}) for send in told["sends"]]
    keys = ("kind", "status", "code", "message", "correlation_id")
    rows = ([send["number"], *map(answer.get, keys), send["marked_at"]] for send, answer in sends)
    if sends:
        printing.table(["send", "answer", *map(_head, keys[1:]), "marked at"], rows, "Sends")
    if told["reports"]:
        reports = ([*map({**one, "ticket": _ticket(one["ticket"])}.get, _REPORTS)] for one in told["reports"])
        printing.table(_REPORTS, reports, "Reports")


@app.command(short_help="Write all actions that fit to standard output.")
def export(
    form: Annotated[Form, typer.Option("--format", help="jsonl, or csv.")] = Form.JSONL,
    text: Text = "",
    org: Org = "",
    source: Source = "",
    outcome: Outcome = "",
    since: Since = "",
    until: Until = "",
) -> None:
    """Write all actions that fit to standard output, the newest first, however many there are.

    What a spreadsheet would take for a formula has an apostrophe before it.

    Example: onhook actions export --format csv --since 30d > actions.csv
    """
    import asyncio

    from service.cli import printing
    from service.core.errors import Misconfigured
    from service.wiring import acting as rooms

    if form is Form.TABLE:
        raise Misconfigured(["--format: jsonl or csv; `onhook actions list` shows a table"])
    write = printing.writer(is_csv=form is Form.CSV)

    async def told() -> None:
        with printing.progress("actions", is_beside=True) as step:
            async with aclosing(rooms.exported(rooms.Wish(text, org, source, outcome, since, until))) as actions:
                async for one in actions:
                    write(one)
                    step()

    asyncio.run(told())


@app.command(short_help="Ask again for what an action asked, after a preview.")
def replay(
    action_id: Id,
    why: Why,
    within: Annotated[
        float | None, typer.Option(min=1, max=3600, help="It may be done within so many seconds from now.")
    ] = None,
    wait: Annotated[float, typer.Option(min=0, max=3600, help="Wait so long for preview and outcome.")] = 20,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Ask again for what an action asked: a preview first, then, if you agree, a new action; the ticket is told again.

    Without --within the click stays the old one: what was too late stays too late. With --json and without --yes there
    is the preview alone. Ends with 0 asked again, with 1 not, with 2 wrong use.

    Example: onhook actions replay acme.01k… --within 120 --why "the desk was down, the caller is still there"
    """
    from service.cli import printing
    from service.wiring import acting as rooms
    from service.wiring.machine import operator

    by = operator(why)
    preview = printing.done(rooms.rehearse(action_id, by, wait))
    if not as_json:
        typer.echo(f"Preview: {_ending(preview.ended, wait)}")
    is_agreed = yes or (not as_json and typer.confirm("Ask for it again, now?", err=True))
    new = printing.done(rooms.replay(action_id, within, by, wait)) if is_agreed else None
    if as_json:
        told = {"of": action_id, "preview": preview.ended, "replay": new and new.action_id, "ended": new and new.ended}
        printing.line(told)
    elif new:
        typer.echo(f"Asked again as {new.action_id}: {_ending(new.ended, wait)}")
    else:
        printing.say("nothing was asked again")
    sys.exit(0 if new else 1)


@app.command(short_help="End an open action of which nothing was sent yet.")
def drop(action_id: Id, why: Why, yes: Yes = False, as_json: Json = False) -> None:
    """End an open action of which nothing was sent yet: nobody is removed for it, and its tickets are told so.

    Example: onhook actions drop acme.01k… --why "wrong caller, says the agent"
    """
    from service.cli import printing
    from service.core.errors import Misconfigured
    from service.wiring import acting as rooms
    from service.wiring.machine import operator

    if as_json and not yes:
        raise Misconfigured(["--json does not ask: say --yes to drop it"])
    if not yes and not typer.confirm(f"Drop {action_id}? Nobody will be removed for it", err=True):
        printing.say("nothing was dropped")
        sys.exit(1)
    printing.done(rooms.drop(action_id, operator(why)))
    if as_json:
        printing.line({"dropped": action_id})
    else:
        typer.echo(f"Dropped: {action_id}.")


def _facts(told: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    outcome = told["outcome"]
    yield "action", told["action"]
    yield "outcome", f"{outcome['kind']} ({outcome['reason']})" if outcome else told["state"]
    yield "explanation", told["explanation"]
    yield "operator", told["operator"]
    yield "asked by", ", ".join(filter(None, (told["source"], _ticket(told["ticket"]), told["requester"])))
    yield "why", told["why"]
    yield "person", f"{told['selector']['kind']} {told['selector']['value']}"
    yield "conversation", told["conversation"]
    for name in ("clicked", "received", "settled"):
        yield name, told[f"{name}_at"]
    yield "not after", told["not_after"]
    yield "took", told["seconds"] and f"{told['seconds']:.1f} s from the click"
    yield "replay of", told["replay_of"]
    for name in ("bystanders", "remaining", "vanished"):
        yield name, ", ".join(f"{count} {purpose}" for purpose, count in (outcome or {}).get(name, {}).items())


def _timeline(told: Mapping[str, Any]) -> Iterator[list[object]]:
    """Yield a row for each step: how long after the receipt it began, and what is known of it."""
    received = datetime.fromisoformat(told["received_at"])
    for step in told["timeline"]:
        after = (datetime.fromisoformat(step["at"]) - received).total_seconds()
        yield [f"{after:.3f}", *map(step.get, _STEPS)]


def _head(key: str) -> str:
    return {"duration_ms": "ms"}.get(key, key.replace("_", " "))


def _ticket(ticket: Mapping[str, str] | None) -> str:
    return ticket["label"] or ticket["reference"] if ticket else ""


def _ending(ended: Mapping[str, Any] | None, wait: float) -> str:
    from service.cli import printing

    if ended is None:
        return f"no outcome in {wait:g} s; does a worker run, and is the org paused?"
    return printing.cell(f"{ended['outcome']['kind']}: {ended['explanation']}")
