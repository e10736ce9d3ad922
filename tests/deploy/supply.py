"""What is shipped, looked through for `.ci/run`: licences, a bill of materials, known vulnerabilities.

`deploy/requirements.txt` says which packages are shipped. What is known of them is read from where they are installed:
`python -m tests.deploy.supply licences SITE-PACKAGES`, `… sbom SITE-PACKAGES`, `… pins`, `… audit REPORT TROUBLE`. What
would be objected to and is accepted all the same stands in `.ci/accepted.toml`, with its reason.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "deploy" / "requirements.txt"
BUILD_LOCK = ROOT / "deploy" / "requirements-build.txt"
ACCEPTED = ROOT / ".ci" / "accepted.toml"
# whoever passes Onhook on owes no more than to keep a notice
PERMISSIVE = frozenset({"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "PSF-2.0"})
# what packages write that were made before SPDX expressions; "BSD License" is left out: it says not which
SPDX = {
    "MIT License": "MIT",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "Apache 2": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
} | {name: name for name in (*PERMISSIVE, "MPL-2.0")}
# the audit's own errors, and its library's: nobody answered, or not what was asked for
NOT_REACHED = re.compile(r"requests\.exceptions\.|Service(Connection)?Error|ConnectionError|vulnerability feed")


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock, and the marker that says where it is installed (empty: everywhere)."""

    name: str
    version: str
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is accepted though it would be objected to; each entry says why."""

    licences: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    elsewhere: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    vulnerabilities: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Package:
    """What an installed package says of itself."""

    version: str
    licence: str
    summary: str
    needs: tuple[str, ...]


def accepted_in(text: str) -> Accepted:
    """Read the exceptions.

    Raises:
        ValueError: one of them says no reason.
    """
    read = Accepted(**tomllib.loads(text))
    reasons = {**read.vulnerabilities}
    reasons |= {name: entry.get("why", "") for part in (read.licences, read.elsewhere) for name, entry in part.items()}
    if silent := sorted(name for name, why in reasons.items() if len(why.split()) < 3):
        raise ValueError(f"no reason: {', '.join(silent)}")
    return read


def pins_in(lock: str) -> tuple[Pin, ...]:
    """Return the packages that a lock pins."""
    found = re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)(?: ; ([^\\\n]+?))? *\\?$", lock, re.MULTILINE)
    return tuple(Pin(*one) for one in found)


def installed_in(site: Path) -> dict[str, Package]:
    """Return what the packages installed there say of themselves."""
    found = {}
    for one in metadata.distributions(path=[str(site)]):
        said = one.metadata
        required = [Requirement(text) for text in one.requires or ()]
        needs = sorted({str(canonicalize_name(asked.name)) for asked in required if "extra" not in str(asked.marker)})
        name, summary = str(canonicalize_name(one.name)), said["Summary"] or ""
        found[name] = Package(one.version, licence_in(said), summary, tuple(needs))
    return found


def licence_in(said: Any) -> str:  # noqa: ANN401 - an email.Message in all but its type
    """Return the SPDX expression a package's metadata comes down to; empty: nothing that can be understood."""
    if expression := said.get("License-Expression"):
        return str(expression)
    if known := SPDX.get((said.get("License") or "").strip()):
        return known
    kinds = [one.rpartition(" :: ")[2] for one in said.get_all("Classifier") or () if one.startswith("License ::")]
    # several may mean "both" or "either": that each of them would do is asked for
    return " AND ".join(SPDX[kind] for kind in kinds) if all(kind in SPDX for kind in kinds) else ""


def is_permissive(expression: str) -> bool:
    """Whether an SPDX expression leaves a choice of permissive licences alone; what it does not know does not."""
    while inner := re.search(r"\(([^()]*)\)", expression):
        one = "MIT" if is_permissive(inner[1]) else "no"
        expression = expression.replace(inner[0], one)
    return any(all(part.strip() in PERMISSIVE for part in way.split(" AND ")) for way in expression.split(" OR "))


def licence_faults(pins: tuple[Pin, ...], installed: Mapping[str, Package], accepted: Accepted) -> Iterator[str]:
    """Say each shipped package whose licence is not known or not permissive, and each exception that is none."""
    for pin in pins:
        licence = licence_of(pin, installed, accepted)
        excepted = accepted.licences.get(pin.name, {}).get("licence")
        if pin.name not in installed and not pin.marker:
            yield f"{pin.name} is shipped and not installed"
        elif not licence:
            yield f"{pin.name}: what it says of its licence is not understood; read it, and enter it in {ACCEPTED.name}"
        elif excepted is not None and (excepted != licence or is_permissive(licence)):
            yield f"{pin.name}: {licence}, but {ACCEPTED.name} speaks of {excepted}"
        elif excepted is None and not is_permissive(licence):
            yield f"{pin.name}: {licence} is not permissive"
    known = {pin.name for pin in pins}
    yield from (f"{name} is installed and not shipped" for name in sorted({*installed} - known - {"onhook"}))
    excepted_names = {*accepted.licences, *accepted.elsewhere}
    yield from (f"{ACCEPTED.name} names {name}, which is not shipped" for name in sorted(excepted_names - known))


def licence_of(pin: Pin, installed: Mapping[str, Package], accepted: Accepted) -> str:
    """Return the licence of a package: its own word, or what was read where it has none, or is not installed here."""
    said = installed[pin.name].licence if pin.name in installed else ""
    return said or accepted.elsewhere.get(pin.name, {}).get("licence", "")


def sbom(
    project: Mapping[str, Any], pins: tuple[Pin, ...], installed: Mapping[str, Package], accepted: Accepted
) -> dict[str, Any]:
    """Return the bill of materials as CycloneDX 1.6: the same packages give the same document, to the byte."""
    refs = {pin.name: f"pkg:pypi/{pin.name}@{pin.version}" for pin in pins}
    needed = {"onhook": [str(canonicalize_name(Requirement(one).name)) for one in project["dependencies"]]}
    needed |= {pin.name: list(installed[pin.name].needs) if pin.name in installed else [] for pin in pins}
    graph = [
        {"ref": refs.get(name, name), "dependsOn": sorted(refs[one] for one in needs if one in refs)}
        for name, needs in needed.items()
    ]
    whole = {
        "type": "application",
        "bom-ref": "onhook",
        "name": "onhook",
        "version": project["version"],
        "description": project["description"],
        "licenses": [{"license": {"id": project["license"]}}],
    }
    components = [_component(pin, refs[pin.name], installed, accepted) for pin in pins]
    content = {"metadata": {"component": whole}, "components": components, "dependencies": graph}
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(content, sort_keys=True))
    head = {"$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX"}
    return {**head, "specVersion": "1.6", "serialNumber": f"urn:uuid:{serial}", "version": 1, **content}


def _component(pin: Pin, ref: str, installed: Mapping[str, Package], accepted: Accepted) -> dict[str, Any]:
    licence = licence_of(pin, installed, accepted)
    summary = installed[pin.name].summary if pin.name in installed else ""
    known: dict[str, Any] = {"type": "library", "bom-ref": ref, "name": pin.name, "version": pin.version}
    known |= {"description": summary} if summary else {}
    known["licenses"] = [{"expression": licence} if " " in licence else {"license": {"id": licence}}]
    known["purl"] = ref
    return known | ({"properties": [{"name": "onhook:only", "value": pin.marker}]} if pin.marker else {})


def audited(report: str, trouble: str, accepted: Accepted) -> tuple[list[str], list[str]]:
    """Return what to say of an audit, and its faults; a service that was not reached is said and is no fault.

    Args:
        report: what pip-audit wrote, in JSON; empty where it came to none.
        trouble: what it said meanwhile.
        accepted: the vulnerabilities that are known and why they do not matter here.
    """
    last = (trouble.strip() or "it said nothing").splitlines()[-1][:300]
    if not report.strip():
        if trouble.strip() and not NOT_REACHED.search(trouble):
            return [], [f"the audit broke: {last}"]
        return [f"NOT AUDITED: the vulnerability service was not reached ({last})"], []
    packages = json.loads(report)["dependencies"]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if len(skipped) == len(packages):
        return [f"NOT AUDITED: the vulnerability service knows none of the {len(packages)} packages"], []
    said = [f"{len(packages) - len(skipped)} of {len(packages)} packages audited"]
    said += [f"not audited, for the service does not know that release: {name}" for name in skipped]
    faults, met = [], set()
    for one in packages:
        for hole in one.get("vulns", ()):
            ids = [hole["id"], *hole.get("aliases", ())]
            if excused := [name for name in ids if name in accepted.vulnerabilities]:
                met.update(excused)
                said.append(f"{one['name']}: {ids[0]} is accepted: {accepted.vulnerabilities[excused[0]]}")
            else:
                fixed = ", ".join(hole["fix_versions"]) or "no release yet"
                faults.append(f"{one['name']} {one['version']}: {', '.join(ids)}; mended in {fixed}")
    faults += [f"{ACCEPTED.name} names {name}, which nothing has" for name in sorted({*accepted.vulnerabilities} - met)]
    return said, faults


def main(arguments: list[str]) -> int:
    """Do one of the commands; 1 where there is a fault, each said in a line."""
    pins, accepted = pins_in(LOCK.read_text()), accepted_in(ACCEPTED.read_text())
    said: list[str] = []
    faults: list[str] = []
    match arguments:
        case ["licences", site]:
            faults = list(licence_faults(pins, installed_in(Path(site)), accepted))
            said = [] if faults else [f"licences: all of {len(pins)} known, {len(accepted.licences)} by exception"]
        case ["sbom", site]:
            project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
            bill = sbom(project, pins, installed_in(Path(site)), accepted)
            said = [json.dumps(bill, indent=1, ensure_ascii=False)]
        case ["pins"]:  # without markers: what another machine installs is shipped as well
            said = sorted(f"{pin.name}=={pin.version}" for pin in {*pins, *pins_in(BUILD_LOCK.read_text())})
        case ["audit", report, trouble]:
            said, faults = audited(Path(report).read_text(), Path(trouble).read_text(), accepted)
        case _:
            faults = [f"no such command: {' '.join(arguments)}"]
    sys.stdout.write("".join(f"{line}\n" for line in [*said, *faults]))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
