"""The page for people: conversations whose participants visibly drop, the calls that came in, the tickets.

The page asks for the state twice a second and draws it itself; what people call themselves reaches it as JSON and is
only ever set as text, and its policy lets it run and load nothing but its own two files.
"""

from pathlib import Path
from typing import Final

from service.sandbox.exchange import Answer

_TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_FILES: Final = {path.name: path for path in Path(__file__).with_name("static").iterdir() if path.suffix in _TYPES}
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def page(name: str) -> Answer:
    """Return one of the page's files."""
    path = _FILES[name]
    return Answer(200, path.read_bytes(), f"{_TYPES[path.suffix]}; charset=utf-8", _HEADERS)
