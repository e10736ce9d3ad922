"""The two doors: the public one takes webhooks, the private one is looked at by those who run the service."""
