"""Where an app of a peer runs: what its starter says in the environment, and that it ends when its starter does."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass

LEASE_SECONDS = 6  # our own lease: what a peer that has heartbeats is given as well
BEAT_SECONDS = 2  # our own renewal
JOB_SECONDS = 10  # the longest an honest job takes: two calls of five seconds


@dataclass(frozen=True)
class Place:
    """What an app is told.

    Attributes:
        redis: the URL of its Redis.
        secret: of the sender.
        play: the URL of the play Genesys Cloud.
        client_id: how one logs in there.
        client_secret: as `client_id`.
        runs: a file in which each run of a job is noted.
        is_quick: take up a killed worker's job as soon as the library's own settings allow; else as it is installed.
    """

    redis: str
    secret: bytes
    play: str
    client_id: str
    client_secret: str
    runs: str
    is_quick: bool

    def as_environment(self) -> dict[str, str]:
        """Return it as variables."""
        said = {name: getattr(self, name) for name in ("redis", "play", "client_id", "client_secret", "runs")}
        said |= {"secret": self.secret.hex(), "is_quick": "1" if self.is_quick else ""}
        return {f"PEER_{name.upper()}": value for name, value in said.items()}


def told(environment: Mapping[str, str]) -> Place:
    """Return what the variables say."""
    texts = {
        name: environment[f"PEER_{name.upper()}"] for name in ("redis", "play", "client_id", "client_secret", "runs")
    }
    return Place(secret=bytes.fromhex(environment["PEER_SECRET"]), is_quick=bool(environment["PEER_IS_QUICK"]), **texts)


def tied() -> None:
    """End at once when whoever started this process is gone: nobody holds the other end of standard input then."""

    def wait() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
