"""Onhook: removes exactly one participant from a Genesys Cloud conversation, once, when a ticket asks for it."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("onhook")
except PackageNotFoundError:  # pragma: no cover - run from a source tree that was not installed
    __version__ = "0+unknown"
