"""A door knows its paths and methods, and answers everything else with a problem document."""

import io
import json
import re

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from service.core.errors import StoreDown
from service.web.answers import json_answer
from service.web.door import Door, Route
from tests.web.doors import client_on


async def _echo(request: Request, *groups: str) -> Response:
    return json_answer(200, {"method": request.method, "groups": groups})


async def _fail(_: Request, how: str) -> Response:
    raise {"store": StoreDown("canary"), "bug": KeyError("canary"), "left": ClientDisconnect()}[how]


DOOR = Door(
    (
        Route("GET", re.compile(r"/echo/([^/]+)/([a-z]*)"), _echo),
        Route("POST", re.compile(r"/echo/([^/]+)/([a-z]*)"), _echo),
        Route("POST", re.compile(r"/fail/(\w+)"), _fail),
    )
)


async def ask(method: str, path: str) -> httpx.Response:
    """Ask the door."""
    async with client_on(DOOR) as http:
        return await http.request(method, path)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_a_route_is_given_its_groups(method: str) -> None:
    """The whole decoded path must fit, its groups are given on, and HEAD is answered where GET is."""
    answer = await ask(method, "/echo/a%20b/c?x=/d")
    told = json_answer(200, {"method": method, "groups": ["a b", "c"]}).body
    assert answer.content == (b"" if method == "HEAD" else told)
    assert answer.headers["content-length"] == str(len(told))


@pytest.mark.parametrize(
    "path", ["/", "/echo", "/echo/", "/echo/a/b/", "//echo/a/b", "/echo/a%2Fb/c", "/echo/a/b%0a", "/ECHO/a/b", "/fail"]
)
async def test_no_other_path_is_known(path: str) -> None:
    """A path that is not exactly one of the routes is not found, and never redirected."""
    answer = await ask("GET", path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "method, path, allowed",
    [
        ("DELETE", "/echo/a/b", "GET, HEAD, POST"),
        ("OPTIONS", "/echo/a/b", "GET, HEAD, POST"),
        ("GET", "/fail/bug", "POST"),
    ],
)
async def test_a_wrong_method_names_the_right_ones(method: str, path: str, allowed: str) -> None:
    """A known path asked in another way says how it may be asked."""
    answer = await ask(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "wrong_method")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("how, status, logged", [("store", 503, 0), ("bug", 500, 1)])
async def test_a_fault_is_a_problem(log: io.BytesIO, how: str, status: int, logged: int) -> None:
    """What goes wrong is answered by the table; only what nobody expected is logged as a fault of ours."""
    answer = await ask("POST", f"/fail/{how}")
    assert answer.status_code == status
    assert "canary" not in answer.text
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["where"] for line in lines] == [r"POST /fail/(\w+)"] * logged


async def test_nobody_is_left_to_answer() -> None:
    """A caller that went away gets nothing, and nothing is made of it."""
    sent: list[object] = []

    async def nothing(*message: object) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/fail/left", "query_string": b"", "headers": []}
    await DOOR(scope, nothing, nothing)  # type: ignore[arg-type] # it is never asked for a message
    assert sent == []
