"""The command line: what each command says of itself, and how what goes wrong is said."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from service.cli import app
from tests.cli.conftest import Commands
from tests.commands import command_names
from tests.wiring.running import stand

COMMANDS = sorted(command_names())
# imported by no command before it is needed: each costs more than the help itself
HEAVY = (
    "asyncio", "http.client", "httpx", "importlib.metadata", "jinja2", "prometheus_client", "pydantic", "redis", "rich",
    "starlette", "structlog", "uvicorn",
)  # fmt: skip


def test_commands() -> None:
    """These commands there are."""
    assert COMMANDS == [
        "actions drop",
        "actions export",
        "actions list",
        "actions replay",
        "actions show",
        "admit",
        "audit",
        "chaos",
        "check",
        "dead list",
        "dead retell",
        "demo",
        "explain",
        "forget",
        "healthy",
        "init",
        "pause",
        "preview",
        "refusals",
        "resume",
        "sandbox",
        "send",
        "serve",
        "sign",
        "stats",
        "tail",
        "up",
        "verify",
        "work",
    ]
    assert get_command(app).name == "onhook"


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str) -> None:
    """Each command says what it does, shows an example of itself, and needs nothing configured for that."""
    said = CliRunner().invoke(app, [*command.split(), "--help"])
    assert said.exit_code == 0
    assert f"onhook {command}" in said.output.partition("Example:")[2]


@pytest.mark.parametrize("family", ["actions", "dead"])
def test_a_family(onhook: Commands, family: str) -> None:
    """The help of a family lists what is in it, each with a sentence that is not cut."""
    assert onhook(family, "--help") == 0
    members = [command.split()[1] for command in COMMANDS if command.startswith(f"{family} ")]
    assert all(f"\n  {member} " in onhook.out for member in members)
    assert "..." not in onhook.out.partition("Commands:")[2]


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_overview(onhook: Commands, words: tuple[str, ...]) -> None:
    """Without a command, and with --help, all commands are listed, each with a sentence that is not cut."""
    assert onhook(*words) == (0 if words else 2)
    assert all(f"\n  {command.split()[0]} " in onhook.out + onhook.err for command in COMMANDS)
    assert "..." not in (onhook.out + onhook.err).partition("Commands:")[2]


def test_version(onhook: Commands) -> None:
    """--version is the installed one."""
    assert (onhook("--version"), onhook.out) == (0, metadata.version("onhook") + "\n")


@pytest.mark.parametrize(
    "words, why",
    [
        (("serf",), "No such command 'serf'"),
        (("up", "--bogus"), "No such option"),
        (("send",), "Missing option '--source'"),
        (("sandbox", "--port", "65536"), "Invalid value for '--port'"),
        (("up", "--sandbox-port", "-1"), "Invalid value for '--sandbox-port'"),
        (("send", "--source", "a", "--conversation", "b", "--wait", "-1"), "Invalid value for '--wait'"),
    ],
)
def test_usage(onhook: Commands, words: tuple[str, ...], why: str) -> None:
    """What is no command or option is said, with exit code 2."""
    assert onhook(*words) == 2
    assert why in onhook.err
    assert onhook.err.startswith("Usage: onhook ")


@pytest.mark.parametrize("command", ["serve", "work", "up", "pause", "resume"])
def test_every_fault_is_said(onhook: Commands, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """Settings that cannot be used end every command with 2, and every fault is a line of its own."""
    stand(monkeypatch, {"ONHOOK_LOG__LEVEL": "loud", "ONHOOK_NO_SUCH": "x", "ONHOOK_DOORS__WORKER": "x"})
    assert onhook(command) == 2
    lines = onhook.err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("onhook: ") for line in lines)


def test_redis_is_away(onhook: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Redis that does not answer is said, with exit code 1: nothing was promised."""
    org = {f"ONHOOK_ORGS__ACME__{key}": "x" for key in ("CLIENT_ID", "CLIENT_SECRET")}
    stand(monkeypatch, org | {"ONHOOK_ORGS__ACME__REGION": "us_east_1", "ONHOOK_REDIS__URL": f"unix://{tmp_path}/no"})
    assert (onhook("pause"), onhook.out) == (1, "")
    assert onhook.err.startswith("onhook: Redis is away: ")


def test_help_is_quick() -> None:
    """The help of the whole and of each command imports nothing that only a running command needs."""
    program = f"""
import sys
from service.cli import main
for command in {["", *COMMANDS]!r}:
    try:
        main([*command.split(), "--help"])
    except SystemExit:
        pass
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
