"""deploy/terraform: it gives two permissions in named divisions, and puts out what the settings of Onhook ask for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from service.core.model import ORG_NAME
from service.genesys.options import REGIONS
from service.settings import OrgSettings
from tests.needs import needs
from tests.story.stage import Stage, staged

needs("hcl2")
import hcl2  # noqa: E402 - after it is known to be there

FOLDER = Path(__file__).parents[2] / "deploy" / "terraform"
# what the provider's published schema has for each, as far as it can be asked for
KNOWN: Final[Mapping[str, set[str]]] = {
    "genesyscloud_auth_role": {"name", "description", "default_role_id", "permissions", "permission_policies"},
    "genesyscloud_auth_division": {"name"},
    "genesyscloud_oauth_client": {
        "name",
        "description",
        "authorized_grant_type",
        "access_token_validity_seconds",
        "client_secret",
        "directory_client_secret",
        "expose_client_secret",
        "integration_credential_name",
        "registered_redirect_uris",
        "roles",
        "scopes",
        "state",
    },
}
OF_TERRAFORM = {"for_each", "dynamic"}
CLIENT = "genesyscloud_oauth_client.onhook"
PLAY_ID, PLAY_SECRET = "3a4b5c6d-1234-4678-9012-34567890abcd", "a-play-secret-for-nobody"
# stands where terraform stands: says what was put out, each output in a file of its name
TERRAFORM = '#!/bin/sh\n[ "$1 $2" = "output -raw" ] && exec cat "${0%/*}/$3"\nexit 9\n'


def plain(said: object) -> Any:  # noqa: ANN401 - whatever the file says
    """Return what was read without the quotation marks and marks of the reader."""
    if isinstance(said, dict):
        return {str(plain(key)): plain(value) for key, value in said.items() if not str(key).startswith("__")}
    if isinstance(said, list):
        return [plain(one) for one in said]
    return said[1:-1] if isinstance(said, str) and said.startswith('"') else said


def read(name: str) -> dict[str, Any]:
    """Return one file of the module."""
    return dict(plain(hcl2.loads((FOLDER / name).read_text(encoding="utf-8"))))


def named(blocks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return blocks by their label."""
    return {name: content for block in blocks for name, content in block.items()}


def one(kind: str) -> dict[str, Any]:
    """Return the only resource or source of what is there of a kind."""
    main = read("main.tf")
    ((_, content),) = named(main["resource"] + main["data"])[kind].items()
    return dict(content)


def arguments(block: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a block asks for, generated blocks too."""
    yield from block.keys() - OF_TERRAFORM
    for made in block.get("dynamic", []):
        yield from made


def test_exactly_two_permissions() -> None:
    """The role may look at a conversation and disconnect a participant, and nothing else."""
    role = one("genesyscloud_auth_role")
    given = [
        f"{policy['domain']}:{policy['entity_name']}:{action}"
        for policy in role["permission_policies"]
        for action in policy["action_set"]
    ]
    assert sorted(given) == ["conversation:communication:disconnect", "conversation:communication:view"]
    assert "permissions" not in role
    assert "default_role_id" not in role


def test_nothing_is_given_everywhere() -> None:
    """No star stands for everything: the only one is in the sentence that refuses it."""
    stars = [line.strip() for file in FOLDER.rglob("*.tf") for line in file.read_text().splitlines() if '"*"' in line]
    assert stars == ['condition     = length(var.divisions) > 0 && !contains(var.divisions, "*")']
    assert list(read("main.tf")["resource"][1]) == ["genesyscloud_oauth_client"], "nothing else is made"
    assert len(read("main.tf")["resource"]) == 2


def test_the_role_is_given_in_the_named_divisions() -> None:
    """The client has the one role in each division that was named, and is of the kind that has no user."""
    client, division = one("genesyscloud_oauth_client"), one("genesyscloud_auth_division")
    assert (division["for_each"], division["name"]) == ("${var.divisions}", "${each.value}")
    ((made,),) = (block.items() for block in client["dynamic"])
    assert made[0] == "roles"
    assert made[1]["for_each"] == "${data.genesyscloud_auth_division.reached}"
    assert made[1]["content"] == [
        {"role_id": "${genesyscloud_auth_role.onhook.id}", "division_id": "${roles.value.id}"}
    ]
    assert client["authorized_grant_type"] == "CLIENT-CREDENTIALS"
    assert "scopes" not in client, "they do not apply to this grant"


@pytest.mark.parametrize("kind", KNOWN)
def test_the_provider_knows_each_argument(kind: str) -> None:
    """What is asked for is in the provider's schema."""
    assert set(arguments(one(kind))) <= KNOWN[kind]


def test_variables_take_what_the_settings_take() -> None:
    """Regions and names of orgs are those of the settings; a token lasts as long as the vendor says it may."""
    said = {name: content["validation"][0]["condition"] for name, content in _variables() if "validation" in content}
    assert set(re.findall(r'"([a-z_0-9]+)"', said["region"])) == set(REGIONS)
    assert f"^{ORG_NAME.pattern}$" in said["org"]
    assert re.findall(r"[0-9]+", said["token_validity_seconds"]) == ["300", str(48 * 3600)]


def test_outputs_are_settings() -> None:
    """Each output is called as a setting of an org, the secret is marked, and nothing else has it in it."""
    outputs = named(read("outputs.tf")["output"])
    assert outputs.keys() - {"onhook_toml"} == {"region", "client_id", "client_secret"} <= set(OrgSettings.model_fields)
    assert [name for name, content in outputs.items() if "secret" in content["value"]] == ["client_secret"]
    assert [name for name, content in outputs.items() if content.get("sensitive")] == ["client_secret"]


def test_what_is_put_out_is_read_by_the_settings() -> None:
    """The piece of onhook.toml is settings of an org, in shadow mode, complete but for the secret."""
    org = tomllib.loads(_snippet("acme", "eu_central_1"))["orgs"]["acme"]
    settings = OrgSettings.model_validate(org | {"client_secret": PLAY_SECRET})
    assert (settings.region, settings.client_id, settings.mode) == ("eu_central_1", PLAY_ID, "shadow")
    assert "client_secret" not in org


def test_the_example_uses_the_module() -> None:
    """The example says all that has no default and nothing that is not there, and hands on each output."""
    example = read("example/main.tf")
    module = named(example["module"])["onhook"]
    variables = dict(_variables())
    assert module.keys() - {"source"} <= variables.keys()
    assert {name for name, content in variables.items() if "default" not in content} <= module.keys()
    assert ((FOLDER / "example") / module["source"]).resolve() == FOLDER
    handed = {name: content["value"] for name, content in named(example["output"]).items()}
    assert handed == {name: f"${{module.onhook.{name}}}" for name in named(read("outputs.tf")["output"])}
    assert named(example["output"])["client_secret"]["sensitive"]


def test_the_page_names_each_variable() -> None:
    """The table of the page has each variable with its default, and none that is not there."""
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| ([^|]+) \|", page, re.MULTILINE)
    shown = {name: default.strip("`") for names, default in rows for name in re.findall(r"`(\w+)`", names)}
    assert shown == {name: str(content.get("default", "–")).replace("True", "true") for name, content in _variables()}


@pytest.mark.skipif(shutil.which("terraform") is None, reason="Debian has no terraform; where it is installed it looks")
def test_terraform_itself_reads_it(tmp_path: Path) -> None:
    """Terraform finds the files well laid out, takes and refuses what it should, and puts out what we say it does."""
    assert _terraform(FOLDER, "fmt", "-check", "-recursive").stdout == ""
    for name in ("variables.tf", "outputs.tf"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        # the provider is not at hand: what it would answer stands in its place
        answered = text.replace(f"{CLIENT}.id", f'"{PLAY_ID}"').replace(f"{CLIENT}.client_secret", f'"{PLAY_SECRET}"')
        (tmp_path / name).write_text(answered.replace(f'${{"{PLAY_ID}"}}', PLAY_ID))
    good: dict[str, object] = {"org": "acme", "region": "eu_central_1", "divisions": ["Home"]}
    assert _applied(tmp_path, good).returncode == 0
    said = json.loads(_terraform(tmp_path, "output", "-json").stdout)
    assert said["onhook_toml"]["value"] == _snippet("acme", "eu_central_1")
    assert (said["client_secret"]["value"], said["client_secret"]["sensitive"]) == (PLAY_SECRET, True)
    for name, bad in (("org", "Acme"), ("region", "eu-central-1"), ("divisions", ["*"]), ("divisions", [])):
        refused = _applied(tmp_path, good | {name: bad})
        assert refused.returncode == 1
        assert f"var.{name}" in refused.stderr


async def test_the_step_after_apply(tmp_path: Path) -> None:
    """The script keeps the secret to itself, leaves what is written alone, and ends as the check does."""
    async with staged() as stage:
        into = tmp_path / "onhook"
        ended = _after(stage, tmp_path, into)
        assert ended.returncode == 0, ended.stderr
        said = json.loads(ended.stdout)
        assert said["is_fine"]
        assert "org acme" in {finding["about"] for finding in said["checks"]}
        secret = into / "acme-client-secret"
        assert f"ONHOOK_ORGS__ACME__CLIENT_SECRET_FILE={secret}" in ended.stderr
        assert [oct(file.stat().st_mode & 0o777) for file in sorted(into.iterdir())] == ["0o600", "0o600"]
        assert secret.read_text() not in ended.stdout + ended.stderr + (into / "onhook.toml").read_text()
        with (into / "onhook.toml").open("a") as settings:
            settings.write('\n[log]\nlevel = "warning"\n')
        before = (into / "onhook.toml").read_text()
        (tmp_path / "client_secret").write_text("another-play-secret")
        wrong = _after(stage, tmp_path, into)
        assert wrong.returncode == 1
        assert [one["about"] for one in json.loads(wrong.stdout)["checks"] if one["verdict"] == "fault"] == ["org acme"]
        assert (into / "onhook.toml").read_text() == before
        (into / "onhook.toml").write_text(before.replace("client_id", "client_ID"))
        other = _after(stage, tmp_path, into)
        assert (other.returncode, other.stdout) == (2, "")
        assert "is there, and does not say:\n[orgs.acme]" in other.stderr
        (into / "onhook.toml").unlink()
        (tmp_path / "client_secret").unlink()
        (tmp_path / "client_secret").mkdir()  # nothing that could be said
        kept_out = _after(stage, tmp_path, into)
        assert (kept_out.returncode, kept_out.stdout) == (2, "")
        assert "there is no output client_secret (secret_in_state = false?)" in kept_out.stderr
        assert (secret.read_text(), [*into.iterdir()]) == ("another-play-secret", [secret])  # nothing was changed


def _after(stage: Stage, outputs: Path, into: Path) -> subprocess.CompletedProcess[str]:
    """Run the script where terraform has made the sandbox's own client."""
    of_org = {key.removeprefix("ONHOOK_ORGS__PLAY__"): value for key, value in stage.environment.items()}
    place = f'api_url = "{of_org["API_URL"]}"\nlogin_url = "{of_org["LOGIN_URL"]}"'
    snippet = _snippet("acme", "eu_central_1", of_org["CLIENT_ID"]).replace('region = "eu_central_1"', place)
    (outputs / "onhook_toml").write_text(snippet)
    if not (outputs / "client_secret").exists():
        (outputs / "client_secret").write_text(of_org["CLIENT_SECRET"])
    (outputs / "terraform").write_text(TERRAFORM)
    (outputs / "terraform").chmod(0o755)
    kept = {name: value for name, value in stage.environment.items() if not name.startswith("ONHOOK_")}
    kept["ONHOOK_REDIS__URL"] = stage.environment["ONHOOK_REDIS__URL"]
    kept["PATH"] = os.pathsep.join((str(outputs), str(Path(sys.executable).parent), kept["PATH"]))
    command = ("bash", str(FOLDER / "after-apply.sh"), str(into))
    return subprocess.run(command, cwd=outputs, env=kept, capture_output=True, text=True, check=False, timeout=100)


def _variables() -> Iterator[tuple[str, dict[str, Any]]]:
    yield from named(read("variables.tf")["variable"]).items()


def _snippet(org: str, region: str, client_id: str = PLAY_ID) -> str:
    """Return the piece of onhook.toml as the template has it, filled in."""
    text = named(read("outputs.tf")["output"])["onhook_toml"]["value"]
    lines = text.splitlines()
    assert (lines[0], lines[-1].strip()) == ("<<-EOT", "EOT")
    filled = "".join(f"{line.strip()}\n" for line in lines[1:-1])
    for name, value in ((f"{CLIENT}.id", client_id), ("var.org", org), ("var.region", region)):
        filled = filled.replace(f"${{{name}}}", value)
    return filled


def _terraform(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = (needs("terraform"), f"-chdir={folder}", *words)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def _applied(folder: Path, variables: Mapping[str, object]) -> subprocess.CompletedProcess[str]:
    (folder / "terraform.tfvars.json").write_text(json.dumps(variables))
    return _terraform(folder, "apply", "-auto-approve", "-no-color", "-input=false")
