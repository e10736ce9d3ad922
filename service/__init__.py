"""Onhook."""
