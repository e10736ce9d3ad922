"""The first day: settings and a script, made of answers that are asked for, given as options, or lie in files."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from service import settings
from service.cli import app
from tests.cli.conftest import Commands

OPTIONS = {
    "--org": "acme",
    "--region": "eu_central_1",
    "--client-id": "an-id",
    "--client-secret": "canary-client",
    "--public-url": "https://onhook.example",
    "--instance-url": "https://acme.service-now.com",
    "--username": "onhook",
    "--password": "canary-password",
}


def words(**other: str) -> list[str]:
    """Return every option that is needed, some of them with another value; "" leaves one out."""
    said = OPTIONS | {f"--{name.replace('_', '-')}": value for name, value in other.items()}
    return ["init", "--non-interactive", *(word for pair in said.items() if pair[1] for word in pair)]


def test_by_options_alone(onhook: Commands) -> None:
    """With every answer given nobody is asked; what to do next is said, and no secret is shown."""
    assert onhook(*words()) == 0
    assert "canary" not in onhook.out + onhook.err
    assert "whsec_" not in onhook.out
    order = ["onhook check:", "onhook up", "onhook-servicenow.js", "--test-call", 'mode = "live"']
    found = [onhook.out.index(step, onhook.out.index("Next:")) for step in order]
    assert found == sorted(found)
    said = settings.read({"ONHOOK_CONFIG": "onhook.toml"})
    assert said.orgs["acme"].mode == "shadow"
    secret = said.sources["servicenow"].secrets[0].get_secret_value()
    assert secret.removeprefix("whsec_") in Path("onhook-servicenow.js").read_text()


def test_elsewhere(onhook: Commands, tmp_path: Path) -> None:
    """In another folder the next steps name it; the script is shown where that is asked for; standard has none."""
    assert onhook(*words(folder=str(tmp_path / "in")), "--show-script") == 0
    assert f"ONHOOK_CONFIG={tmp_path / 'in' / 'onhook.toml'} onhook check" in onhook.out
    assert (tmp_path / "in" / "onhook-servicenow.js").read_text() in onhook.out
    assert onhook(*words(kind="standard", folder="other"), "--show-script") == 2  # it has no instance to be told
    desk = dict.fromkeys(("instance_url", "username", "password"), "")
    assert onhook(*words(kind="standard", folder="other", **desk), "--show-script") == 0
    assert "let the source sign and post" in onhook.out
    assert [path.name for path in Path("other").iterdir()] == ["onhook.toml"]


def test_what_is_missing(onhook: Commands) -> None:
    """Without --non-interactive's answers everything that is missing is said at once, with 2; nothing is written."""
    assert onhook(*words(region="", client_secret="", password="")) == 2
    assert [line.split()[1] for line in onhook.err.splitlines()] == ["--region", "--client-secret", "--password"]
    assert onhook(*words(region="mars", public_url="nowhere")) == 2
    assert len(onhook.err.splitlines()) == 2
    assert not Path("onhook.toml").exists()


def test_nothing_is_overwritten(onhook: Commands) -> None:
    """What is there stays, with 2, unless --force says otherwise; then it holds a new secret."""
    assert onhook(*words()) == 0
    first = Path("onhook.toml").read_text()
    assert onhook(*words()) == 2
    assert "onhook.toml is there already" in onhook.err
    assert Path("onhook.toml").read_text() == first
    assert onhook(*words(), "--force") == 0
    assert Path("onhook.toml").read_text() != first


def test_secrets_from_files(onhook: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret may lie in a file or a variable, so that it stands in no list of processes; said twice is refused."""
    Path("secret").write_text("canary-from-file\n")
    given = words(client_secret="", password="", client_secret_file="secret")
    monkeypatch.setenv("SERVICENOW_PASSWORD", "canary-from-variable")
    assert onhook(*given) == 0
    said = settings.read({"ONHOOK_CONFIG": "onhook.toml"})
    assert said.orgs["acme"].client_secret.get_secret_value() == "canary-from-file"
    assert "canary-from-variable" in Path("onhook.toml").read_text()
    assert onhook(*words(client_secret_file="secret")) == 2
    assert "--client-secret and --client-secret-file both say it" in onhook.err
    assert onhook(*words(client_secret="", client_secret_file="no")) == 2
    assert "--client-secret-file: no cannot be read: No such file" in onhook.err
    Path("secret").write_bytes(b"\xff")
    assert onhook(*given) == 2
    assert "--client-secret-file: secret is not text" in onhook.err


def test_asking(onhook: Commands) -> None:
    """What is missing is asked for, what is wrong is asked again with the reason, and a default is one Enter away."""
    said = ["Acme", "acme", "mars", "eu_central_1", "an-id", "canary-client", "", "", "onhook.example"]
    said += ["https://onhook.example", "https://acme.service-now.com", "onhook", "canary-password"]
    done = CliRunner().invoke(app, ["init"], input="\n".join(said) + "\n")
    assert done.exit_code == 0, done.output
    for complaint in ("--org is a name of 1 to 32", "--region is no region", "--public-url is written https://"):
        assert complaint in done.stderr
    assert "canary" not in done.output
    assert settings.read({"ONHOOK_CONFIG": "onhook.toml"}).sources["servicenow"].org == "acme"


def test_nobody_answers(onhook: Commands) -> None:
    """Where standard input is at its end nothing is written, it says how else, and does not ask for ever."""
    done = CliRunner().invoke(app, ["init", "--org", "acme"], input="")
    assert done.exit_code == 1
    assert "onhook: nothing is written; each answer is an option too: onhook init --help" in done.stderr
    assert not Path("onhook.toml").exists()
