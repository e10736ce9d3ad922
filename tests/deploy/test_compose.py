"""docker-compose.yml says things that our settings take, keeps what it confirms, and shuts what nobody needs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from service import settings
from service.cli import app
from service.wiring.processes import DRAIN_SECONDS, FINISH_SECONDS
from tests.deploy.composed import (
    ENV,
    FILE,
    LIVE,
    LIVE_ENV,
    ROOT,
    Document,
    Missing,
    document,
    laid_over,
    services,
    variables_in,
)
from tests.needs import needs

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
PLAY = document(FILE, variables_in(ENV))
ALL = services(PLAY, "sandbox,watch")
OURS = {name: one for name, one in ALL.items() if one["image"] == "localhost/onhook"}
SECRET = "whsec_bm90LWEtc2VjcmV0LWJ1dC1sb25nLWVub3VnaC1mb3ItYS10ZXN0"
FILLED = variables_in(LIVE_ENV) | {
    "GENESYS_CLIENT_ID": "6a1d9a2e-0000-4000-8000-000000000000",
    "SERVICENOW_URL": "https://acme.service-now.com",
    "ONHOOK_PUBLIC_URL": "https://onhook.example.com",
}


def live(filled: dict[str, str]) -> Document:
    """Return what compose makes of the files that live.env names in its first lines."""
    assert f"--file {FILE.relative_to(ROOT)} --file {LIVE.relative_to(ROOT)} up" in LIVE_ENV.read_text()
    return laid_over(document(FILE, filled), document(LIVE, filled))


def seconds(text: str) -> int:
    """Return a duration as compose writes it."""
    return int(text.removesuffix("s"))


def test_what_is_started() -> None:
    """As it stands it plays with the sandbox; for an org of one's own it does not; to watch it is a profile."""
    assert set(services(PLAY, variables_in(ENV)["COMPOSE_PROFILES"])) == {"keys", "redis", "serve", "work", "sandbox"}
    own = services(live(FILLED))
    assert set(own) == {"keys", "redis", "serve", "work"}
    assert {"--sandbox-at"} & {*own["serve"]["command"], *own["work"]["command"]} == set()
    assert set(ALL) - set(OURS) == {"redis", "prometheus", "grafana"}
    assert ALL["work"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("service", ["serve", "work"])
def test_settings_take_what_live_says(service: str, tmp_path: Path) -> None:
    """The variables of a service are settings, all of them, and its secrets are read from the files it is given."""
    said = live(FILLED)["services"][service]
    for name in said["secrets"]:
        (tmp_path / name).write_text(SECRET, encoding="utf-8")
    (tmp_path / "redis-url").write_text("redis://:word@redis:6379/0\n", encoding="utf-8")
    variables = {
        name: value.replace("/run/secrets", str(tmp_path)).replace("/var/lib/onhook", str(tmp_path))
        for name, value in said["environment"].items()
    }
    heard = settings.read(variables | {"ONHOOK_CONFIG": "/dev/null"})
    assert heard.redis.url.get_secret_value() == "redis://:word@redis:6379/0"
    assert heard.orgs["acme"].mode == "shadow"
    assert heard.orgs["acme"].client_secret.get_secret_value() == SECRET
    assert heard.sources["servicenow"].org == "acme"
    assert heard.doors.public_url == "https://onhook.example.com"


@pytest.mark.parametrize("left_out", ["GENESYS_CLIENT_ID", "SERVICENOW_URL", "ONHOOK_PUBLIC_URL"])
def test_what_has_to_be_filled_in(left_out: str) -> None:
    """Nothing starts while something of live.env is empty, and what is missing is said; it names each variable."""
    with pytest.raises(Missing, match=f"{left_out}: "):
        live(FILLED | {left_out: ""})
    assert set(re.findall(r"\$\{(\w+)", LIVE.read_text())) <= set(variables_in(LIVE_ENV))


def test_redis_keeps_what_it_confirms() -> None:
    """Redis syncs each write, evicts nothing, has half of its container's memory, and its files outlive it."""
    redis = ALL["redis"]
    command = " ".join(redis["command"])
    for said in ("--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction", "--maxmemory 512mb"):
        assert said in command
    assert redis["deploy"]["resources"]["limits"]["memory"] == "1G"
    assert "redis:/data" in redis["volumes"]
    assert "--dir /data" in command


def test_redis_is_for_ours_alone() -> None:
    """Redis has a password, is published nowhere, and shares a network with whoever needs it and with nobody else."""
    assert "/var/lib/onhook/redis.conf" in ALL["redis"]["command"]
    assert "ports" not in ALL["redis"]
    assert PLAY["networks"]["store"]["internal"] is True
    assert {name for name, one in ALL.items() if "store" in one.get("networks", ())} == {"redis", "serve", "work"}


@pytest.mark.parametrize("name", ALL)
def test_every_service_is_locked(name: str) -> None:
    """Whatever runs has no capability and no way to one, a file system that cannot be written, and bounds."""
    one = ALL[name]
    assert (one["read_only"], one["cap_drop"], one["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    assert {"cpus", "memory", "pids"} == set(one["deploy"]["resources"]["limits"])
    assert set(one["logging"]["options"]) == {"max-size", "max-file"}
    assert not {"privileged", "cap_add", "pid", "ipc", "devices"} & set(one)
    assert all(port.startswith("127.0.0.1:") for port in one.get("ports", ()))
    assert one.get("user", "redis") == "redis"  # the others' images name a user that is not root


def test_our_user_is_the_images() -> None:
    """The number by which Redis may read its password is that of the image's user, who owns the volume's folder."""
    (user,) = re.findall(r"^USER (\d+):\1$", DOCKERFILE, re.MULTILINE)
    assert ALL["redis"]["group_add"] == [user]
    assert f"--owner {user} --group {user} --mode 0750 /var/lib/onhook" in DOCKERFILE
    assert user == "10001"
    assert "chown 10001 " in LIVE_ENV.read_text()


def test_time_to_end() -> None:
    """Each process of ours is given longer to end than it takes."""
    for one in OURS.values():
        assert seconds(one["stop_grace_period"]) > DRAIN_SECONDS + FINISH_SECONDS


def test_commands_are_ours() -> None:
    """What our image is told to run, and to be watched with, are commands that there are, at the doors it opens."""
    known = {command.callback.__name__ for command in app.registered_commands if command.callback}
    for name in set(OURS) - {"keys"}:
        one = OURS[name]
        assert one["command"][0] == name in known
        way, *words, url = one["healthcheck"]["test"]
        assert (way, words) == ("CMD", ["onhook", "healthy"])
        assert "healthy" in known
        door = {"serve": "PRIVATE", "work": "WORKER"}.get(name)
        expected = one["environment"][f"ONHOOK_DOORS__{door}"] if door else f":{one['command'][-1]}"
        assert url.startswith(f"http://127.0.0.1{expected}/")
    assert (
        'HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=3 CMD ["onhook", "healthy"]'
        in DOCKERFILE
    )


def test_who_waits_for_whom() -> None:
    """Who is waited for until he is healthy says when he is; who is waited for and may not be there is not demanded."""
    for name, one in ALL.items():
        for other, how in one.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "test" in ALL[other]["healthcheck"], (name, other)
            assert how.get("required", True) == (not ALL[other].get("profiles")), (name, other)


def test_secrets_are_files() -> None:
    """No secret is a value in the environment; each that a service is given is a file that git ignores."""
    said = live(FILLED)
    for one in said["services"].values():
        for variable in one.get("environment", {}):
            assert not variable.endswith(("SECRET", "SECRETS", "PASSWORD", "KEY", "TOKEN"))
            assert variable != "ONHOOK_REDIS__URL"
        assert set(one.get("secrets", ())) <= set(said["secrets"])
    assert all(one["file"].startswith("./secrets/") for one in said["secrets"].values())
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_files_that_are_mounted_are_there() -> None:
    """Whatever of this folder a container is shown is there, and it cannot write into it."""
    mounts = [mount for one in ALL.values() for mount in one.get("volumes", ())]
    shown = [mount.split(":") for mount in mounts if mount.startswith(".")]
    assert len(shown) == 4
    for path, _, mode in shown:
        assert (ROOT / path).exists()
        assert mode == "ro"
    assert {mount.split(":")[0] for mount in mounts if not mount.startswith(".")} == set(PLAY["volumes"])


def test_grafana_finds_prometheus() -> None:
    """Grafana is on Prometheus' network, where its settings look for it; the dashboard lies where they say."""
    watch = ROOT / "deploy" / "watch" / "grafana" / "provisioning"
    (source,) = yaml.safe_load((watch / "datasources" / "prometheus.yml").read_text())["datasources"]
    (boards,) = yaml.safe_load((watch / "dashboards" / "onhook.yml").read_text())["providers"]
    assert (source["url"], ALL["grafana"]["network_mode"]) == ("http://127.0.0.1:9090", "service:prometheus")
    assert f"./deploy/watch/grafana/dashboards:{boards['options']['path']}:ro" in ALL["grafana"]["volumes"]
    assert {"127.0.0.1:9090:9090", "127.0.0.1:3000:3000"} <= set(ALL["prometheus"]["ports"])


def test_prometheus_finds_ours(tmp_path: Path) -> None:
    """Prometheus takes its settings, and asks each service at the private door that it opens."""
    mounted = {target: ROOT / path for path, target in (one.split(":")[:2] for one in ALL["prometheus"]["volumes"][:2])}
    for target, path in mounted.items():
        shutil.copy(path, tmp_path / Path(target).name)
    command = (needs("promtool"), "check", "config", str(tmp_path / "prometheus.yml"))
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (job,) = yaml.safe_load((tmp_path / "prometheus.yml").read_text())["scrape_configs"]
    asked = {(name, one["port"]) for one in job["dns_sd_configs"] for name in one["names"]}
    assert (job["job_name"], asked) == ("onhook", {("serve", 8081), ("work", 8082)})
    for name, port in asked:
        assert f":{port}" in {ALL[name]["environment"][f"ONHOOK_DOORS__{door}"] for door in ("PRIVATE", "WORKER")}


def test_what_is_built_from() -> None:
    """The image is built of what it copies, all of it let in; no index is named, and no layer keeps one."""
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [
        path for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE) for path in line.split()
    ]
    assert copied
    for path in copied:
        assert (ROOT / path).exists()
        assert any(Path(path).match(pattern) for pattern in let_in), path
    assert "index-url" not in DOCKERFILE
    assert not re.findall(r"https?://", DOCKERFILE)
    assert DOCKERFILE.count("--require-hashes") == 2
    assert json.loads(re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[0]) == ["onhook"]


def test_a_file_is_read_as_compose_reads_it(tmp_path: Path) -> None:
    """What these tests make of a compose file: defaults, what must be said, dollars, and one file over another."""
    below, above = tmp_path / "below.yml", tmp_path / "above.yml"
    below.write_text("a: {command: [x, y], list: [1], env: {A: '${N:-none}', B: '$$HOME'}}")
    above.write_text("a: {command: [z], list: [2], env: {A: '${M:?is missing}'}}")
    read: Any = laid_over(document(below, {"N": ""}), document(above, {"M": "there"}))
    assert read == {"a": {"command": ["z"], "list": [1, 2], "env": {"A": "there", "B": "$HOME"}}}
    assert document(below, {"N": "some"})["a"]["env"]["A"] == "some"
    with pytest.raises(Missing, match="M: is missing"):
        document(above, {})
