"""A play ServiceNow instance for the scripts of deploy/servicenow: platform.js, run by Node, and what came of it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.core import model as m
from tests.deploy.servicenow_kit import FOLDER
from tests.needs import needs

PLATFORM = Path(__file__).with_name("platform.js")
SECONDS = 100.0  # a cold start of Node on a busy machine, and some calls
SYS_ID = "9d385017c611228701d22104cc95c371"
CONVERSATION = "0f9a1d4e-6a0e-4c2c-8d43-8b7f6c1f2a10"
PHONE = "+14155550123"
NOW = 1_795_165_200_000  # where its clock stands: 2026-11-20T09:00:00Z
RECORD = {
    "sys_id": SYS_ID,
    "number": "INC0010112",
    "u_genesys_conversation_id": CONVERSATION,
    "u_caller_phone": PHONE,
    "sys_mod_count": "14",
    "sys_updated_on": "2026-11-20 08:59:58",
    "sys_updated_by": "abel.tuter",
}


@dataclass(frozen=True)
class Happened:
    """What scripts did on the instance."""

    told: dict[str, Any]

    @property
    def deliveries(self) -> list[m.Delivery]:
        """What was posted, as a door receives it at the instance's moment."""
        return [
            m.Delivery("desk", _raw(call["headers"]), call["body"].encode(), NOW + call["at"])
            for call in self.told["calls"]
        ]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the instance says
        """Return what the instance says under this name."""
        return self.told[name]


def script(name: str) -> str:
    """Return a script of the kit."""
    return (FOLDER / name).read_text(encoding="utf-8")


def run(*scripts: str, **job: Any) -> Happened:  # noqa: ANN401 - what platform.js reads
    """Run scripts on the instance."""
    done = subprocess.run(
        command(), input=wish(*scripts, **job), capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    return Happened(json.loads(done.stdout))


def command() -> tuple[str, str]:
    """Return how the instance is started."""
    return needs("node"), str(PLATFORM)


def wish(*scripts: str, **job: Any) -> str:  # noqa: ANN401 - as `run`
    """Return what the instance reads from its standard input."""
    return json.dumps({"scripts": scripts, **job})


def _raw(headers: dict[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.encode(), value.encode()) for name, value in headers.items())
