"""The sandbox's throw-away secrets, in the state directory: what `up --sandbox` leaves there for `send` and people."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from service.core.errors import Misconfigured
from service.settings import Settings
from service.sources import KINDS, SourceOptions
from service.wiring.admitting import token_made

_NOWHERE = "http://127.0.0.1:9"  # the sandbox's desk is written to by the service that runs, not by a command
SANDBOX = "sandbox"  # the org and the source that `up --sandbox` brings


def secret_file(state_dir: Path) -> Path:
    """Return where the sandbox source's secret lies."""
    return state_dir / "sandbox-secret"


def was_played(state_dir: Path) -> bool:
    """Whether a sandbox was ever wired in with this state directory."""
    return secret_file(state_dir).is_file()


def throw_away_secret(state_dir: Path) -> str:
    """Return the secret that lies in the state directory; made if there is none, for its owner alone to read.

    Raises:
        Misconfigured: the state directory cannot be used.
    """
    return _kept(secret_file(state_dir), lambda: f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}")


def token_file(state_dir: Path) -> Path:
    """Return where the token lies with which a person gets into the console of a sandbox."""
    return state_dir / "sandbox-console-token"


def throw_away_token(state_dir: Path) -> str:
    """Return the token that lies in the state directory; made if there is none, for its owner alone to read.

    Raises:
        Misconfigured: the state directory cannot be used.
    """
    return _kept(token_file(state_dir), token_made)


def _kept(path: Path, make: Callable[[], str]) -> str:
    state_dir = path.parent
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            # so that a crash leaves the whole secret there, or none; and of several who begin at once, on a volume that
            # they share, the first one's stays
            made, whole = tempfile.mkstemp(dir=state_dir, prefix=".")
            with os.fdopen(made, "w") as file:
                file.write(f"{make()}\n")
            with contextlib.suppress(FileExistsError):
                os.link(whole, path)
            Path(whole).unlink()
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise Misconfigured([f"the state directory {state_dir} cannot be used: {fault}"]) from None


def options_of(said: Settings, source: str) -> SourceOptions:
    """Return the options of `source`: from the settings, or those of the sandbox's by its throw-away secret.

    Raises:
        Misconfigured: nothing here knows that source.
    """
    known = known_sources(said)
    if source not in known:
        none = "no source is set up here, and no sandbox was: look at ONHOOK_CONFIG and ONHOOK_STATE_DIR"
        there = f"there is {', '.join(known)}" if known else none
        raise Misconfigured([f"there is no [sources.{source}]; {there}"])
    return known[source]


def known_sources(said: Settings) -> dict[str, SourceOptions]:
    """Return the options of each source by its name, that of a sandbox wired in with this state directory included."""
    known = dict(said.sources)
    if was_played(said.state_dir):
        played = {"kind": "servicenow", "org": SANDBOX, "secrets": [throw_away_secret(said.state_dir)]}
        played |= {"instance_url": _NOWHERE, "username": SANDBOX, "password": SANDBOX}
        known.setdefault(SANDBOX, KINDS["servicenow"].options.model_validate(played))
    return known
