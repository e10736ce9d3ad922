"""How a page is made and sent: always escaped, with no name in it that is not there, and the same headers for all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import Headers
from starlette.responses import Response

from service.web.answers import answered, moment
from service.web.console.assets import Asset, Assets
from service.web.console.troubles import Trouble

TEMPLATES: Final = Path(__file__).parents[1] / "templates"
HTML: Final = "text/html; charset=utf-8"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'"
)
# on every answer of the console, whatever it is
ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": POLICY,
    # not no-referrer: under that a browser sends our own forms with the Origin "null"; nobody else is told by either
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_PLAIN: Final = "/?&=%:@,+~"  # what may stand in an address of ours as it is
_NO_STORE: Final = {"Cache-Control": "no-store"}
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


class Pages:
    """What makes pages of templates.

    Args:
        version: of this service, for the foot of each page.
        folders: where templates are, ours the last.
        filters: what templates may call beside Jinja's own.
    """

    def __init__(
        self,
        version: str,
        folders: Sequence[Path] = (TEMPLATES,),
        filters: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.assets = Assets()
        self.environment = Environment(
            autoescape=True,  # whatever the file is called: each text of a webhook is a stranger's
            undefined=StrictUndefined,
            loader=FileSystemLoader(folders),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.environment.globals.update(asset=self.assets.address, version=version)
        self.environment.filters.update({"moment": moment, **(filters or {})})

    def text(self, template: str, context: Mapping[str, object]) -> str:
        """Return what a template makes of `context`."""
        return self.environment.get_template(template).render(context)

    def page(self, status: int, template: str, context: Mapping[str, object], asked: Headers) -> Response:
        """Return a page, or that it is as it was: to who says by If-None-Match which one he has."""
        body = self.text(template, context).encode(errors="replace")
        return sent(status, body, HTML, asked)

    def trouble(self, trouble: Trouble, context: Mapping[str, object]) -> Response:
        """Return the page that says what is the matter."""
        body = self.text("trouble.html", {**context, "trouble": trouble}).encode(errors="replace")
        return answered(trouble.status, body, HTML, {**ALWAYS, **_NO_STORE, **trouble.headers})

    def asset(self, asset: Asset, asked: Headers) -> Response:
        """Return a file; what its address names never changes."""
        if _has(asked, asset.etag):
            return Response(status_code=304, headers={**ALWAYS, **_FOR_EVER, "ETag": asset.etag})
        return answered(200, asset.content, asset.media_type, {**ALWAYS, **_FOR_EVER, "ETag": asset.etag})


def sent(status: int, body: bytes, media_type: str, asked: Headers) -> Response:
    """Return an answer that nobody keeps, or that it is as it was."""
    headers = {**ALWAYS, **_NO_STORE, "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
    if status == 200 and _has(asked, headers["ETag"]):  # noqa: PLR2004 - the status that means that this is the page
        return Response(status_code=304, headers=headers)
    return answered(status, body, media_type, headers)


def go_to(path: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer that leads on to a path of ours, by GET."""
    return Response(
        status_code=303, headers={**ALWAYS, **_NO_STORE, "Location": quote(path, safe=_PLAIN), **(headers or {})}
    )


def _has(asked: Headers, etag: str) -> bool:
    return etag in [one.strip() for one in asked.get("if-none-match", "").split(",")]
