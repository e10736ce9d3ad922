"""Each scene objects, by name, when what it saw is not what must be. That they end well, test_telling shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from service.demo.screen import Screen
from service.demo.stage import Stage
from service.demo.story import (
    SCENES,
    Scene,
    Story,
    Unmet,
    already_gone,
    calls,
    click,
    conflict,
    double_click,
    forged,
    notes,
    resent,
    watched,
)
from service.demo.world import Answer, Conference, Json, Webhook, World
from service.wiring.machine import SystemClock
from tests.demo.conftest import Watched
from tests.demo.test_stage import Answering, NoAccounts

CALLER, BETH = "caller", "beth"
LINK = "http://door.invalid/actions/1"
SETTLED = {"action": "1", "status": "accepted", "explanation": "It ended.", "links": {"self": LINK}, "timeline": []}


class HastyClock(SystemClock):
    """A clock on which every sleep is over at once, and took a minute."""

    def __init__(self) -> None:
        """Begin at 0."""
        self.seconds = 0.0

    def monotonic(self) -> float:
        """Return the minutes slept."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Let a minute pass."""
        assert seconds > 0
        self.seconds += 60


class Paper(World):
    """A world that is only told: whatever is asked of it, it answers what the test wrote down."""

    def __init__(self) -> None:
        """Begin with everybody on the call and nothing written."""
        super().__init__("http://play.invalid", "http://door.invalid", "sandbox", "whsec_", SystemClock())
        self.outcome = "disconnected"
        self.status = 202
        self.gone = [CALLER]
        self.patched: list[int] = [202]
        self.logged: list[Json] = []
        self.written: list[list[Json]] = []
        self.receipts: list[str] = []

    async def confer(self) -> Conference:
        """Return a conference."""
        return Conference(1, "one", CALLER, {"table": "incident", "sys_id": "1", "number": "INC1"})

    async def hang_up(self, conference: Conference) -> None:
        """Do nothing."""

    async def spoil(self, conference: Conference, **switches: object) -> None:
        """Do nothing."""

    async def people(self, conference: Conference) -> list[Json]:
        """Return the caller and Beth."""
        return [{"id": who, "name": who, "present": who not in self.gone} for who in (CALLER, BETH)]

    async def removals(self, conference: Conference) -> list[Json]:
        """Return as many removals as written down."""
        return [{"status": status} for status in self.patched]

    async def calls(self) -> list[Json]:
        """Return the calls written down."""
        return self.logged

    async def tickets(self) -> list[Json]:
        """Return the next state of the tickets."""
        return self.written.pop(0) if len(self.written) > 1 else self.written[0]

    async def send(self, webhook: Webhook, *, wait: int = 0) -> Answer:
        """Return a receipt, each for the next action written down."""
        action = self.receipts.pop(0) if self.receipts else "1"
        return Answer(self.status, SETTLED | {"action": action})

    async def account(self, link: str, *, wait: int = 0) -> Answer:
        """Return the account written down."""
        assert link == LINK
        return Answer(200, SETTLED | {"outcome": {"kind": self.outcome} if self.outcome else None})


@pytest.fixture
def story(screen: Screen, tmp_path: Path) -> Story:
    """Give a story that plays on paper."""
    return Story(Paper(), Stage(tmp_path, NoAccounts(), Answering(), HastyClock()), screen)


def paper(story: Story) -> Paper:
    """Return the story's world, to write in it."""
    assert isinstance(story.world, Paper)
    return story.world


def set_to(**values: object) -> Callable[[Paper], None]:
    """Return what writes down these values."""

    def write(world: Paper) -> None:
        for name, value in values.items():
            setattr(world, name, value)

    return write


BROKEN = [
    (click, set_to(outcome=""), "no outcome within 20 s"),
    (click, set_to(outcome="failed"), "the outcome is failed, not disconnected"),
    (click, set_to(patched=[202, 202]), "2 removals reached Genesys, not 1"),
    (click, set_to(gone=[CALLER, BETH]), "it should be the caller alone"),
    (click, set_to(gone=[BETH]), "it should be the caller alone"),
    (resent, set_to(status=503), "answered [503, 503, 503, 503, 503]"),
    (resent, set_to(receipts=["1", "1", "2", "1", "1"]), "with the actions"),
    (double_click, set_to(receipts=["1", "2"]), "two actions: 1, 2"),
    (already_gone, set_to(outcome="already_gone"), "1 removals reached Genesys, not 0"),
    (forged, set_to(), "answered 202, not 401"),
    (forged, set_to(status=401), "somebody left for a forged webhook"),
    (forged, set_to(status=401, gone=[]), "a forged webhook reached Genesys"),
    (conflict, set_to(), "the PATCHes were answered [202]"),
]


@pytest.mark.parametrize("play, write, said", BROKEN)
async def test_unmet(story: Story, play: Callable[[Story], object], write: Callable[[Paper], None], said: str) -> None:
    """A scene that does not end as it must ends the story, by name and with what was seen."""
    write(paper(story))
    scene = next(scene for scene in SCENES if scene.play is play)
    with pytest.raises(Unmet) as unmet:
        await story.tell([scene])
    assert str(unmet.value).startswith(f"Scene 1, “{scene.name}”: ")
    assert said in str(unmet.value)


async def test_scene_that_cannot_be_played(story: Story) -> None:
    """Whatever goes wrong in a scene is named after it, also an error without a word."""

    async def stumble(_: Story) -> None:
        raise KeyError

    with pytest.raises(Unmet, match="Scene 1, “Anything”: KeyError"):
        await story.tell([Scene("Anything", "It may.", stumble)])


async def test_every_scene_is_told(story: Story, stream: Watched) -> None:
    """A story without scenes is none; each scene says why it is dangerous by hand."""
    await story.tell([])
    assert stream.getvalue() == ""
    assert all(scene.why.endswith(".") for scene in SCENES)


async def test_waiting_for_notes(story: Story, stream: Watched) -> None:
    """Notes are waited for; what may have none is not, and a note too many is seen."""
    note, told, untold = {"text": "Removed."}, {"sys_id": "1", "number": "INC1"}, {"sys_id": "2", "number": "INC2"}
    story.untold.add("2")
    paper(story).written = [
        [told | {"work_notes": []}, untold | {"work_notes": []}],
        [told | {"work_notes": [note]}, untold | {"work_notes": []}],
    ]
    await notes(story)
    assert stream.getvalue().count("Removed.") == 1
    paper(story).written = [[told | {"work_notes": [note, note]}, untold | {"work_notes": [note]}]]
    with pytest.raises(Unmet, match="a note too many on INC1, INC2"):
        await notes(story)


async def test_notes_that_never_come(story: Story) -> None:
    """Notes are not waited for without end."""
    paper(story).written = [[{"sys_id": "1", "number": "INC1", "work_notes": []}]]
    with pytest.raises(Unmet, match="after 10 s nothing is written on INC1"):
        await notes(story)


async def test_action_that_never_ends(story: Story) -> None:
    """A killed worker's action is not watched without end."""
    paper(story).outcome = ""
    with pytest.raises(Unmet, match="no outcome within 30 s"):
        await watched(story, LINK, 0)


@pytest.mark.parametrize("path, method", [("/api/v2/conversations/1", "PATCH"), ("/x/participants/1", "POST")])
async def test_other_calls(story: Story, path: str, method: str) -> None:
    """A call that could touch more than one participant is an end of the story."""
    known = {"service": "genesys", "at": 1.0, "status": 200, "effect": True}
    paper(story).logged = [known | {"path": path, "method": method}]
    with pytest.raises(Unmet, match="something else than one participant was addressed"):
        await calls(story)
