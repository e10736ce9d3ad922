"""A page is given what it needs to know of a request, and leads nowhere but into the console."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from service.core.model import Operator
from service.web.console.forms import Form, fields_in
from service.web.console.pages import Pages
from service.web.console.sessions import Role, Session
from service.web.console.visit import Visit


async def _around() -> Mapping[str, object]:
    return {"standings": ()}


def visit(role: Role, form: str = "", headers: tuple[tuple[bytes, bytes], ...] = ()) -> Visit:
    """Return a visit of beth's."""
    request = Request({"type": "http", "method": "POST", "path": "/console/x", "headers": headers})
    return Visit(request, Session("beth", role, "ab" * 32), Pages("0.1.0"), _around, fields_in(form), Form())


def test_who_acts() -> None:
    """Who acts, and why he says he does, is as the audit will have it."""
    assert visit(Role.OPERATOR, "why=+a%20storm").operator() == Operator("beth", "a storm")
    assert visit(Role.OPERATOR).operator() == Operator("beth", "")
    assert (visit(Role.OPERATOR).is_operator, visit(Role.VIEWER).is_operator) == (True, False)


def test_where_it_leads() -> None:
    """An act leads to a page below the console, whatever stands in the path."""
    for path in ("/actions/x?done=y", "//evil.example", "/..//evil.example", ""):
        assert visit(Role.OPERATOR).go(path).headers["location"] == f"/console{path}"


def test_what_scripts_are_told() -> None:
    """A script is told JSON, or that it is as it was."""
    told = visit(Role.VIEWER).json({"x": [1, None]})
    assert (told.body, told.headers["content-type"]) == (b'{"x":[1,null]}', "application/json")
    tag = ((b"if-none-match", told.headers["etag"].encode()),)
    assert visit(Role.VIEWER, headers=tag).json({"x": [1, None]}).status_code == 304


async def test_a_page_and_a_part() -> None:
    """A whole page has what stands around it, a part has not; both know who looks, and a page may say no."""
    page = await visit(Role.VIEWER).page("nav.html", 422, extra=1)
    assert page.status_code == 422
    part = visit(Role.VIEWER).part("form_token.html")
    assert b"ab" * 32 in part.body
