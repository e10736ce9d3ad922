"""Slack from end to end: somebody types or clicks, one person leaves, and it is told where it was asked."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
import structlog

from service import telemetry
from service.core import model as m
from service.core.rules import Minted
from service.flow import operations
from service.web.accounts import account_json
from tests.flow.stage import ANNA, Scene, Stage
from tests.sources.people.asking import Counter, kept
from tests.sources.senders import PHONE
from tests.sources.workspace import (
    CANARY,
    IN_CHANNEL,
    OPTIONS,
    USER,
    PlaySlack,
    button,
    command,
    delivery,
    error,
    pressed,
)

MINUTE = 60.0


def now(stage: Stage, body: bytes, **headers: str) -> m.Delivery:
    """Return a body that Slack signs now."""
    at = stage.clock.now()
    return delivery(body, stamped_at=at, at=at, **headers)


def at(stage: Stage) -> str:
    """Return this moment as Slack writes it."""
    return f"{stage.clock.now() // 1000}.{stage.clock.now() % 1000:03}000"


def asking(scene: Scene, stage: Stage) -> dict[str, bytes]:
    """Return the two ways to ask that the caller leaves."""
    line = f"{scene.cid} {PHONE}"
    return {"command": command(line), "button": button(actions=[pressed(line, action_ts=at(stage))])}


@pytest.mark.parametrize("way", ["command", "button"])
async def test_asked_done_and_told(stage: Stage, way: str) -> None:
    """A command hears at once that it arrived, a button nothing; the caller leaves; both and the channel are told."""
    play, scene = PlaySlack(), await stage.scene()
    counter = Counter.opened(stage, play.app, OPTIONS | IN_CHANNEL)
    body = asking(scene, stage)[way]
    for _ in range(2):  # the second is a repeat, and says the same
        answer = await counter.ask(now(stage, body))
        assert answer.status_code == 200
        if way == "button":
            assert answer.content == b""
        else:
            said = stage.place().wording.sentence("en", "receipt.open")
            block = {"type": "plain_text", "text": said, "emoji": False}
            assert answer.json() == {"response_type": "ephemeral", "blocks": [{"type": "section", "text": block}]}
    action_id = await counter.only_action()
    assert (await stage.finish(action_id)).kind is m.OutcomeKind.DISCONNECTED
    reports = await counter.told(action_id)
    assert {channel: report.state for channel, report in reports.items()} == dict.fromkeys(
        ("response", "channel"), m.ReportState.TOLD
    )
    ((path, shown),) = play.shown
    assert path.startswith("/commands/" if way == "command" else "/actions/")
    assert action_id in str(shown["text"])
    (message,) = play.messages
    assert message["text"] == f"<@{USER}> {shown['text']}"
    assert await scene.effects() == 1


@pytest.mark.parametrize("way", ["command", "button"])
async def test_the_first_answers_are_lost(stage: Stage, way: str) -> None:
    """Where the first answers were lost the channel has one message, for we look; the person is shown it twice."""
    play, scene = PlaySlack(), await stage.scene()
    play.lost = 2
    counter = Counter.opened(stage, play.app, OPTIONS | IN_CHANNEL)
    await counter.ask(now(stage, asking(scene, stage)[way]))
    action_id = await counter.only_action()
    await stage.finish(action_id)
    reports = await counter.told(action_id)
    assert [(report.state, report.tries) for report in reports.values()] == [(m.ReportState.TOLD, 2)] * 2
    assert (len(play.shown), len(play.messages), await scene.effects()) == (2, 1, 1)


async def test_two_people_click(stage: Stage) -> None:
    """Two clicks for the same person are one removal, and each is answered where it was made."""
    play, scene = PlaySlack(), await stage.scene()
    counter = Counter.opened(stage, play.app, OPTIONS)
    ways = asking(scene, stage)
    await counter.ask(now(stage, ways["command"]))
    await counter.ask(now(stage, ways["button"].replace(b"398738663015", b"398738663016")))
    action_id = await counter.only_action()
    await stage.finish(action_id)
    while due := [one for one in (await stage.account(action_id)).reports if one.state is m.ReportState.DUE]:
        await stage.clock.sleep(max(min(stage.due_in(one.id) for one in due), 0.0))
        await stage.tell()
    assert sorted(path.split("/")[1] for path, _ in play.shown) == ["actions", "commands"]
    assert await scene.effects() == 1


@pytest.mark.parametrize("retried", [False, True])
async def test_late_stays_late(stage: Stage, retried: bool) -> None:
    """What Slack signs late, or again, is not done late: it expires, and whoever clicked is told so."""
    play, scene = PlaySlack(), await stage.scene()
    counter = Counter.opened(stage, play.app, OPTIONS)
    ways = asking(scene, stage)
    await stage.clock.sleep(0.0 if retried else 3 * MINUTE)
    # a button says when it was clicked, whenever it is signed; a command that is a repeat may be six minutes old
    body, headers = (ways["command"], {"x_slack_retry_num": "1"}) if retried else (ways["button"], {})
    assert (await counter.ask(now(stage, body, **headers))).status_code == 200
    action_id = await counter.only_action()
    assert (await stage.finish(action_id)).kind is m.OutcomeKind.EXPIRED
    await counter.told(action_id)
    assert (len(play.shown), await scene.effects()) == (1, 0)


async def test_a_repeat_of_what_was_taken(stage: Stage) -> None:
    """A repeat of a command that arrived is that action, however late it comes, and counts no second time."""
    play, scene = PlaySlack(), await stage.scene()
    counter = Counter.opened(stage, play.app, OPTIONS)
    body = asking(scene, stage)["command"]
    await counter.ask(now(stage, body))
    action_id = await counter.only_action()
    assert (await stage.finish(action_id)).kind is m.OutcomeKind.DISCONNECTED
    await stage.clock.sleep(5 * MINUTE)
    again = await counter.ask(now(stage, body, x_slack_retry_num="3", x_slack_retry_reason="http_timeout"))
    assert "removed" in again.json()["blocks"][0]["text"]["text"]
    assert await scene.effects() == 1


async def test_slack_was_away_for_an_hour(stage: Stage) -> None:
    """When nobody can be answered any more at the click's address, the channel is told instead, and once."""
    play, scene = PlaySlack(), await stage.scene()
    counter = Counter.opened(stage, play.app, OPTIONS | IN_CHANNEL | {"reports": ["response"]})
    await counter.ask(now(stage, asking(scene, stage)["command"]))
    action_id = await counter.only_action()
    await stage.finish(action_id)
    play.refusals, play.is_over, play.lost = [error(None, 503)] * 12, True, 1
    report = (await counter.told(action_id))["response"]
    assert (report.state, report.tries) == (m.ReportState.TOLD, 14)
    assert (play.shown, len(play.messages)) == ([], 1)


async def test_nobody_can_be_told(stage: Stage) -> None:
    """Without a channel that is a dead letter that says why, and it does not show the address."""
    play, scene = PlaySlack(), await stage.scene()
    counter = Counter.opened(stage, play.app, OPTIONS)
    await counter.ask(now(stage, asking(scene, stage)["command"]))
    action_id = await counter.only_action()
    await stage.finish(action_id)
    play.refusals = [error("expired_url")]
    report = (await counter.told(action_id))["response"]
    assert (report.state, CANARY in report.error) == (m.ReportState.DEAD, False)
    assert "half an hour" in report.error


async def test_what_a_person_hears_of_a_mistake(stage: Stage) -> None:
    """A command that cannot be read is answered in words, as plain text; a button by an error that Slack shows."""
    counter = Counter.opened(stage, PlaySlack().app, OPTIONS)
    answer = await counter.ask(now(stage, command("<!channel> +14155550123")))
    block = answer.json()["blocks"][0]["text"]
    assert (answer.status_code, block["type"]) == (200, "plain_text")
    assert "<!channel> is not a Genesys conversation id" in block["text"]
    assert (await counter.ask(now(stage, button("nobody")))).status_code == 422
    handshake = await counter.ask(now(stage, b'{"type":"url_verification","challenge":"3eZbrw1aB","token":"t"}'))
    assert (handshake.status_code, handshake.json()) == (200, {"challenge": "3eZbrw1aB"})
    forged = await counter.ask(delivery(command(), secret="another secret of Slack's"))
    assert forged.status_code == 401
    assert [one.code for one in counter.refused.noted] == ["unreadable", "unreadable", "unauthorized"]


@pytest.fixture
def log() -> Iterator[io.BytesIO]:
    """Catch what is logged, at its most talkative."""
    stream = io.BytesIO()
    telemetry.configure("debug", stream)
    yield stream
    structlog.reset_defaults()


async def test_the_address_is_shown_nowhere(stage: Stage, log: io.BytesIO) -> None:
    """Where a click is answered is in no log, account, answer, refusal or outcome; after the end the report has it."""
    play, scene = PlaySlack(), await stage.scene()
    outcomes = {"outcome_url": "https://receiver.example/hook", "outcome_secret": f"whsec_{'cGxheS1z' * 6}"}
    counter = Counter.opened(stage, play.app, OPTIONS | IN_CHANNEL | outcomes)
    answers = [await counter.ask(now(stage, body)) for body in asking(scene, stage).values()]
    answers.append(await counter.ask(now(stage, command("nothing that can be read"))))
    action_id = await counter.only_action()
    accounts = [await stage.account(action_id)]
    assert {name for name, value in kept(stage).items() if CANARY in value} >= {stage.keys.action(action_id)}
    await stage.finish(action_id)
    play.refusals = [error("internal_error"), error("internal_error"), error("expired_url")]
    await counter.told(action_id)
    accounts.append(await stage.account(action_id))
    minted = Minted(f"acme.{'9' * 26}", "k" * 32)
    await operations.replay(stage.store, stage.clock, minted, action_id, by=ANNA, max_age_seconds=MINUTE)
    accounts.append(await stage.account(minted.action_id))
    outcome = next(heard for heard in play.heard if heard.path == "/hook")
    said = [
        *(f"{answer.text} {answer.headers}" for answer in answers),
        *(f"{account_json(account)} {account!r}" for account in accounts),
        *(f"{outcome.body!r} {outcome.headers}", repr(counter.refused.noted)),
        *(log.getvalue().decode(), str(list(kept(stage)))),
    ]
    assert [one for one in said if CANARY in one] == []
    assert "report.told" in log.getvalue().decode()
    still = {name for name, value in kept(stage).items() if CANARY in value}
    assert still
    assert all(name in {stage.keys.report(report.id) for report in accounts[1].reports} for name in still), still
