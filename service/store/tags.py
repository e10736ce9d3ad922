"""How a person's number is found again after it was cut: a keyed hash beside the action, which nobody else can make.

There are so few phone numbers that a plain hash of one is soon undone by trying them all. So it is keyed, and the key
is derived from the org's client secret: each process of the org has that anyhow, and Redis and its backups have not.
When that secret is changed, what was tagged before is no longer told apart by number: it is found by its last four
digits alone, which meets a few others too and misses nobody.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping

from service.core import model as m

# a number inside other words, as it is cut from them at the end
_WRITTEN = re.compile(r"\+[0-9](?:[ ().-]{0,2}[0-9]){6,}")
_DIGITS_LEAST = 7  # of a number, however it is written
_TAG_HEX = 32  # 128 bits: no two numbers meet
_NAME_HEX = 8  # enough to tell one key from the next
_RECOGNISED = 4  # characters that stay when a number is cut


class Tags:
    """What makes tags, and tells by them.

    Args:
        secrets: of each org, its client secret. An org without one has no tags.
    """

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._keys = {
            org: hmac.digest(secret.encode(), f"onhook tags 1 {org}".encode(), "sha256")
            for org, secret in (secrets or {}).items()
        }
        self._names = {org: self._keyed(org, "name")[:_NAME_HEX] for org in self._keys}

    def of(self, org: str, removal: m.Removal) -> str:
        """Return which key it was, and the tag of each number that `removal` holds; "" where no tag could tell."""
        if org not in self._keys or any(map(_is_unreadable, _values(removal))):
            return ""
        found = dict.fromkeys(self._tag(org, number) for number in _numbers(removal))
        return " ".join([self._names[org], *found])

    def blinded(self, org: str, digest: str) -> str:
        """Return what stands for `digest` in a key: one that was made of a number must not be undone by trying."""
        return self._keyed(org, digest) if digest and org in self._keys else digest

    def tells(self, org: str, tags: str) -> bool:
        """Whether `tags` were made with the key of now, so that `has` is the whole truth."""
        return org in self._keys and tags.partition(" ")[0] == self._names[org]

    def has(self, org: str, tags: str, number: str) -> bool:
        """Whether `number` is among what was tagged."""
        return self._tag(org, number) in tags.split(" ")[1:]

    def _tag(self, org: str, number: str) -> str:
        return self._keyed(org, f"number {number}")[:_TAG_HEX]

    def _keyed(self, org: str, text: str) -> str:
        return hmac.digest(self._keys[org], text.encode(), "sha256").hex()


def is_alike(removal: m.Removal, number: str) -> bool:
    """Whether `removal`, cut or whole, names somebody by what ends as `number` does."""
    four = number[-_RECOGNISED:]
    is_written = number in _written(removal) or f"…{four}" in removal.reason
    return is_written or any(value.endswith(four) for value in _values(removal))


def _values(removal: m.Removal) -> Iterator[str]:
    """Return what may be a number: whole while the action is open, cut afterwards."""
    for one in (removal.selector, removal.identity):
        if one and one.kind is m.SelectorKind.PHONE:
            yield one.value
        elif one and one.kind is m.SelectorKind.ATTRIBUTE:
            yield one.value.partition("=")[2]


def _written(removal: m.Removal) -> list[str]:
    """Return the numbers in what the requester wrote: they are cut at the end like the person's own."""
    return [number for text in _WRITTEN.findall(removal.reason) if (number := m.phone_in(text))]


def _numbers(removal: m.Removal) -> Iterator[str]:
    yield from filter(None, map(m.phone_in, _values(removal)))
    yield from _written(removal)


def _is_unreadable(value: str) -> bool:
    """Whether it may well be a number, and nobody can say which: written without its country, or inside other words."""
    return m.phone_in(value) is None and len(re.findall(r"[0-9]", value)) >= _DIGITS_LEAST
