"""One plain page for people: which conversations there are, and who is in them now."""

from collections.abc import Iterable
from html import escape
from typing import Final

from service.sandbox.conversations import Conversation, Participant

_HEAD: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Onhook sandbox</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
li.gone{color:#767676;text-decoration:line-through}code{font-size:.85em}</style></head>
<body><h1>Sandbox</h1>
<p>A play Genesys Cloud and a play ticket desk. Nobody here is real.
<a href="/sandbox/calls">Calls</a>, <a href="/sandbox/scenarios">scenarios</a>,
<a href="/sandbox/switches">switches</a>, <a href="/sandbox/desk/tickets">tickets</a>.</p>
"""


def draw(conversations: Iterable[Conversation], at: float) -> bytes:
    """Return the page as it is now, newest conversation first, as UTF-8 HTML."""
    parts = [_section(conversation, at) for conversation in conversations][::-1]
    page = _HEAD + "".join(parts or ["<p>No conversation yet.</p>\n"]) + "</body></html>\n"
    return page.encode("utf-8", "xmlcharrefreplace")


def _section(conversation: Conversation, at: float) -> str:
    people = "".join(_line(person, at) for person in conversation.listed(at))
    link = f'<a href="/sandbox/conversations/{escape(conversation.id)}"><code>{escape(conversation.id)}</code></a>'
    return f"<h2>{link}</h2>\n<ul>\n{people or '<li>nobody yet</li>'}</ul>\n"


def _line(person: Participant, at: float) -> str:
    is_present = person.is_present(at)
    who = escape(f"{person.name or 'Nameless'}, {person.purpose}")
    media = escape(", ".join(f"{leg.medium} {leg.state(at)}" for leg in person.legs))
    return (
        f'<li class="{"present" if is_present else "gone"}">{who} ({"present" if is_present else "gone"}: {media}) '
        f"<code>{escape(person.id)}</code></li>\n"
    )
