"""What is shipped is what the lock says, under known licences; an audit that saw nothing does not look green."""

import json
import re
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.deploy import supply
from tests.deploy.supply import Accepted, Package, Pin

ROOT = Path(__file__).parents[2]
PINS = supply.pins_in(supply.LOCK.read_text())
BILL = json.loads((ROOT / "deploy" / "sbom.cdx.json").read_text())
TROVE = "Classifier: License :: OSI Approved"
WHY = "it is passed on unchanged"
PROJECT = {"version": "1", "description": "It.", "license": "Apache-2.0", "dependencies": ["anyio>=4"]}


def package(licence: str = "MIT", *needs: str) -> Package:
    """An installed package with a licence."""
    return Package("4.16.0", licence, "", needs)


# --------------------------------------------------------------------------------------------------------- the lock
def test_the_lock_is_read_whole() -> None:
    """Each line of the lock that pins something is read, with the machines it is for; each has a hash."""
    text = supply.LOCK.read_text()
    assert len(PINS) == text.count("==") - sum(pin.marker.count("==") for pin in PINS)
    assert {(pin.name, pin.marker) for pin in PINS} >= {("anyio", ""), ("colorama", "sys_platform == 'win32'")}
    assert all("--hash=sha256:" in part for part in re.split(r"^\S+==", text, flags=re.MULTILINE)[1:])


def test_what_is_audited_is_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Also what other machines install, and what the wheel is built with."""
    assert supply.main(["pins"]) == 0
    pinned = capsys.readouterr().out.split()
    assert {f"{pin.name}=={pin.version}" for pin in PINS} < set(pinned)
    assert "hatchling" in {pin.partition("==")[0] for pin in pinned}


# -------------------------------------------------------------------------------------------------- bill of materials
def test_the_bill_names_what_the_lock_pins() -> None:
    """The same names and versions, no more and no fewer, and the project itself as what they are for."""
    assert [(one["name"], one["version"]) for one in BILL["components"]] == [(pin.name, pin.version) for pin in PINS]
    assert BILL["metadata"]["component"]["name"] == "onhook"


def test_the_bill_is_whole() -> None:
    """Each package has a licence and is needed by something, and nothing is needed that is not there."""
    assert all(one["licenses"] for one in BILL["components"])
    refs = {one["bom-ref"] for one in BILL["components"]}
    needed = {ref for one in BILL["dependencies"] for ref in one["dependsOn"]}
    assert needed == refs
    assert {one["ref"] for one in BILL["dependencies"]} == {"onhook", *refs}


def test_the_bill_names_no_place() -> None:
    """No registry's host and no path of the machine it was made on: only the address of its own schema."""
    text = json.dumps(BILL)
    assert re.findall(r"[a-z]+://[^\"]*", text) == ["http://cyclonedx.org/schema/bom-1.6.schema.json"]
    assert not re.search(r'"/|file:', text)


def test_the_same_packages_give_the_same_bill() -> None:
    """The bill has neither date nor chance in it, and another licence makes it another bill."""
    pins = (Pin("anyio", "4.16.0"), Pin("idna", "3.20", "sys_platform == 'win32'"))
    accepted = Accepted(elsewhere={"idna": {"licence": "BSD-3-Clause", "why": WHY}})
    made, again, other = (
        supply.sbom(PROJECT, pins, {"anyio": package(licence, "idna")}, accepted) for licence in ("MIT", "MIT", "ISC")
    )
    assert made == again
    assert made["serialNumber"] != other["serialNumber"]
    assert made["dependencies"][:2] == [
        {"ref": "onhook", "dependsOn": ["pkg:pypi/anyio@4.16.0"]},
        {"ref": "pkg:pypi/anyio@4.16.0", "dependsOn": ["pkg:pypi/idna@3.20"]},
    ]
    assert made["components"][1]["properties"] == [{"name": "onhook:only", "value": "sys_platform == 'win32'"}]


# ----------------------------------------------------------------------------------------------------------- licences
@pytest.mark.parametrize(
    "expression, expected",
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT OR Apache-2.0 AND GPL-3.0-only", True),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", False),
        ("BSD-3-Clause AND (MPL-2.0 OR (ISC AND MIT))", True),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("LicenseRef-MIT", False),
    ],
)
def test_what_is_permissive(expression: str, expected: bool) -> None:
    """An expression is permissive if a choice is left that needs no other licence; what is not known is not."""
    assert supply.is_permissive(expression) is expected


@pytest.mark.parametrize(
    "said, expected",
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: GPL", "MIT OR Apache-2.0"),
        ("License: ISC License", "ISC"),
        (f"License: as is\n{TROVE} :: MIT License", "MIT"),
        (f"{TROVE} :: Apache Software License\n{TROVE} :: MIT License", "Apache-2.0 AND MIT"),
        (f"{TROVE} :: MIT License\nClassifier: License :: Other/Proprietary License", ""),
        (f"{TROVE} :: BSD License", ""),
        ("Classifier: Topic :: Security", ""),
    ],
)
def test_what_a_package_says(tmp_path: Path, said: str, expected: str) -> None:
    """The newer field counts before the older, that before the classifiers; what is not understood is nothing."""
    folder = tmp_path / "Any_Io-4.16.0.dist-info"
    folder.mkdir()
    needs = 'Requires-Dist: IDNA>=2\nRequires-Dist: trio; extra == "trio"'
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: Any_Io\nVersion: 4.16.0\n{said}\n{needs}\n")
    assert supply.installed_in(tmp_path) == {"any-io": Package("4.16.0", expected, "", ("idna",))}


@pytest.mark.parametrize(
    "licence, accepted, expected",
    [
        ("MIT", Accepted(), ""),
        ("MPL-2.0", Accepted(), "not permissive"),
        ("MPL-2.0", Accepted(licences={"anyio": {"licence": "MPL-2.0", "why": WHY}}), ""),
        ("GPL-3.0-only", Accepted(licences={"anyio": {"licence": "MPL-2.0", "why": WHY}}), "speaks of MPL-2.0"),
        ("MIT", Accepted(licences={"anyio": {"licence": "MIT", "why": WHY}}), "speaks of MIT"),
        ("", Accepted(), "not understood"),
        ("", Accepted(elsewhere={"anyio": {"licence": "MIT", "why": WHY}}), ""),
        ("MIT", Accepted(elsewhere={"trio": {"licence": "MIT", "why": WHY}}), "names trio, which is not shipped"),
        (None, Accepted(), "not installed"),
    ],
)
def test_licences_that_are_objected_to(licence: str | None, accepted: Accepted, expected: str) -> None:
    """A licence that is not permissive, not known or another one than was accepted; and an exception for nothing."""
    installed = {} if licence is None else {"anyio": package(licence)}
    faults = list(supply.licence_faults((Pin("anyio", "4.16.0"),), installed, accepted))
    assert [expected in fault for fault in faults] == ([True] if expected else [])


def test_what_came_along_unasked_is_objected_to() -> None:
    """A package that is installed with ours and stands in no lock is named."""
    installed = {"anyio": package(), "onhook": package(), "trio": package()}
    faults = supply.licence_faults((Pin("anyio", "4.16.0"),), installed, Accepted())
    assert list(faults) == ["trio is installed and not shipped"]


def test_each_exception_has_its_reason() -> None:
    """What is accepted says why; an entry that does not is no start."""
    supply.accepted_in(supply.ACCEPTED.read_text())
    for silent in ('[licences]\na = { licence = "MIT" }', '[vulnerabilities]\nCVE-1 = "ok"'):
        with pytest.raises(ValueError, match="no reason: "):
            supply.accepted_in(silent)


# -------------------------------------------------------------------------------------------------------------- audit
CLEAN = {"name": "idna", "version": "3.20", "vulns": []}
HOLE = {"id": "PYSEC-2025-1", "fix_versions": ["0.16.0"], "aliases": ["CVE-2025-43859"], "description": "…"}
HOLED = {"name": "h11", "version": "0.15.0", "vulns": [HOLE]}
SKIPPED = {"name": "anyio", "skip_reason": "Dependency not found and could not be audited: anyio (4.16.0)"}
REACHED_NOBODY = "Traceback …\nrequests.exceptions.ProxyError: Max retries exceeded"
EXCUSED = Accepted(vulnerabilities={"CVE-2025-43859": "we never parse a request with h11"})


@pytest.mark.parametrize(
    "packages, trouble, accepted, said, fault",
    [
        ([CLEAN], "", Accepted(), "1 of 1 packages audited", ""),
        ([CLEAN, HOLED], "", Accepted(), "2 of 2", "h11 0.15.0: PYSEC-2025-1, CVE-2025-43859; mended in 0.16.0"),
        ([CLEAN, HOLED], "", EXCUSED, "h11: PYSEC-2025-1 is accepted: we never parse", ""),
        ([CLEAN], "", EXCUSED, "1 of 1", "names CVE-2025-43859, which nothing has"),
        ([CLEAN, SKIPPED], "", Accepted(), "1 of 2", ""),
        ([CLEAN, SKIPPED], "", Accepted(), "does not know that release: anyio", ""),
        ([SKIPPED, SKIPPED], "", EXCUSED, "NOT AUDITED: the vulnerability service knows none of the 2", ""),
        (None, REACHED_NOBODY, Accepted(), "NOT AUDITED: the vulnerability service was not reached", ""),
        (None, "WARNING: …\nConnectionError: no answer within 20 s", Accepted(), "no answer within 20 s", ""),
        (None, "", Accepted(), "NOT AUDITED", ""),
        (None, "error: unrecognized arguments: --timeout", Accepted(), "", "the audit broke: error: unrecognized"),
    ],
)
def test_what_an_audit_comes_to(
    packages: list[object] | None, trouble: str, accepted: Accepted, said: str, fault: str
) -> None:
    """A hole is a fault unless it is accepted; nobody there is said in words; an audit that broke is a fault."""
    report = "" if packages is None else json.dumps({"dependencies": packages, "fixes": []})
    lines, faults = supply.audited(report, trouble, accepted)
    assert said in "\n".join(lines)
    assert [fault in one for one in faults] == ([True] if fault else [])


def test_a_fault_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The commands that CI runs end with 1 where there is a fault, and with 0 where there is none."""
    report, trouble = tmp_path / "report", tmp_path / "trouble"
    trouble.write_text("")
    for packages, expected in (([CLEAN], 0), ([HOLED], 1)):
        report.write_text(json.dumps({"dependencies": packages}))
        assert supply.main(["audit", str(report), str(trouble)]) == expected
    assert supply.main(["licences", str(tmp_path)]) == 1
    assert supply.main(["sbom"]) == 1
    for pin in PINS:
        folder = tmp_path / f"{canonicalize_name(pin.name)}-{pin.version}.dist-info"
        folder.mkdir()
        licence = supply.accepted_in(supply.ACCEPTED.read_text()).licences.get(pin.name, {"licence": "MIT"})["licence"]
        text = f"Metadata-Version: 2.4\nName: {pin.name}\nVersion: {pin.version}\nLicense-Expression: {licence}\n"
        (folder / "METADATA").write_text(text)
    assert supply.main(["licences", str(tmp_path)]) == 0
    capsys.readouterr()
    assert supply.main(["sbom", str(tmp_path)]) == 0
    assert len(json.loads(capsys.readouterr().out)["components"]) == len(PINS)
