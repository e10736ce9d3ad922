"""The image: built where there is no Docker engine, locked as compose locks it, and run; what it says of its parts."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.supply import LOCK, pins_in
from tests.findings import write_evidence
from tests.needs import needs

SCRIPT = Path(__file__).with_name("build_image.sh")
COMMAND = "uv run pytest -n 0 -m slow tests/deploy/test_image.py"
BUILD_SECONDS = 1800  # a base of Debian, two environments, two containers; some minutes where nothing else runs


def facts_in(text: str) -> dict[str, str]:
    """Return what the script found, by name."""
    return dict(re.findall(r"^fact (\S+) ?(.*)$", text, re.MULTILINE))


def faults_in(facts: dict[str, str]) -> list[str]:
    """Return what is wrong with an image, a sentence each, by what was found when it was built and run."""
    pins = pins_in(LOCK.read_text())  # with a marker: for some machines, some Pythons
    least, most = len([pin for pin in pins if not pin.marker]) + 1, len(pins) + 1
    story = json.loads(facts.get("demo") or "{}")
    wanted = {
        "it runs as user 10001": (facts.get("user"), facts.get("uid")) == ("10001:10001", "10001"),
        "it runs onhook": facts.get("entrypoint") == "onhook",
        "it is watched by onhook": facts.get("healthcheck") == "CMD onhook healthy",
        "it says of which commit it is": facts.get("revision") == facts.get("commit"),
        "it has the lock's packages and ours": least <= int(facts.get("packages", 0)) <= most,
        "nothing in it installs anything": facts.get("installers") == "0",
        "no index is left in it": facts.get("pip_conf") == "none",
        "all of ours is compiled": facts.get("not_compiled") == "0",
        "each dependency is there for both kinds of machine": facts.get("wheels_x86_64") == facts.get("wheels_aarch64"),
        "it has no capability": facts.get("capabilities") == "0" * 16,
        "it gets no new privileges": facts.get("new_privileges") == "never",
        "it writes to its volume and /tmp alone": facts.get("writable") == "/tmp /var/lib/onhook",
        "it removes the demo's callers": story.get("outcomes", {}).get("disconnected") == story.get("disconnect_calls"),
        "it removes nobody else": story.get("bystanders_lost") == 0,
        "it tells each ticket": bool(story) and story.get("tickets_told") == story.get("notes_written"),
        "it says that it is alive, and ends when told to": "200" in facts.get("healthy", "")
        and facts.get("healthy", "").endswith("ended with 0"),
    }
    return [f"not so: {promise}" for promise, is_so in wanted.items() if not is_so]


def test_what_is_wrong_with_an_image() -> None:
    """An image of which nothing was found is wrong in every way, and each fact that is worse is named."""
    nothing = faults_in({})
    assert len(nothing) >= 12
    assert "not so: it runs as user 10001" in nothing
    good = facts_in("fact user 10001:10001\nfact uid 10001\nfact pip_conf none\nsaid: fact installers 0\n")
    assert set(nothing) - set(faults_in(good)) == {"not so: it runs as user 10001", "not so: no index is left in it"}


@pytest.mark.slow
def test_the_image(tmp_path: Path) -> None:
    """What is committed builds, runs locked as a user without rights, tells the demo's story, and ends well."""
    for tool in ("buildah", "debootstrap", "unshare"):
        needs(tool)
    if os.geteuid() != 0:
        pytest.skip("needs root: a base is unpacked, and a root file system mounted read-only")
    with (tmp_path / "log").open("wb") as log:
        built = subprocess.run(("bash", SCRIPT), stdout=subprocess.PIPE, stderr=log, timeout=BUILD_SECONDS, check=False)
    assert built.returncode == 0, (tmp_path / "log").read_text(errors="replace")[-4000:]
    facts = facts_in(built.stdout.decode())
    faults = faults_in(facts)
    ran = ["onhook --version", "id -u", "onhook demo --once --json", "onhook up --sandbox", "onhook healthy"]
    write_evidence(
        "image",
        command=COMMAND,
        counters={name: int(value) for name, value in facts.items() if value.isdigit()},
        findings=faults,
        facts=facts,
        ran=ran,
        untested=["a Docker engine", "an image of python:3.13-slim-bookworm", "the image on aarch64"],
    )
    assert faults == []
