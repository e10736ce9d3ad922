"""deploy/kubernetes as kustomize builds it, and how its resources are looked at."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.needs import needs

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
Resource = dict[str, Any]


@cache
def built(overlay: str) -> Sequence[Resource]:
    """Return what kustomize makes of an overlay."""
    program = needs("kustomize", "kubectl")
    command = [program, *(["build"] if Path(program).name == "kustomize" else ["kustomize"]), str(FOLDER / overlay)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (0, ""), made.stderr
    return list(yaml.safe_load_all(made.stdout))


def of(overlay: str, kind: str) -> dict[str, Resource]:
    """Return the resources of a kind by their names."""
    return {one["metadata"]["name"]: one for one in built(overlay) if one["kind"] == kind}


def pod(overlay: str, name: str) -> Resource:
    """Return what a Deployment says of its pods."""
    return dict(of(overlay, "Deployment")[name]["spec"]["template"]["spec"])


def container(overlay: str, name: str) -> Resource:
    """Return the one container that goes on running in a pod."""
    (one,) = pod(overlay, name)["containers"]
    return dict(one)


def labels(overlay: str, name: str) -> Mapping[str, str]:
    """Return the labels of the pods of a Deployment."""
    return dict(of(overlay, "Deployment")[name]["spec"]["template"]["metadata"]["labels"])


def fits(selector: Resource, given: Mapping[str, str]) -> bool:
    """Whether a label selector, or a plain one of a Service, fits."""
    return set(selector.get("matchLabels", selector).items()) <= set(given.items())


def port_of(overlay: str, name: str, port: str) -> int:
    """Return the number of a named port of a container."""
    return next(int(one["containerPort"]) for one in container(overlay, name)["ports"] if one["name"] == port)
