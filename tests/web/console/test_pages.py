"""A page is escaped, names nothing that is not there, and goes out with the same headers whatever it says."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from starlette.datastructures import Headers

from service.web.console.pages import POLICY, TEMPLATES, Pages, go_to, sent
from service.web.console.sessions import Role, Session
from service.web.console.troubles import NOT_FOUND, STORE_AWAY
from tests.web.console.ground import FOLDER, HOSTILE

KNOWN = {"session": Session("beth", Role.OPERATOR, "ab" * 32), "path": "/console/actions/x"}
PROMISED = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'"
)


def pages(*folders: Path) -> Pages:
    """Return what makes pages."""
    return Pages("0.1.0", (*folders, TEMPLATES))


class Inline(HTMLParser):
    """Finds what the policy would stop: scripts and styles that stand in the page itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "style" or (tag == "script" and not said.get("src")):
            self.found.append(f"<{tag}>")
        self.found += [f"{tag} {name}" for name in said if name == "style" or name.startswith("on")]
        for name in ("href", "src", "action", "formaction", "data-live", "data-chart"):
            value = said.get(name) or ""
            if not (value == "" or value.startswith(("/console", "#", "?"))):
                self.found.append(f"{tag} {name}={value}")
        if tag == "meta" and "http-equiv" in said:
            self.found.append("meta")


def inline_in(html: str) -> list[str]:
    """Return what of a page the policy would stop, and each address that is not ours."""
    parser = Inline()
    parser.feed(html)
    return parser.found


def test_every_template_is_one() -> None:
    """Each template is taken by the engine, whether a page uses it already or not."""
    made = pages()
    names = made.environment.list_templates()
    assert {"layout.html", "login.html", "trouble.html"} <= set(names)
    for name in names:
        made.environment.get_template(name)


def test_text_is_escaped(tmp_path: Path) -> None:
    """What somebody wrote is text wherever a page shows it, whatever the template is called."""
    for name in ("a.html", "a.txt", "a"):
        (tmp_path / name).write_text('<p title="{{ text }}">{{ text }}</p>')
        made = pages(tmp_path).text(name, {"text": HOSTILE})
        assert "<script>" not in made
        assert made.count("&lt;script&gt;") == 2
        assert "{{ 7*7 }}" in made


def test_no_name_is_empty(tmp_path: Path) -> None:
    """A name that is not there is an error, not a gap in the page."""
    (tmp_path / "a.html").write_text("{{ nobody }}")
    with pytest.raises(UndefinedError):
        pages(tmp_path).text("a.html", {})


def test_the_policy_is_the_promised_one() -> None:
    """The content policy is the promised one to the letter, on pages, files, redirects, and what is as it was."""
    assert POLICY == PROMISED
    made = pages()
    asset = made.assets.at(made.assets.address("keys.js"))
    assert asset
    tag = Headers({"if-none-match": asset.etag})
    answers = [
        made.page(
            200,
            "login.html",
            {**KNOWN, "next": "", "is_wrong": False, "has_tokens": True, "has_proxy": False},
            Headers(),
        ),
        made.trouble(STORE_AWAY, KNOWN),
        made.asset(asset, Headers()),
        made.asset(asset, tag),
        sent(200, b"{}", "application/json", Headers()),
        go_to("/console"),
    ]
    for answer in answers:
        assert answer.headers["content-security-policy"] == PROMISED
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["x-frame-options"] == "DENY"
    is_kept = [answer.headers["cache-control"] != "no-store" for answer in answers]
    assert is_kept == [False, False, True, True, False, False]


def test_as_it_was() -> None:
    """Who has a page already hears that it is as it was; a page that says no is always told whole."""
    first = sent(200, b"body", "text/plain", Headers())
    tag = first.headers["etag"]
    for asked in (tag, f'"x", {tag}'):
        again = sent(200, b"body", "text/plain", Headers({"if-none-match": asked}))
        assert (again.status_code, again.body, again.headers["etag"]) == (304, b"", tag)
    assert sent(200, b"other", "text/plain", Headers({"if-none-match": tag})).status_code == 200
    assert sent(403, b"body", "text/plain", Headers({"if-none-match": tag})).status_code == 403


def test_a_file_is_kept_for_ever() -> None:
    """A file may be kept for ever by its address; who asks again with its tag is sent nothing."""
    made = pages()
    asset = made.assets.at(made.assets.address("console.css"))
    assert asset
    whole = made.asset(asset, Headers())
    assert (whole.status_code, whole.body) == (200, asset.content)
    assert whole.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert made.asset(asset, Headers({"if-none-match": whole.headers["etag"]})).status_code == 304


@pytest.mark.parametrize(
    "path, location",
    [
        ("/console/actions?q=a%20b&c=d", "/console/actions?q=a%20b&c=d"),
        ("/console/a\r\nSet-Cookie: x=y", "/console/a%0D%0ASet-Cookie:%20x=y"),
        ("/console/ü", "/console/%C3%BC"),
    ],
)
def test_a_redirect_is_one_line(path: str, location: str) -> None:
    """What leads on is one line, whatever stands in it."""
    answer = go_to(path)
    assert (answer.status_code, answer.headers["location"]) == (303, location)
    assert b"\n" not in b"".join(value for _, value in answer.raw_headers)


def test_nothing_stands_in_the_page_itself() -> None:
    """No page brings a script or a style of its own, or an address that is not the console's."""
    made = pages(FOLDER)
    login = {**KNOWN, "session": None, "next": "/console", "is_wrong": True, "has_tokens": True, "has_proxy": False}
    shown = {**KNOWN, "text": HOSTILE, "numbers": range(3), "done": HOSTILE, "standings": ()}
    for name, context in [
        ("login.html", login),
        ("login.html", {**login, "has_tokens": False}),
        ("login.html", {**login, "has_tokens": False, "has_proxy": True}),
        ("trouble.html", {**KNOWN, "trouble": NOT_FOUND}),
        ("sample.html", shown),
    ]:
        assert inline_in(made.text(name, context)) == []
    assert (
        len(inline_in('<a href="//evil" onclick=x><style></style><script>x</script><p style=x><meta http-equiv=x>'))
        == 6
    )
