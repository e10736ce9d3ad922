"""Onhook: removes exactly one participant from a Genesys Cloud conversation, once, when a ticket asks for it."""
