"""Every page and every act before records that a newer version wrote: a page in words, and nothing is written."""

from __future__ import annotations

import pytest

from tests.fixtures.newer import all_made_newer, contents
from tests.flow.stage import ORG
from tests.web.pages.lookout import Lookout
from tests.web.pages.test_acts import buried, clicked

SAYS_SO = "A newer version of this service wrote this."
# the path; the fields of the form where it is an act; the status; what stands there
TABLE = [
    ("", None, 200, "1 open"),
    ("/actions", None, 200, "No action yet."),
    ("/actions?q=ACTION", None, 503, SAYS_SO),
    ("/actions/ACTION", None, 503, SAYS_SO),
    ("/actions/ACTION/replay", None, 503, SAYS_SO),
    ("/dead", None, 200, "No dead letters"),
    ("/audit", None, 200, "its record was written by a newer version of this service"),
    ("/actions/ACTION/drop", {"why": "x"}, 503, "nothing was done"),
    ("/actions/ACTION/rehearse", {"why": "x"}, 503, "nothing was done"),
    (
        "/actions/ACTION/replay",
        {"why": "x", "within": "60", "new": f"acme.{7:026}", "key": "0" * 32},
        503,
        "nothing was done",
    ),
    ("/dead/retell", {"report": "REPORT"}, 303, "1 were no dead letters any more, or are a newer version's."),
]


@pytest.mark.parametrize(
    "path, form, status, said",
    [pytest.param(*row, id=f"{'act' if row[1] else 'page'} {row[0]}".strip()) for row in TABLE],
)
async def test_the_console(lookout: Lookout, path: str, form: dict[str, str] | None, status: int, said: str) -> None:
    """What a newer version wrote spoils no page, is shown on none, and is changed by no act."""
    report = await buried(lookout)
    _, action = await clicked(lookout)
    client = lookout.stage.client
    all_made_newer(client, ORG)
    before = contents(client)
    at = path.replace("ACTION", action)
    if form is None:
        shown = await lookout.text(at, status=status)
    else:
        answer = await lookout.post(
            at, {name: report if text == "REPORT" else text for name, text in form.items()}, status=status
        )
        shown = await lookout.follow(answer) if status == 303 else answer.text
    assert said in shown
    assert contents(client) == before
