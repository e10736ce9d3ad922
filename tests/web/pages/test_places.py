"""Where the pages are, and who may have them."""

from __future__ import annotations

import re

import pytest

from service.web.console.sessions import Role
from service.web.pages.places import places
from tests.web.pages.lookout import Lookout

ID = f"acme.{1:026}"


async def test_acts_are_for_operators(lookout: Lookout) -> None:
    """Nothing that changes anything is open to a viewer, and nothing that a GET reaches changes anything."""
    found = places(lookout.watch)
    assert {one.role for one in found if one.method == "POST"} == {Role.OPERATOR}
    assert {one.method for one in found} == {"GET", "POST"}


async def test_who_waits_for_a_preview(lookout: Lookout) -> None:
    """The page that waits for a preview, and no other, takes no turn from the pages that do not wait."""
    assert [one.path[-7:] for one in places(lookout.watch) if one.is_patient] == ["/replay"]


@pytest.mark.parametrize("path", ["/pause", "/resume", "/dead/retell", f"/actions/{ID}/drop", f"/actions/{ID}/replay"])
async def test_a_viewer_is_refused(lookout: Lookout, path: str) -> None:
    """A viewer who sends an act is told that nothing was done, and nothing is."""
    answer = await lookout.post(path, {"what": "acme", "why": "x"}, Role.VIEWER, status=403)
    assert "Nothing was done." in answer.text
    assert await lookout.audit() == []


@pytest.mark.parametrize(
    "path", ["/actions/acme.1", "/actions/ACME.00000000000000000000000001", f"/actions/{ID}/x", "/audit.exe", "//"]
)
async def test_no_place(lookout: Lookout, path: str) -> None:
    """What is no address of the console is not found."""
    await lookout.get(path, status=404)


async def test_one_place_for_each_address(lookout: Lookout) -> None:
    """No address of a page is another's as well."""
    found = places(lookout.watch)
    for address in ("", "/", "/charts", "/actions", f"/actions/{ID}", f"/actions/{ID}/replay", "/audit", "/audit.csv"):
        assert len([one for one in found if one.method == "GET" and re.fullmatch(one.path, address)]) == 1
