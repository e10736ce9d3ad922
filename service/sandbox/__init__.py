"""A play Genesys Cloud and a play ticket desk, so that everything can be tried with nobody on the line."""

from service.sandbox.app import ConnectionCut, create_app

__all__ = ["ConnectionCut", "create_app"]
