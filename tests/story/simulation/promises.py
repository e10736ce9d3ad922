"""The promises, as questions to what really happened; each broken one is named, with its proof."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import cast

from service.core import model as m
from tests.story.simulation.chaos import LINK_SECONDS
from tests.story.simulation.cloud import Stay
from tests.story.simulation.failover import HIT, KEPT
from tests.story.simulation.ledger import End, Wish
from tests.story.simulation.scenes import NAMES, SET_MOST
from tests.story.simulation.story import Story

MOST_OURS, MOST_REFUSED = 3, 4
Broken = tuple[str, str]
K = m.OutcomeKind


def broken_in(story: Story) -> list[Broken]:
    """Return every promise that this story broke."""
    questions = (_ends, _same, _sends, _deadlines, _effects, _outcomes, _reports, _audited, _last_pair, _leftovers)
    found = [*story.ledger.breaches, *(broken for question in questions for broken in question(story))]
    return [broken for broken in found if broken[0] in KEPT] if story.ledger.hits[HIT] else found


def _ends(story: Story) -> Iterator[Broken]:
    for action in story.ledger.conversations:
        ends = story.ledger.ends.get(action, [])
        account = story.accounts.get(action)
        kept = account.action.outcome.kind if account and account.action.outcome else None
        if len(ends) != 1 or kept is not ends[0].outcome:
            yield "one outcome", f"{action} ended as {[end.outcome.value for end in ends]}, and keeps {kept}"


def _same(story: Story) -> Iterator[Broken]:
    for wish in story.ledger.wishes:
        if len(set(wish.actions)) > 1:
            yield "the same delivery, the same action", f"{wish.message} is {sorted(set(wish.actions))}"
        if not wish.actions:
            yield "the same delivery, the same action", f"{wish.message} was never taken"


def _sends(story: Story) -> Iterator[Broken]:
    for action, account in story.accounts.items():
        sends = account.action.sends
        if len([send for send in sends if send.is_ours]) > MOST_OURS:
            yield "at most three", f"{action} has {len(sends)} sends"
        if len([send for send in sends if not send.is_ours]) > MOST_REFUSED:
            yield "at most three", f"{action} was refused {len(sends)} times"


def _wish(story: Story, action: str) -> Wish:
    """Return the delivery that made an action, not one that joined it; nobody's, where no sender was told of it."""
    nobody = Wish("", "", ("", ""), "", 0, 0.0, "", "")
    told = (wish for wish in story.ledger.wishes if action in wish.actions)
    return next((wish for wish in told if wish.clicked_at == story.ledger.clicks[action]), nobody)


def _deadlines(story: Story) -> Iterator[Broken]:
    for patch in story.ledger.patches:
        mark = patch.mark
        if mark is None:
            yield "marked first", f"{patch.action or 'nobody'} sent without a mark of its own"
            continue
        if patch.at > mark.at + mark.left_seconds + 0.001:
            yield "not past its deadline", f"{patch.action} sent {patch.at - mark.at:.3f} s after its mark"
        wish = _wish(story, patch.action)
        # by the clock of Redis, as it was at the mark
        if mark.now_ms + (patch.at - mark.at) * 1000 > wish.clicked_at + wish.max_age_seconds * 1000 + 1:
            yield "late is wrong", f"{patch.action} sent after its not-after"


def _is_meant(story: Story, wish: Wish, stay: Stay) -> bool:
    """Whether a participant entry belongs to the person whom a click named."""
    talk = story.cloud.talks.get(wish.conversation)
    stays = talk.stays if talk else []
    value = wish.selector[1]
    names = {one.name for one in stays if one.id == value}
    names |= {NAMES[phone] for phone in (value, wish.identity) if phone in NAMES}
    return stay.name != "agent" and stay in stays and stay.name in names


def _effects(story: Story) -> Iterator[Broken]:
    stays = {stay.id: stay for talk in story.cloud.talks.values() for stay in talk.stays}
    removed: dict[str, list[str]] = {}
    for patch in story.ledger.patches:
        stay = stays.get(patch.participant)
        if stay is None or patch.action not in story.accounts:
            yield "nobody else", f"{patch.action or 'nobody'} sent for {patch.participant}"
            continue
        wish = _wish(story, patch.action)
        if story.cloud.talks[patch.conversation].org != m.org_of(patch.action):
            yield "nobody else", f"{patch.action} sent for a conversation of another org"
        if not _is_meant(story, wish, stay):
            yield "nobody else", f"{patch.action} sent for {stay.name} {stay.id}"
        if not patch.is_effective:
            continue
        removed.setdefault(patch.action, []).append(stay.id)
        if stay.is_back and stay.joined_at > wish.clicked_at and wish.selector[1] != stay.id:
            yield "who came back stays", f"{patch.action} dropped {stay.id}, who joined after the click"
    for action, whom in removed.items():
        if len(whom) > 1:
            yield "once", f"{action} removed {whom}"


def _had_left(story: Story, action: str, end: End) -> bool:
    """Whether somebody who was meant had left by himself, or by another action."""
    wish = _wish(story, action)
    return any(
        stay.left_at is not None and stay.left_at <= end.at and stay.cause != action and _is_meant(story, wish, stay)
        for talk in story.cloud.talks.values()
        for stay in talk.stays
    )


def _outcomes(story: Story) -> Iterator[Broken]:
    for action, account in story.accounts.items():
        ends = story.ledger.ends.get(action, [])
        if not ends:
            continue
        end, ours = ends[0], story.ledger.ours(action)
        effects = [patch for patch in story.ledger.patches if patch.action == action and patch.is_effective]
        said = f"{action} says {end.outcome} {end.reason}"
        if effects and end.outcome not in {K.DISCONNECTED, K.UNKNOWN}:
            yield "no lies", f"{said}, and removed {effects[0].participant} at {effects[0].at:.3f}"
        match end.outcome:
            case K.DISCONNECTED:
                pin = account.action.progress.pin
                everybody = [stay for talk in story.cloud.talks.values() for stay in talk.stays]
                stays = [stay for stay in everybody if pin and stay.id == pin.participant_id]
                if not ours or not any(s.left_at is not None and s.left_at <= end.at for s in stays):
                    yield "no lies", f"{said}, with {len(ours)} of ours, and the target is there"
            case K.UNKNOWN if not ours and end.reason != "participant_lost" and not account.action.sends:
                yield "no lies", f"{said}, and nothing was sent"
            case K.ALREADY_GONE if not _had_left(story, action, end) and _names_no_agent(story, action):
                yield "no lies", f"{said}, and nobody had left"
            case K.NOT_FOUND if _is_there(story, action):
                yield "no lies", f"{said}, and there he is"
            case K.EXPIRED if end.now_ms + _early_ms(story) < account.action.not_after or account.action.sends:
                yield "no lies", f"{said}, {account.action.not_after - end.now_ms} ms too early"
            case _:
                pass


def _early_ms(story: Story) -> float:
    """How far ahead of Redis a worker's idea of now may be: the claim waited, and the clock was set back since."""
    was_set = story.ledger.hits["clock set back"] > 0
    return 1000 * (LINK_SECONDS + (SET_MOST if was_set else 0.0))


def _is_there(story: Story, action: str) -> bool:
    """Whether somebody who was meant is listed; whose id a merge took away is there, and nobody can know."""
    wish = _wish(story, action)
    talk = story.cloud.talks.get(wish.conversation)
    if talk is None or talk.org != wish.org or _by_lost_id(story, wish):
        return False
    return any(stay.is_listed and _is_meant(story, wish, stay) for stay in talk.stays)


def _by_lost_id(story: Story, wish: Wish) -> bool:
    listed = {stay.id for talk in story.cloud.talks.values() for stay in talk.stays if stay.is_listed}
    return wish.selector[0] == "participant_id" and wish.selector[1] not in listed and not wish.identity


def _names_no_agent(story: Story, action: str) -> bool:
    named = _wish(story, action).selector[1]
    return all(stay.id != named or stay.name != "agent" for talk in story.cloud.talks.values() for stay in talk.stays)


def _reports(story: Story) -> Iterator[Broken]:
    notes = story.ledger.notes
    for action, account in story.accounts.items():
        for report in account.reports:
            mine = [note for note in notes if note.report == report.id]
            if report.state not in {m.ReportState.TOLD, m.ReportState.DEAD}:
                yield "the ticket is told", f"{report.id} is {report.state}"
            if report.state is m.ReportState.TOLD and not mine:
                yield "the ticket is told", f"{report.id} is told, and no note stands there"
            if len([note for note in mine if not note.is_stale]) > 1:
                yield "told once", f"{report.id} stands there {len(mine)} times"
        tickets = {report.ticket.reference for report in account.reports if report.ticket}
        asked = {wish.ticket for wish in story.ledger.wishes if action in wish.actions and wish.ticket}
        if asked - tickets:
            yield "the ticket is told", f"{action} has no report for {asked - tickets}"


def _audited(story: Story) -> Iterator[Broken]:
    """One line in the audit for each end, and none for anything that did not end so."""
    lines: dict[str, list[tuple[str, str]]] = {}
    for key in story.client.scan_iter("*}:audit:*", count=1000):
        for said in map(json.loads, cast("list[str]", story.client.lrange(str(key), 0, -1))):
            if said[1] == m.Deed.SETTLE:
                lines.setdefault(said[2], []).append((said[6], said[7]))
    ended = {action: [(end.outcome.value, end.reason) for end in ends] for action, ends in story.ledger.ends.items()}
    for action in lines.keys() | ended.keys():
        if lines.get(action) != ended.get(action):
            yield "one line in the audit", f"{action} ended as {ended.get(action)}, audited as {lines.get(action)}"


def _last_pair(story: Story) -> Iterator[Broken]:
    if story.terms.policy.last_pair != "refuse":
        return
    for conversation in story.cloud.lonely:
        causes = {stay.cause for stay in story.cloud.talks[conversation].stays}
        if "himself" not in causes:
            yield "the last pair stays", f"our removals left one alone in {conversation}"


def _leftovers(story: Story) -> Iterator[Broken]:
    keys = sorted(str(key) for key in story.client.scan_iter(count=1000))
    with story.client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.pttl(key)
        lives = pipe.execute()
    for key, life in zip(keys, lives, strict=True):
        if life == -1:
            yield "no key without a life", key
