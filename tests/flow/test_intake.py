"""Deliveries: verified, parsed, accepted; nothing is promised before the store said so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from service.core import model as m
from service.core.errors import BadSignature, Conflicting, Malformed, Refused, Stale, StoreDown, Unreadable
from service.core.ports import Source
from service.flow.intake import Intake
from tests.flow.meddler import Meddler, down, on, raising
from tests.flow.stage import ORG, SOURCE, Scene, Stage, counted

NOWHERE = "00000000-0000-4000-8000-000000000000"


class Counting:
    """A source that counts what it is asked, and whose parsing takes its time."""

    def __init__(self, stage: Stage, source: Source) -> None:
        self.stage, self.source, self.terms = stage, source, source.terms
        self.success_status, self.media_types = source.success_status, source.media_types
        self.verified = self.parsed = 0

    def verify(self, delivery: m.Delivery) -> m.Verified:
        self.verified += 1
        self.stage.clock.freeze(0.004)
        return self.source.verify(delivery)

    def parse(self, delivery: m.Delivery, verified: m.Verified) -> m.Removal | m.Ignored | m.Batch:
        self.parsed += 1
        self.stage.clock.freeze(0.002)
        return self.source.parse(delivery, verified)

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        raise NotImplementedError

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        raise NotImplementedError


@pytest.fixture
def scene(stage: Stage) -> Scene:
    """Give a conversation that nobody looks at here."""
    return Scene(stage, NOWHERE, [])


async def test_a_new_action(stage: Stage, scene: Scene) -> None:
    """A click becomes an action of the source's org, due at once, with its key and its timeline so far."""
    counting = Counting(stage, stage.sources[SOURCE])
    intake = Intake({SOURCE: counting}, stage.store, stage.clock, stage.dice, stage.terms_of)
    delivery = stage.delivery(scene, sys_id="9d385017c611228701d22104cc95c371")
    receipt = await intake.take(delivery)
    assert isinstance(receipt, m.Receipt)
    assert (m.org_of(receipt.action_id), receipt.joined, receipt.outcome) == (ORG, "", None)
    account = await stage.account(receipt.action_id)
    assert account.key == receipt.key
    assert stage.due_in(receipt.action_id) <= 0
    entries = {entry.verb: entry for entry in account.timeline}
    assert list(entries) == ["verify", "parse", "accept"]
    assert (entries["verify"].at, entries["verify"].duration_ms) == (delivery.received_at, 4.0)
    assert (entries["parse"].duration_ms, entries["parse"].note) == (2.0, "phone")
    assert entries["verify"].note.startswith("secret ")
    assert account.action.not_after == account.action.clicked_at + 120_000
    assert [report.state for report in account.reports] == [m.ReportState.WAITING]


async def test_a_click_like_any_other_wakes_nobody(stage: Stage, scene: Scene) -> None:
    """Who asks for what people ask for pauses nothing: no runaway is counted, and the log is silent."""
    before = counted("onhook_runaways_total", source=SOURCE)
    with capture_logs() as logs:
        await stage.click(scene)
    assert (counted("onhook_runaways_total", source=SOURCE), logs) == (before, [])


async def test_a_repeated_delivery(stage: Stage, scene: Scene) -> None:
    """The same delivery, once or re-signed, is the same action with the same key."""
    first = await stage.intake.take(stage.delivery(scene, msg="msg-a"))
    await stage.clock.sleep(5)
    again = await stage.intake.take(stage.delivery(scene, msg="msg-a"))
    assert isinstance(first, m.Receipt)
    assert isinstance(again, m.Receipt)
    assert (again.action_id, again.key, again.joined) == (first.action_id, first.key, "delivery")


async def test_the_same_wish(stage: Stage, scene: Scene) -> None:
    """Another click for the same person joins the open action."""
    first, second = await stage.click(scene), await stage.click(scene)
    assert first == second
    assert await stage.click(scene, preview=True) != first


async def test_the_same_id_with_another_body(stage: Stage, scene: Scene) -> None:
    """An id that comes back with another body is a conflict, and changes nothing."""
    action_id = await stage.click(scene, msg="msg-a")
    before = await stage.account(action_id)
    with pytest.raises(Conflicting):
        await stage.click(scene, msg="msg-a", reason="another")
    assert await stage.account(action_id) == before


async def test_a_receipt_knows_the_outcome(stage: Stage, scene: Scene) -> None:
    """A repeat that comes after the end is told how it ended."""
    await stage.finish(await stage.click(scene, msg="msg-a"))
    receipt = await stage.intake.take(stage.delivery(scene, msg="msg-a"))
    assert isinstance(receipt, m.Receipt)
    assert receipt.outcome is not None
    assert receipt.outcome.kind is m.OutcomeKind.NOT_FOUND


async def test_ignored(stage: Stage, scene: Scene) -> None:
    """An authentic delivery that asks nothing is answered, and nothing is stored."""
    ignored = await stage.intake.take(stage.delivery(scene, requested_by=stage.credentials["desk_user"]))
    assert isinstance(ignored, m.Ignored)
    assert stage.client.keys("*") == []


async def test_refused(stage: Stage, scene: Scene) -> None:
    """What is not proved, too old, or not to be understood is refused before anything is stored."""
    good = stage.delivery(scene)
    later = replace(good, received_at=good.received_at + 400_000)
    cases: list[tuple[m.Delivery, type[Refused], bool]] = [
        (replace(good, body=good.body + b" "), BadSignature, False),
        (replace(good, headers=good.headers[:2]), BadSignature, False),
        (later, Stale, True),
        (stage.delivery(scene, caller_phone=None), Unreadable, True),
        (stage.delivery(scene, conversation_id=".."), Unreadable, True),
    ]
    signed_by = stage.sources[SOURCE].verify(good).secret_fingerprint
    for delivery, error, was_signed in cases:
        with pytest.raises(error) as caught:
            await stage.intake.take(delivery)
        assert caught.value.secret_fingerprint == (signed_by if was_signed else "")
    assert stage.client.keys("*") == []


async def test_malformed(stage: Stage, scene: Scene) -> None:
    """Bytes that are signed and no JSON are malformed."""

    class Unsigned(Counting):
        def verify(self, delivery: m.Delivery) -> m.Verified:
            return m.Verified("msg", None, "00000000")

    source = Unsigned(stage, stage.sources[SOURCE])
    intake = Intake({SOURCE: source}, stage.store, stage.clock, stage.dice, stage.terms_of)
    with pytest.raises(Malformed):
        await intake.take(m.Delivery(SOURCE, (), b"{", stage.clock.now()))


@pytest.mark.parametrize("is_authentic", [True, False])
async def test_an_unknown_source_is_verified_in_vain(stage: Stage, scene: Scene, is_authentic: bool) -> None:
    """A name that no source has costs the same work, whatever the signature, and is a bad signature."""
    counting = Counting(stage, stage.sources[SOURCE])
    intake = Intake({SOURCE: counting}, stage.store, stage.clock, stage.dice, stage.terms_of)
    delivery = stage.delivery(scene, source="nobody")
    with pytest.raises(BadSignature, match="no such source"):
        await intake.take(delivery if is_authentic else replace(delivery, body=b"{}"))
    assert (counting.verified, counting.parsed) == (1, 0)


async def test_no_source_at_all(stage: Stage, scene: Scene) -> None:
    """Without any source every delivery is a bad signature."""
    with pytest.raises(BadSignature):
        await Intake({}, stage.store, stage.clock, stage.dice, stage.terms_of).take(stage.delivery(scene))


@pytest.mark.parametrize("when", ["before", "after"])
async def test_not_stored(stage: Stage, scene: Scene, when: str) -> None:
    """Where the store does not say yes nothing is promised; the sender's repeat is one action, stored once."""
    hook = {when: on("accept", raising(down()))}
    intake = Intake(
        stage.sources, stage.place(store=Meddler(stage.store, **hook)).store, stage.clock, stage.dice, stage.terms_of
    )
    delivery = stage.delivery(scene)
    with pytest.raises(StoreDown):
        await intake.take(delivery)
    receipt = await intake.take(delivery)
    assert isinstance(receipt, m.Receipt)
    assert receipt.joined == ("" if when == "before" else "delivery")
    assert stage.client.zcard(stage.keys.due_removals(ORG)) == 1
