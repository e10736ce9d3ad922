"""Which queues stand beside ours: their releases, what each offers, and what makes each recover quickly."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

# what the door and the job need, in the releases that we run ourselves
BESIDE = ("hiredis", "httptools", "httpx", "starlette", "uvicorn", "uvloop")


@dataclass(frozen=True)
class Peer:
    """A queue in Python over Redis.

    Attributes:
        name: the package whose release is named.
        pins: the newest releases when this was written, as an installer takes them.
        module: the app, which runs in an environment of its own.
        sameness: what it knows of a delivery that came before.
        installed: what brings back the job of a killed worker, as it is installed.
        quick: which of its settings bring it back sooner.
    """

    name: str
    pins: tuple[str, ...]
    module: str
    sameness: str
    installed: str
    quick: str

    @property
    def titled(self) -> str:
        """Name and release: `saq 0.26.4`."""
        (release,) = [
            pin.rpartition("==")[2] for pin in self.pins if pin.partition("[")[0].partition("=")[0] == self.name
        ]
        return f"{self.name} {release}"

    @property
    def all_pins(self) -> tuple[str, ...]:
        """Everything that its environment is asked for."""
        return (*self.pins, *(f"{package}=={version(package)}" for package in BESIDE))


def _module(name: str) -> str:
    return f"tests.bench.peers.inside.on_{name}"


KNOWN = (
    Peer(
        "saq",
        ("saq[redis,hiredis]==0.26.4",),
        _module("saq"),
        sameness="`key`: refused while a job of that key is not done; afterwards the same key is a new job",
        installed="a sweep each 60 s finds a job older than its `timeout` (10 s); with `retries` 1 it ends as aborted",
        quick="`heartbeat` 6 s, updated by the job each 2 s; `sweep` each second, `retries` 20. A sweep first asks the "
        "lost worker to abort, for up to 5 s",
    ),
    Peer(
        "arq",
        ("arq[hiredis]==0.28.0",),
        _module("arq"),
        sameness="`_job_id`: refused while the job is there or its result is kept (`keep_result`, an hour)",
        installed="the mark of a running job ends 10 s after `job_timeout` (300 s)",
        quick="`job_timeout` 10 s, the longest an honest job takes here, so the mark ends after 20 s",
    ),
    Peer(
        "taskiq-redis",
        ("taskiq-redis==1.2.4", "taskiq==0.13.0"),
        _module("taskiq"),
        sameness="nothing: each delivery is a task of its own",
        installed="the stream broker takes over what was not acknowledged for `idle_timeout` (10 min)",
        quick="`idle_timeout` 10 s, the longest an honest job takes, as nothing is renewed meanwhile; it is looked at "
        "only after a new task came, and one comes each 2 s here",
    ),
    Peer(
        "streaq",
        ("streaq==7.2.0",),
        _module("streaq"),
        sameness="the task's id, set to the delivery's: refused until the task is done; then the same id is a new task",
        installed="`idle_timeout` 60 s, renewed while a task runs",
        quick="`idle_timeout` 6 s, as our lease",
    ),
    Peer(
        "dramatiq",
        ("dramatiq[redis]==2.2.1",),
        _module("dramatiq"),
        sameness="nothing: each delivery is a message of its own",
        installed="`heartbeat_timeout` 60 s; dead workers are looked for at one in a thousand commands",
        quick="`heartbeat_timeout` 6 s, `maintenance_chance` at each command",
    ),
)
