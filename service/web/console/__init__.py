"""The console: what a person on call sees of the service in a browser, and does with it."""
