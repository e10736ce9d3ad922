"""Where promises are kept: Redis, its keys, its scripts, and how the process talks to it."""
