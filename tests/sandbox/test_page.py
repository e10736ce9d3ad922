"""The page shows people who is where."""

from tests.sandbox.play import Play


async def test_an_empty_page(play: Play) -> None:
    """The page says that there is nothing yet."""
    page = await play.http.get("/sandbox/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "No conversation yet." in page.text


async def test_who_is_where(play: Play) -> None:
    """The page lists conversations with who is present and who is gone, and escapes what people call themselves."""
    scene = await play.begin("starting")
    assert "nobody yet" in (await play.http.get("/sandbox")).text
    half_a_letter = rb'{"event":"join","participant":{"name":"<script>\ud800"}}'
    assert (await play.http.post(f"/sandbox/conversations/{scene.cid}/events", content=half_a_letter)).is_success
    await scene.event("join", participant={"state": "disconnected"})
    page = (await play.http.get("/sandbox/")).text
    assert scene.cid in page
    assert "&lt;script&gt;&#55296;, customer (present: call connected)" in page
    assert "Nameless, customer (gone: call disconnected)" in page
    assert "<script" not in page
