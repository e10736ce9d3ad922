"""The trace in which somebody asked goes with the action to whoever works on it, and nowhere once it is forgotten."""

from __future__ import annotations

from service.core import model as m
from service.store.forgetting import Forgetting, Kind, Wanted
from tests.store.stories import GONE, ORG, Story

TRACE = m.Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", is_sampled=False)
OTHER = m.Trace("af7651916cd43dd8448eb211c80319c7", "b7ad6b7169203331")
BETH = {"requester": "beth.anglin"}


async def test_a_trace_goes_along(story: Story) -> None:
    """Whoever claims the action or its report, or reads it, knows in which trace it was asked."""
    claim = await story.claimed(asked_in=TRACE)
    assert (claim.action.asked_in, claim.action.trace) == (TRACE, TRACE)
    await story.store.settle(claim.lease, GONE, 0.0, ())
    (report,) = await story.claim_reports()
    assert report.action.asked_in == (await story.action(claim.action.id)).asked_in == TRACE


async def test_who_joins_changes_none(story: Story) -> None:
    """A second delivery, of the same click or of another, leaves the action in the trace of the first."""
    action_id = await story.accepted(asked_in=TRACE)
    assert await story.accepted(asked_in=OTHER) == action_id
    assert await story.accepted(intent_key=story.dice.token(), asked_in=OTHER) == action_id
    assert (await story.action(action_id)).trace == TRACE


async def test_an_action_without_one(story: Story) -> None:
    """Nothing is kept where no trace was named, as before there were any; the action has one of its own."""
    action_id = await story.accepted()
    assert story.client.hget(story.keys.action(action_id), "trace") is None
    action = await story.action(action_id)
    assert (action.asked_in, action.trace) == (None, m.trace_of(action_id))


async def test_what_is_no_trace(story: Story) -> None:
    """Whatever stands in its place in Redis that is none is read as none: nobody's work ends by it."""
    action_id = await story.accepted(asked_in=TRACE)
    story.client.hset(story.keys.action(action_id), "trace", "00-of a newer version")
    assert (await story.action(action_id)).trace == m.trace_of(action_id)


async def test_it_is_forgotten(story: Story) -> None:
    """With the action its sender's trace is forgotten: it leads to what others have written down of the same click."""
    action_id = await story.accepted(asked_in=TRACE, channels=(), **BETH)
    (claim,) = await story.claim()
    await story.store.settle(claim.lease, GONE, 0.0, ())
    story.clock.move(121)
    forgetting = Forgetting(story.runner, story.dice, now_ms=story.clock.now)
    wanted = Wanted(Kind.REQUESTER, BETH["requester"])
    await forgetting.forget(ORG, (), wanted, await forgetting.find(ORG, (), wanted), "anna")
    action = await story.action(action_id)
    assert (action.removal.requester, action.asked_in) == ("", None)
    assert TRACE.id not in str(story.state())
