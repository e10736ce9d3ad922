"""What an operator does at the console is done once, with a reason, is written down, and is said afterwards."""

from __future__ import annotations

import re

import pytest

from service.core import model as m
from service.core.errors import StoreDown
from service.web.console.sessions import Role
from tests.flow.stage import ORG, SOURCE, Scene
from tests.web.pages.lookout import Lookout

NOBODY = f"acme.{9:026}"


async def clicked(lookout: Lookout) -> tuple[Scene, str]:
    """Let somebody click for the caller of a conference; return the conversation and the action's id."""
    scene = await lookout.stage.scene()
    return scene, await lookout.stage.click(scene, sys_id=await lookout.stage.ticket())


async def deeds(lookout: Lookout) -> list[tuple[str, str, str]]:
    """Return what people did, as the audit has it: deed, who, why."""
    return [(line.deed.value, line.who, line.why) for line in await lookout.audit() if line.deed is not m.Deed.SETTLE]


async def buried(lookout: Lookout) -> str:
    """Let a ticket not be told for good; return the report's id."""
    action_id = await lookout.stage.click(await lookout.stage.scene(), sys_id="0" * 32)
    await lookout.stage.finish(action_id)
    await lookout.stage.tell()
    report = await lookout.stage.report(action_id)
    assert report.state is m.ReportState.DEAD
    return report.id


def hidden(html: str, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found
    return found[1]


@pytest.mark.parametrize("what, said", [("acme", "org acme"), ("acme/desk", "source desk")])
async def test_pause_and_resume(lookout: Lookout, what: str, said: str) -> None:
    """What an operator pauses is paused until it is resumed; both are said, and written down with who and why."""
    shown = await lookout.follow(await lookout.post("/pause", {"what": what, "why": "flood"}))
    assert f"Paused: {said}." in shown
    assert "by operator: flood" in shown
    _, action_id = await clicked(lookout)
    assert "its org or source is paused" in await lookout.text(f"/actions/{action_id}")
    source = SOURCE if "/" in what else ""
    assert await lookout.stage.store.paused(ORG) == {source}
    shown = await lookout.follow(await lookout.post("/resume", {"what": what}))
    assert f"Going on: {said}." in shown
    assert await lookout.stage.store.paused(ORG) == frozenset()
    assert await deeds(lookout) == [("pause", "operator", "flood"), ("resume", "operator", "")]


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"what": "acme"}, "Say why"),
        ({"what": "acme", "why": " \u200b\u00ad "}, "Say why"),
        ({"what": "acme", "why": "x" * 301}, "more than 300 characters"),
        ({"what": "evil", "why": "x"}, "There is no org evil."),
        ({"what": "acme/evil\u202e", "why": "x"}, "There is no source evil� of org acme."),
        ({"why": "x"}, "There is no org"),
    ],
)
async def test_no_pause(lookout: Lookout, fields: dict[str, str], words: str) -> None:
    """A pause without a reason, or of what is not there, is refused in words, and nothing is paused."""
    answer = await lookout.post("/pause", fields, status=422)
    assert words in answer.text
    assert await lookout.stage.store.paused(ORG) == frozenset()
    assert await deeds(lookout) == []


async def test_a_reply_that_is_lost(lookout: Lookout) -> None:
    """Where Redis did not say whether it was done, the page does not say that it was not."""
    store = lookout.stage.store

    class Deaf:
        """A store that does what it is asked, and is not heard."""

        async def pause(self, org: str, source: str = "", *, by: m.Operator) -> None:
            await store.pause(org, source, by=by)
            raise StoreDown("the reply was lost")

    object.__setattr__(lookout.watch, "store", Deaf())
    answer = await lookout.post("/pause", {"what": "acme", "why": "flood"}, status=503)
    assert "it may have been, and it may not" in answer.text
    assert "nothing was changed" not in answer.text
    assert await deeds(lookout) == [("pause", "operator", "flood")]


async def test_drop(lookout: Lookout) -> None:
    """An action that was dropped ends as refused, removes nobody, and both page and audit say who did it and why."""
    scene, action_id = await clicked(lookout)
    shown = await lookout.follow(await lookout.post(f"/actions/{action_id}/drop", {"why": "wrong call"}))
    assert "Dropped: nobody is removed for it" in shown
    assert "refused dropped" in shown
    assert await scene.effects() == 0
    assert await deeds(lookout) == [("drop", "operator", "wrong call")]
    answer = await lookout.post(f"/actions/{action_id}/drop", {"why": "again"}, status=422)
    assert "Not done" in answer.text


async def test_no_drop(lookout: Lookout) -> None:
    """What is not there, or has no reason, is not dropped."""
    _, action_id = await clicked(lookout)
    await lookout.post(f"/actions/{NOBODY}/drop", {"why": "x"}, status=404)
    assert "Say why" in (await lookout.post(f"/actions/{action_id}/drop", status=422)).text
    assert (await lookout.stage.account(action_id)).action.outcome is None


async def test_retell(lookout: Lookout) -> None:
    """Dead letters are told again, one or many; what is none any more is counted apart."""
    first, second = await buried(lookout), await buried(lookout)
    shown = await lookout.follow(await lookout.post("/dead/retell", {"report": [first, second], "why": "mended"}))
    assert "2 to be told again" in shown
    assert "No dead letters" in shown
    shown = await lookout.follow(await lookout.post("/dead/retell", {"report": [first, first, "no id at all"]}))
    assert "0 to be told again" in shown
    assert "2 were no dead letters any more" in shown
    assert await deeds(lookout) == [("retell", "operator", "mended")] * 2


@pytest.mark.parametrize(
    "reports, words", [([], "No letter was chosen"), ([f"{NOBODY}.{n:08x}" for n in range(201)], "No more than 200")]
)
async def test_no_retell(lookout: Lookout, reports: list[str], words: str) -> None:
    """Nothing chosen, or too much of it, is refused in words."""
    assert words in (await lookout.post("/dead/retell", {"report": reports}, status=422)).text


async def test_replay(lookout: Lookout) -> None:
    """Before an action is asked again it is shown who would go; then a new action does it, once, however often sent."""
    stage = lookout.stage
    scene = await stage.scene()
    action_id = await stage.click(scene, caller_phone=None, participant_id=scene.id())
    await stage.store.pause(ORG)
    await stage.clock.sleep(121.0)
    await stage.store.resume(ORG)
    assert (await stage.finish(action_id)).kind is m.OutcomeKind.EXPIRED
    answer = await lookout.post(f"/actions/{action_id}/rehearse")
    preview_id = answer.headers["location"].partition("preview=")[2]
    assert "The preview has no answer yet" in await lookout.follow(answer)
    assert (await stage.finish(preview_id)).kind is m.OutcomeKind.PREVIEWED
    page = await lookout.get(f"/actions/{action_id}/replay?preview={preview_id}")
    assert "A real click would remove the caller" in page.text
    assert await scene.effects() == 0
    fields = {name: hidden(page.text, name) for name in ("new", "key")} | {"within": "120", "why": "still shouting"}
    first = await lookout.post(f"/actions/{action_id}/replay", fields)
    again = await lookout.post(f"/actions/{action_id}/replay", fields)
    assert first.headers["location"] == again.headers["location"]
    assert "This is the new action." in await lookout.follow(first)
    assert (await stage.finish(fields["new"])).kind is m.OutcomeKind.DISCONNECTED
    assert await scene.effects() == 1
    assert "asks this one again" in await lookout.text(f"/actions/{action_id}")
    assert await deeds(lookout) == [
        ("pause", "somebody", ""),
        ("resume", "somebody", ""),
        ("preview", "operator", f"before a replay of {action_id}"),
        ("replay", "operator", "still shouting"),
    ]


async def test_replay_begins_with_a_preview(lookout: Lookout) -> None:
    """Without a preview, or with one of another org, the page offers nothing but that."""
    _, action_id = await clicked(lookout)
    for query in ("", "?preview=evil", f"?preview=other.{1:026}", f"?preview={action_id}"):
        shown = await lookout.get(f"/actions/{action_id}/replay{query}")
        assert "First see who would go" in shown.text
        assert 'name="new"' not in shown.text


@pytest.mark.parametrize(
    "change, words",
    [
        ({"why": ""}, "Say why"),
        ({"within": ""}, "Say within how many seconds"),
        ({"within": "0"}, "from 1 to 3600"),
        ({"within": "3601"}, "from 1 to 3600"),
        ({"within": "９"}, "from 1 to 3600"),  # noqa: RUF001 - a digit that int() would take
        ({"within": "9" * 5000}, "from 1 to 3600"),
        ({"within": "0000000001999999"}, "from 1 to 3600"),
        ({"new": f"other.{1:026}"}, "The form is not whole"),
        ({"new": ""}, "The form is not whole"),
        ({"key": "short"}, "The form is not whole"),
    ],
)
async def test_no_replay(lookout: Lookout, change: dict[str, str], words: str) -> None:
    """A replay without a reason, a bound, or the form that the page made is refused in words, and nobody is removed."""
    scene, action_id = await clicked(lookout)
    fields = {"new": f"acme.{77:026}", "key": "0" * 32, "within": "120", "why": "x"} | change
    assert words in (await lookout.post(f"/actions/{action_id}/replay", fields, status=422)).text
    assert await lookout.stage.store.read(f"acme.{77:026}") is None
    assert await scene.effects() == 0


async def test_nothing_to_replay(lookout: Lookout) -> None:
    """An action that is not there, or of another org, is neither rehearsed nor replayed."""
    fields = {"new": f"acme.{77:026}", "key": "0" * 32, "within": "120", "why": "x"}
    await lookout.post(f"/actions/{NOBODY}/replay", fields, status=404)
    await lookout.post(f"/actions/{NOBODY}/rehearse", status=404)
    await lookout.post(f"/actions/other.{9:026}/rehearse", status=404)


async def test_a_viewer_sees_no_act(lookout: Lookout) -> None:
    """A viewer is offered nothing that he may not do."""
    _, action_id = await clicked(lookout)
    for path in ("", "/dead", f"/actions/{action_id}"):
        html = (await lookout.get(path, Role.VIEWER)).text
        assert [
            found for found in re.findall(r'<form method="post" action="([^"]*)"', html) if "logout" not in found
        ] == []
