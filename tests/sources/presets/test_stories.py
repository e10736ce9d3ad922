"""Each preset end to end: asked as its system asks, done, told on a desk that takes what its vendor documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import httpx
import pytest

from service.core import model as m
from service.outbound import Caller, Outgoing, Rule
from service.sources import KINDS, Outside
from service.sources.presets import NAMES, preset
from service.store.redis import RedisStore
from service.web.front import public_door
from tests.flow.meddler import Meddler, down, on
from tests.flow.stage import ORG, SOURCE, Scene, Stage
from tests.sources.presets.vendors import SIGNERS, PlayDesk, api_of, settings_of, signed
from tests.web.doors import Refused, client_on

ALL = sorted(NAMES)
SAMPLED = {"2026-11-20T09:00": "2100-01-01T00:00", "1795165200": "4102444800"}  # the moment the stage begins at
# these count their tries in what they send, and it is the same all the same
COUNTED = {"hubspot": ('"attemptNumber":0', '"attemptNumber":1'), "intercom": ('_attempts":1', '_attempts":2')}
# as vendors want it; a new preset's as it says
SUCCESS = {name: preset(name).options.get("success_status", 202) for name in ALL}
SUCCESS |= dict.fromkeys(SIGNERS, 200) | {"pagerduty": 202}


class Story:
    """One preset on a stage: its system, our door, and its desk."""

    def __init__(self, name: str, stage: Stage, scene: Scene, loses: int = 0) -> None:
        self.name, self.stage = name, stage
        self.desk = PlayDesk(api_of(name), loses)
        sample = preset(name).sample
        body = str(sample["body"]).strip().replace(str(sample["asks"]["conversation_id"]), scene.cid)
        for old, new in SAMPLED.items():
            body = body.replace(old, new)
        self.body, self.headers = body, cast("Mapping[str, str]", sample.get("headers", {}))
        self.sentence = str(preset(name).options.get("answer", {}).get("type", ""))  # how a chat is answered
        kind = KINDS[name]
        options = kind.options.model_validate(settings_of(name) | {"rate": 0, "runaway": 0})
        stage.sources[SOURCE] = kind.build(SOURCE, options, Outside(self._open_caller, stage.clock))

    def _open_caller(self, rules: Sequence[Rule]) -> Caller:
        return Caller(rules, self.stage.clock, Outgoing(), transport=lambda: self.desk)

    async def ask(self, change: Callable[[str], str] = str) -> httpx.Response:
        """Send the sample, signed now, over the public door."""
        body, stage = change(self.body).encode(), self.stage
        door = public_door(
            stage.intake,
            stage.store,
            stage.bells,
            stage.clock,
            Refused(),
            public_url="https://onhook.test",
            is_draining=lambda: False,
        )
        headers = {"Content-Type": "application/json", **self.headers, **signed(self.name, body, stage.clock.now())}
        return await client_on(door).post(f"/webhooks/{SOURCE}", content=body, headers=headers)

    async def repeat(self) -> httpx.Response:
        """Send it again, as its system does that never heard our answer."""
        return await self.ask(lambda body: body.replace(*COUNTED.get(self.name, ("", ""))))

    async def act(self) -> m.Account:
        """Let the one action there is end, and return all that is known of it."""
        (action_id,) = cast("list[bytes | str]", self.stage.client.zrange(self.stage.keys.due_removals(ORG), 0, -1))
        account_id = action_id.decode() if isinstance(action_id, bytes) else action_id
        await self.stage.finish(account_id)
        return await self.stage.account(account_id)

    async def told(self, action_id: str) -> m.Report:
        """Try until the one report is told or dead, and return it."""
        while (report := await self.stage.report(action_id)).state is m.ReportState.DUE:
            await self.stage.clock.sleep(max(self.stage.due_in(report.id), 0.0))
            await self.stage.tell()
        return report


def status_in(answer: httpx.Response) -> str:
    """Return what was said became of a delivery, in whatever shape; where a chat shows a sentence, that it is one."""
    body = answer.json()
    return str(body["results"][0]["status"] if body.get("status") == "batch" else body.get("status", body.get("type")))


@pytest.mark.parametrize("name", ALL)
async def test_asked_done_and_told(stage: Stage, name: str) -> None:
    """What the system sends removes the person, its repeat is the same action, and its ticket is told by its API."""
    scene = await stage.scene()
    story = Story(name, stage, scene)
    answers = [await story.ask(), await story.repeat()]
    assert [answer.status_code for answer in answers] == [SUCCESS[name]] * 2, answers[0].text
    assert [status_in(answer) for answer in answers] == (
        [story.sentence] * 2 if story.sentence else ["accepted", "duplicate"]
    )
    account = await story.act()
    assert account.action.outcome
    assert account.action.outcome.kind is m.OutcomeKind.DISCONNECTED
    assert await scene.effects() == 1
    assert (await story.told(account.action.id)).state is m.ReportState.TOLD, story.desk.strange
    (note,) = story.desk.notes
    assert account.action.id in note
    assert story.desk.strange == []
    late = await story.repeat()
    assert (late.status_code, status_in(late)) == (SUCCESS[name], status_in(answers[1]))
    assert await scene.effects() == 1


@pytest.mark.parametrize("name", ALL)
async def test_told_though_the_answer_was_lost(stage: Stage, name: str) -> None:
    """A desk whose answer was lost is asked before it is told again: one note if it shows them, else two."""
    story = Story(name, stage, await stage.scene(), loses=1)
    await story.ask()
    account = await story.act()
    report = await story.told(account.action.id)
    assert (report.state, report.tries) == (m.ReportState.TOLD, 2), story.desk.strange
    assert len(story.desk.notes) == (1 if api_of(name).look else 2)
    assert story.desk.strange == []


@pytest.mark.parametrize("name", ALL)
async def test_too_late(stage: Stage, name: str) -> None:
    """A system that could not reach us for ten minutes hears a yes, nobody is removed, and its ticket hears why."""
    scene = await stage.scene()
    story = Story(name, stage, scene)
    await stage.clock.sleep(600)
    assert (await story.ask()).status_code == SUCCESS[name]
    account = await story.act()
    assert account.action.outcome
    assert account.action.outcome.kind is m.OutcomeKind.EXPIRED
    assert (await story.told(account.action.id)).state is m.ReportState.TOLD
    assert await scene.effects() == 0


async def test_half_of_a_batch_of_hubspot(stage: Stage) -> None:
    """Half of a batch stored is no yes; its repeat, though it counts its tries, adds the other half alone."""
    scenes = [await stage.scene(), await stage.scene()]
    story = Story("hubspot", stage, scenes[0])
    event = story.body.strip("[]")
    story.body = f"[{event},{event.replace(scenes[0].cid, scenes[1].cid).replace('4711', '4712')}]"
    store, accepts = stage.store, iter((None, down(), None, None))

    def second_fails() -> None:
        if fault := next(accepts):
            raise fault

    stage.store = cast("RedisStore", Meddler(store, before=on("accept", second_fails, 4)))
    assert (await story.ask()).status_code == 503
    again = await story.repeat()
    stage.store = store
    assert again.status_code == 200
    assert [one["status"] for one in again.json()["results"]] == ["duplicate", "accepted"]
    place = stage.place()
    for one in again.json()["results"]:
        await stage.finish(one["action"], place)
    assert [await scene.effects() for scene in scenes] == [1, 1]
