"""Lines for programs that cannot do here what they say: read by the program, or held to the files they speak of."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Final

from tests.deploy.composed import ENV, FILE, document, variables_in
from tests.deploy.kustomized import of
from tests.deploy.pasted import PAGES, ROOT, codes, lines
from tests.needs import needs

# compose's own words, as far as the pages use them: by subcommand, its options
COMPOSE: Final = {
    "up": {"--detach", "--force-recreate"},
    "down": {"--volumes"},
    "exec": set[str](),
    "restart": set[str](),
    "run": {"--rm", "--entrypoint"},
}


def _said_by(programs: set[str]) -> list[str]:
    """Return the lines of all pages, those inside sentences too, that begin with one of these programs."""
    said = [line for page in PAGES for line in (*lines(page), *codes(page))]
    return [line for line in dict.fromkeys(said) if line.split(" ")[0] in programs and " " in line]


def test_compose_has_it() -> None:
    """Each line for Docker names files, profiles and services that there are, and options that compose has."""
    said = document(FILE, variables_in(ENV))["services"]
    profiles = {profile for one in said.values() for profile in one.get("profiles", [])}
    on_their_own = (r"docker compose", r"docker build --file deploy/Dockerfile --tag onhook \.", r"docker run --rm .*")
    for line in _said_by({"docker"}):
        if any(re.fullmatch(pattern, line) for pattern in on_their_own):
            continue
        found = re.fullmatch(r"docker compose((?: --\S+ \S+)*) (\w+)(.*)", line)
        assert found, line
        before = re.findall(r"--(\S+) (\S+)", found[1])
        assert {value for name, value in before if name == "profile"} <= profiles, line
        assert all((ROOT / value).is_file() for name, value in before if name in {"file", "env-file"}), line
        inside = found[3].split(" onhook ")[0].replace("--entrypoint rm", "--entrypoint")
        assert set(re.findall(r"--\S+", inside)) <= COMPOSE[found[2]], line
        services = [word for word in inside.split() if re.fullmatch(r"[a-z]+", word)]
        assert set(services[: 1 if found[2] in {"exec", "run"} else None]) <= set(said), line


def test_kubectl_reads_it(tmp_path: Path) -> None:
    """Each line for Kubernetes is one that kubectl takes, of files and deployments that there are."""
    kubectl = needs("kubectl")
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    (tmp_path / "secrets").mkdir()
    for name in ("redis_url", "acme_client_secret", "servicenow_secrets", "servicenow_password"):
        (tmp_path / "secrets" / name).write_text("a play secret")
    for line in _said_by({"kubectl"}):
        if line in {"kubectl apply -k", "kubectl port-forward"}:  # spoken of, not typed
            continue
        words = [kubectl, "--server=http://127.0.0.1:1", *shlex.split(line)[1:]]
        ended = subprocess.run(
            words, cwd=tmp_path, env={"HOME": str(tmp_path)}, capture_output=True, text=True, check=False
        )
        assert re.search("connection.*refused", ended.stderr), (line, ended)
        overlay = "sandbox" if "onhook-sandbox" in line else "production"
        names = set(of(overlay, "Deployment"))
        assert set(re.findall(r"deployment/([a-z]+)", line)) <= names, line


def test_the_units_have_it() -> None:
    """Each line for systemd names units that there are; the verbs and options are these."""
    units = {path.name.removesuffix(".service") for path in (ROOT / "deploy" / "systemd").glob("onhook*")}
    said = [line for line in _said_by({"systemctl", "journalctl", "cp"}) if "onhook" in line]
    named = {word for line in said for word in re.findall(r"onhook[a-z-]*(?:@|\.target)?", line)} - {"onhook"}
    assert named <= units
    words = {word for line in said for word in re.findall(r"systemctl ([a-z-]+(?: --\w+)?)", line)}
    assert words <= {"edit", "daemon-reload", "enable --now", "restart"}
    assert {line for line in said if line.startswith("journalctl")} == {"journalctl -u 'onhook*' -o cat"}


def test_ssh_reads_it() -> None:
    """The tunnel's line is one that ssh takes, and leads to the private door."""
    ssh = needs("ssh")
    for line in _said_by({"ssh"}):
        read = subprocess.run([ssh, "-G", *shlex.split(line)[1:]], capture_output=True, text=True, check=True)
        assert "localforward 8081 [127.0.0.1]:8081" in read.stdout
