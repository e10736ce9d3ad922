"""Play one seed alone, and print what happened: `python -m tests.story.simulation SEED`."""

from __future__ import annotations

import shutil
import sys

import redis

from service.store.embedded import EmbeddedRedis
from tests.fixtures.redis import short_folder
from tests.story.simulation.playing import run_seed


def main() -> int:
    """Play the seed of the command line; 1 when a promise was broken."""
    folder = short_folder()
    with EmbeddedRedis(folder) as server, redis.Redis.from_url(server.url, decode_responses=True, protocol=2) as client:
        client.config_set("appendfsync", "no")
        played = run_seed(int(sys.argv[1]), client)
    shutil.rmtree(folder)
    sys.stdout.write("\n".join([*played.lines, played.trace, *(": ".join(one) for one in played.broken), ""]))
    return 1 if played.broken else 0


if __name__ == "__main__":
    sys.exit(main())
