"""deploy/kubernetes, as kustomize builds it: resources that Kubernetes knows, settings we take, and little open."""

from __future__ import annotations

import base64
import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from service import settings
from service.cli import app
from service.core.errors import Misconfigured
from service.settings import Settings
from service.web.back import private_door
from service.web.front import MAX_BODY
from service.web.protocol import Limits
from service.wiring.processes import DRAIN_SECONDS, FINISH_SECONDS
from tests.deploy.kustomized import FOLDER, ROOT, Resource, built, container, fits, labels, of, pod, port_of
from tests.deploy.prometheus_rule import RESOURCE, RULES, prometheus_rule
from tests.needs import needs

OVERLAYS = ("sandbox", "production")
PROCESSES = [(overlay, name) for overlay in OVERLAYS for name in ("serve", "work")]
# the oldest and the newest that anybody should run by now
VERSIONS = ("1.30", "1.37")
SECRET = "whsec_bm90LWEtc2VjcmV0LWJ1dC1sb25nLWVub3VnaC1mb3ItYS10ZXN0"
OPERATED = "monitoring.coreos.com/v1"


# --- what Kubernetes takes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_knows_it_all(overlay: str, version: str) -> None:
    """Every resource fits its schema, and says nothing that this version of Kubernetes does not know."""
    needs("kubernetes_validate")
    schemas = importlib.import_module("kubernetes_validate")
    seen = 0
    for one in built(overlay):
        if one["apiVersion"] != OPERATED:
            schemas.validate(one, version, strict=True)
            seen += 1
    assert seen > 15
    broken = {**of(overlay, "Service")["serve"], "specs": {}}
    with pytest.raises(schemas.ValidationError):
        schemas.validate(broken, version, strict=True)


def test_the_operator_knows_its_own() -> None:
    """What Prometheus' operator reads says nothing but what its resources have."""
    rule, monitor = (of("production", kind)["onhook"] for kind in ("PrometheusRule", "ServiceMonitor"))
    for one in (rule, monitor):
        assert one["apiVersion"] == OPERATED
    assert set(monitor["spec"]) == {"selector", "jobLabel", "endpoints"}
    assert {key for one in monitor["spec"]["endpoints"] for key in one} == {"port", "path", "interval", "scrapeTimeout"}
    assert set(rule["spec"]) == {"groups"}
    rules = [one for group in rule["spec"]["groups"] for one in group["rules"]]
    assert {key for one in rules for key in one} <= {"record", "alert", "expr", "for", "labels", "annotations"}
    assert not [one for one in rules if ("alert" in one) == ("record" in one)]


def test_the_rules_are_those_of_the_watch() -> None:
    """The rules in the cluster are those of deploy/watch, word for word; `python -m tests.deploy.prometheus_rule`."""
    assert RESOURCE.read_text(encoding="utf-8") == prometheus_rule()
    there = of("production", "PrometheusRule")["onhook"]["spec"]
    assert there == yaml.safe_load(RULES.read_text(encoding="utf-8"))
    assert len(there["groups"]) > 3


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_is_in_one_place(overlay: str) -> None:
    """Everything is in the overlay's own namespace, which lets in nobody who could do more."""
    (space,) = of(overlay, "Namespace").values()
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    name = space["metadata"]["name"]
    assert {one["metadata"]["namespace"] for one in built(overlay) if one is not space} == {name}


# --- our settings -----------------------------------------------------------------------------------------------------


def heard(overlay: str, name: str, folder: Path, additions: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings that a process reads there: its variables, with what is mounted laid into a folder."""
    process = pod(overlay, name)
    volumes = {one["name"]: one for one in process["volumes"]}
    places: dict[str, Path] = {}
    for mount in container(overlay, name)["volumeMounts"]:
        volume = volumes[mount["name"]]
        place = folder / mount["name"]
        place.mkdir(parents=True)
        places[mount["mountPath"]] = place
        if "configMap" in volume:
            for file, text in of(overlay, "ConfigMap")[volume["configMap"]["name"]]["data"].items():
                (place / file).write_text(text, encoding="utf-8")
        if "secret" in volume:
            for file, text in secrets_of(overlay, volume["secret"]["secretName"]).items():
                (place / file).write_text(text, encoding="utf-8")
    variables = {one["name"]: one["value"] for one in container(overlay, name)["env"]}
    for place, here in places.items():
        variables = {key: value.replace(place, str(here)) for key, value in variables.items()}
    return settings.read(variables, additions)


def secrets_of(overlay: str, name: str) -> dict[str, str]:
    """Return the files of a Secret: those that the overlay makes, else those that its README says to make."""
    if made := of(overlay, "Secret").get(name):
        return {file: base64.b64decode(text).decode() for file, text in made["data"].items()}
    said = re.findall(r"--from-file=secrets/(\w+)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert name == "onhook-secrets"
    assert len(said) == 4
    return {file: "rediss://:word@10.0.0.10:6379/0" if file == "redis_url" else SECRET for file in said}


@pytest.mark.parametrize("name", ["serve", "work"])
def test_settings_take_what_production_says(name: str, tmp_path: Path) -> None:
    """Each variable is a setting, each file is there, no secret is missing, and it begins in shadow mode."""
    read = heard("production", name, tmp_path)
    assert read.redis.url.get_secret_value() == "rediss://:word@10.0.0.10:6379/0"
    assert {org.mode for org in read.orgs.values()} == {"shadow"}
    assert read.orgs["acme"].client_secret.get_secret_value() == SECRET
    assert read.sources["servicenow"].org == "acme"
    (ingress,) = of("production", "Ingress").values()
    assert read.doors.public_url == f"https://{ingress['spec']['rules'][0]['host']}"


@pytest.mark.parametrize("name", ["serve", "work"])
def test_settings_take_what_the_sandbox_says(name: str, tmp_path: Path) -> None:
    """In the sandbox, too; its Redis is given the password that ours are told, and its org comes with it."""
    read = heard("sandbox", name, tmp_path)
    (secret,) = of("sandbox", "Secret")
    password = secrets_of("sandbox", secret)["redis.conf"].removeprefix("requirepass ")
    services = of("sandbox", "Service")
    assert (
        read.redis.url.get_secret_value()
        == f"redis://:{password}@redis:{services['redis']['spec']['ports'][0]['port']}/0"
    )
    assert not read.orgs
    place = f"sandbox:{services['sandbox']['spec']['ports'][0]['port']}"
    assert container("sandbox", name)["args"] == [name, "--sandbox-at", place]
    assert "/var/lib/onhook" in {one["mountPath"] for one in container("sandbox", name)["volumeMounts"]}


@pytest.mark.parametrize("overlay, name", PROCESSES)
def test_no_variable_comes_by_itself(overlay: str, name: str) -> None:
    """Kubernetes puts in no variables of its Services: one called onhook would be settings that there are not."""
    with pytest.raises(Misconfigured, match="ONHOOK_SERVICE_HOST"):
        settings.read({"ONHOOK_CONFIG": "/dev/null", "ONHOOK_SERVICE_HOST": "10.96.0.7"})
    assert pod(overlay, name)["enableServiceLinks"] is False


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_secret_is_a_variable(overlay: str) -> None:
    """What is secret is a file: no variable has one, and what production is told holds none."""
    for name in ("serve", "work"):
        for one in container(overlay, name)["env"]:
            assert not one["name"].endswith(("SECRET", "SECRETS", "PASSWORD", "KEY", "TOKEN", "URL")), one
    assert not of("production", "Secret")
    text = (FOLDER / "production" / "onhook.toml").read_text(encoding="utf-8")
    assert not re.search(r"^\s*\w*(secret|password|token)\w* *=", text, re.MULTILINE)


# --- how they run -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("overlay, name", PROCESSES)
async def test_probes_ask_the_private_door(overlay: str, name: str, tmp_path: Path) -> None:
    """Each probe asks what the private door answers when all is well, at the port at which it is opened to all."""
    doors = heard(overlay, name, tmp_path).doors
    address = doors.private if name == "serve" else doors.worker
    assert address == f"0.0.0.0:{port_of(overlay, name, 'private')}"
    one = container(overlay, name)
    for probe, path in {"startupProbe": "/startupz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}.items():
        assert one[probe]["httpGet"] == {"path": path, "port": "private"}
        assert await _answer(path) == httpx.codes.OK
    if name == "serve":
        assert doors.public == f"0.0.0.0:{port_of(overlay, name, 'public')}"
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert one["args"][0] == name
    assert name in commands


async def _answer(path: str) -> int:
    """Return the status of what a private door that has nothing to complain of answers to a path."""

    async def nothing() -> list[str]:
        return []

    async def no_orgs() -> dict[str, dict[str, object]]:
        return {}

    async def measured() -> None:
        """There is nothing to be measured."""

    door = private_door(
        version={},
        claim_age=lambda: 0.0,
        has_started=lambda: True,
        faults=nothing,
        orgs=no_orgs,
        measure=measured,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://10.1.2.3:8081") as client:
        return (await client.get(path)).status_code


@pytest.mark.parametrize("overlay, name", PROCESSES)
def test_there_is_time_to_end(overlay: str, name: str) -> None:
    """Nobody is killed before he is done; a door serves on for longer than it takes to be found not ready."""
    before = container(overlay, name).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["", "0"])
    assert pod(overlay, name)["terminationGracePeriodSeconds"] > float(before[1]) + DRAIN_SECONDS + FINISH_SECONDS
    if name == "serve":
        assert before[0] == "sleep"
        ready = container(overlay, name)["readinessProbe"]
        assert float(before[1]) > ready["periodSeconds"] * ready["failureThreshold"]


@pytest.mark.parametrize("overlay, name", PROCESSES)
def test_one_goes_at_a_time(overlay: str, name: str) -> None:
    """A rollout adds one before it takes one, a node that is emptied waits for the next, and they are spread."""
    deployment = of(overlay, "Deployment")[name]["spec"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    budget = of(overlay, "PodDisruptionBudget")[name]["spec"]
    spread = pod(overlay, name)["topologySpreadConstraints"]
    assert budget["maxUnavailable"] == 1
    assert {one["topologyKey"] for one in spread} == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    for selector in (deployment["selector"], budget["selector"], *(one["labelSelector"] for one in spread)):
        assert selector["matchLabels"] == labels(overlay, name)


def test_doors_are_as_many_as_they_need() -> None:
    """Doors are scaled by their use of a core, and no count of replicas is in the way; two workers are two."""
    scale = of("production", "HorizontalPodAutoscaler")["serve"]["spec"]
    assert scale["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "serve"}
    assert scale["minReplicas"] >= 2
    deployments = of("production", "Deployment")
    assert "replicas" not in deployments["serve"]["spec"]
    assert deployments["work"]["spec"]["replicas"] == 2
    assert of("sandbox", "Deployment")["serve"]["spec"]["replicas"] == 1


# --- what is open -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_are_restricted(overlay: str) -> None:
    """Whatever runs keeps to the restricted profile and more: no root, nothing to write to, bounds, no token."""
    deployments = of(overlay, "Deployment")
    assert {"serve", "work"} <= set(deployments)
    for name in deployments:
        said = pod(overlay, name)
        assert said["automountServiceAccountToken"] is False
        assert said["securityContext"]["runAsNonRoot"] is True
        assert said["securityContext"]["runAsUser"] > 0
        assert said["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(said)
        assert all(set(one) & {"configMap", "secret", "emptyDir"} for one in said.get("volumes", ()))
        for one in (*said["containers"], *said.get("initContainers", ())):
            assert one["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {*one["resources"]["requests"], *one["resources"]["limits"]} == {"cpu", "memory"}


def test_our_user_is_the_images() -> None:
    """The number of the user is the image's, and the files of secrets are its group's alone."""
    (user,) = re.findall(r"^USER (\d+):\1$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    for overlay, name in PROCESSES:
        said = pod(overlay, name)
        assert {said["securityContext"][key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {int(user)}
        (mode,) = (one["secret"]["defaultMode"] for one in said["volumes"] if "secret" in one)
        assert mode == 0o440


def _allowed(overlay: str, way: str, name: str) -> Iterator[tuple[Resource, Resource]]:
    """Yield each pair of whom and port that the policies allow a Deployment's pods, `ingress` or `egress`."""
    for policy in of(overlay, "NetworkPolicy").values():
        if fits(policy["spec"]["podSelector"], labels(overlay, name)):
            for rule in policy["spec"].get(way, ()):
                for whom in rule["from" if way == "ingress" else "to"]:
                    yield from ((whom, port) for port in rule["ports"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nobody_speaks_with_anybody(overlay: str) -> None:
    """By itself no pod may be reached or reach out; webhooks come in at the public door, and nothing else does."""
    assert of(overlay, "NetworkPolicy")["nobody"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    watched = {"private": {"monitoring"}} if overlay == "production" else {}
    for name, expected in {"serve": {"public": {"ingress-nginx"}} | watched, "work": watched}.items():
        came: dict[str, set[str]] = {}
        for whom, port in _allowed(overlay, "ingress", name):
            space = whom["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            came.setdefault(port["port"], set()).add(space)
        assert came == expected
    for policy in of(overlay, "NetworkPolicy").values():
        for port in (
            port for way in ("ingress", "egress") for rule in policy["spec"].get(way, ()) for port in rule["ports"]
        ):
            assert port["protocol"] in {"TCP", "UDP"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_who_may_call_out(overlay: str) -> None:
    """Both reach names and Redis; workers alone reach what is outside, by TLS, and nothing in the cluster that way."""
    play = {8089} if overlay == "sandbox" else set()
    reached = {name: list(_allowed(overlay, "egress", name)) for name in ("serve", "work")}
    for name, more in {"serve": set(), "work": {443}}.items():
        assert {port["port"] if port["port"] != "play" else 8089 for _, port in reached[name]} == {
            53,
            6379,
        } | play | more
    for whom, port in reached["work"]:
        if port["port"] == 443:
            assert whom["ipBlock"]["cidr"] == "0.0.0.0/0"
            assert {"10.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16", "172.16.0.0/12"} <= set(whom["ipBlock"]["except"])
        elif port["port"] == 6379:
            assert set(whom) == ({"podSelector"} if overlay == "sandbox" else {"ipBlock"})


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_services_find_their_pods(overlay: str) -> None:
    """Each Service fits pods that have the port it names, and the one for webhooks leads to no private door."""
    services = of(overlay, "Service")
    for service in services.values():
        found = [name for name in of(overlay, "Deployment") if fits(service["spec"]["selector"], labels(overlay, name))]
        assert found
        for name in found:
            for port in service["spec"]["ports"]:
                assert port_of(overlay, name, port["targetPort"])
    assert [one["targetPort"] for one in services["serve"]["spec"]["ports"]] == ["public"]
    assert {services["private"]["spec"][key] for key in ("clusterIP", "publishNotReadyAddresses")} == {"None", True}
    assert all(service["spec"].get("type", "ClusterIP") == "ClusterIP" for service in services.values())


def test_the_ingress_is_the_public_door() -> None:
    """It leads to three routes of the public door and nothing else, by TLS, within the door's own limits."""
    (ingress,) = of("production", "Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    assert ingress["spec"]["tls"] == [{"hosts": [rule["host"]], "secretName": "onhook-tls"}]
    assert {path["path"] for path in rule["http"]["paths"]} == {"/webhooks", "/actions", "/openapi.json"}
    for path in rule["http"]["paths"]:
        assert path["backend"]["service"] == {"name": "serve", "port": {"name": "public"}}
    said = ingress["metadata"]["annotations"]
    for family, size, unit in (
        ("nginx.ingress.kubernetes.io", "proxy-body-size", ""),
        ("nginx.org", "client-max-body-size", "s"),
    ):
        assert said[f"{family}/{size}"] == f"{MAX_BODY // 1024}k"
        assert int(said[f"{family}/proxy-read-timeout"].removesuffix(unit)) > Limits().answer_seconds


async def test_prometheus_finds_both() -> None:
    """The monitor fits the Service that fits both processes, and gives them the name by which the rules know them."""
    monitor = of("production", "ServiceMonitor")["onhook"]["spec"]
    (service,) = (
        one for one in of("production", "Service").values() if fits(monitor["selector"], one["metadata"]["labels"])
    )
    for name in ("serve", "work"):
        assert fits(service["spec"]["selector"], labels("production", name))
    job = service["metadata"]["labels"][monitor["jobLabel"]]
    assert {f'job="{job}"'} == set(re.findall(r'job="\w+"', RULES.read_text(encoding="utf-8")))
    (endpoint,) = monitor["endpoints"]
    assert await _answer(endpoint["path"]) == httpx.codes.OK
    assert await _answer(f"{endpoint['path']}z") == httpx.codes.NOT_FOUND
    assert endpoint["port"] in {one["name"] for one in service["spec"]["ports"]}
