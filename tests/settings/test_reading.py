"""What an operator may say and how; whatever he says wrong he hears in words, all at once, and never his secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import settings
from service.core.errors import Misconfigured
from service.settings import Settings

# two secrets of 32 bytes, and a marker that stands in for whatever else is secret
ONE = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU"
TWO = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrscChlQ"
HUSH = "hush-4711"

ORG = {"region": "eu_central_1", "client_id": "an-id", "client_secret": HUSH}
SOURCE = {"kind": "standard", "org": "acme", "secrets": ONE}
WHOLE = {
    "ONHOOK_ORGS__ACME__REGION": "eu_central_1",
    "ONHOOK_ORGS__ACME__CLIENT_ID": "an-id",
    "ONHOOK_ORGS__ACME__CLIENT_SECRET": HUSH,
    "ONHOOK_SOURCES__DESK__KIND": "standard",
    "ONHOOK_SOURCES__DESK__ORG": "acme",
    "ONHOOK_SOURCES__DESK__SECRETS": ONE,
}
FILE = f"""
[orgs.acme]
region = "eu_central_1"
client_id = "an-id"
client_secret = "{HUSH}"
[sources.desk]
kind = "standard"
org = "acme"
secrets = ["{ONE}"]
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder without an onhook.toml."""
    monkeypatch.chdir(tmp_path)


def faults_of(
    environ: Mapping[str, str] | None = None, toml: str | bytes = "", additions: Mapping[str, Any] | None = None
) -> str:
    """Return, line by line, what is wrong with settings; there must be something."""
    with pytest.raises(Misconfigured) as caught:
        heard(environ or {}, toml, additions)
    return "\n".join(caught.value.faults)


def heard(environ: Mapping[str, str], toml: str | bytes = "", additions: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of an onhook.toml and variables."""
    Path("onhook.toml").write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    return settings.read(environ, additions)


# --- where it stands -------------------------------------------------------------------------------------------------


def test_nothing_said() -> None:
    """Without a file and variables there are the defaults, and a folder in the user's usual place."""
    said = settings.read({"HOME": "/home/beth"})
    assert said == Settings(state_dir=Path("/home/beth/.local/state/onhook"))


def test_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables are the process' own when none are given; a child can be given all but those meant for us."""
    monkeypatch.setenv("ONHOOK_LOG__LEVEL", "error")
    monkeypatch.setenv("ONHOOK_STATE_DIR", "/var/lib/onhook")
    assert settings.read().log.level == "error"
    assert settings.state_dir() == Path("/var/lib/onhook")
    inherited = settings.inherited_environment()
    assert "PATH" in inherited
    assert not [name for name in inherited if name.startswith("ONHOOK_")]


@pytest.mark.parametrize(
    "environ, folder",
    [
        ({"ONHOOK_STATE_DIR": "/x", "XDG_STATE_HOME": "/y", "HOME": "/z"}, "/x"),
        ({"XDG_STATE_HOME": "/y", "HOME": "/z"}, "/y/onhook"),
        ({}, ".local/state/onhook"),
    ],
)
def test_state_dir(environ: Mapping[str, str], folder: str) -> None:
    """The folder for what stays is the one named, else the user's, else one right here."""
    assert settings.read(environ).state_dir == Path(folder)


def test_file_and_variables_say_the_same() -> None:
    """A file and variables mean the same."""
    assert heard({}, FILE) == heard(WHOLE)


def test_a_variable_wins() -> None:
    """Where both speak, the variable wins, and what it does not name stays as the file has it."""
    said = heard({"ONHOOK_ORGS__ACME__REGION": "us_east_1", "ONHOOK_LOG__LEVEL": "debug"}, FILE)
    assert (said.orgs["acme"].region, said.orgs["acme"].client_id, said.log.level) == ("us_east_1", "an-id", "debug")


def test_a_file_elsewhere(tmp_path: Path) -> None:
    """ONHOOK_CONFIG names the file; the one in the folder is not read then."""
    (tmp_path / "other.toml").write_text('[log]\nlevel = "warning"\n')
    assert heard({"ONHOOK_CONFIG": str(tmp_path / "other.toml")}, FILE) == Settings(
        log=settings.LogSettings(level="warning"), state_dir=settings.state_dir({})
    )


@pytest.mark.parametrize(
    "toml, why",
    [
        ("[log", "Expected ']'"),
        (b"a = '\xff'", "it is not text in UTF-8"),
        ("a = 1\n" + "#" * settings.LARGEST_FILE, "it is over 1024 KiB"),
        ("a = " + "[" * 20_000, "recursion"),
    ],
)
def test_no_toml(toml: str | bytes, why: str) -> None:
    """A file that is no TOML is named, with the place where it is not."""
    fault = faults_of({}, toml)
    assert fault.startswith("onhook.toml is not read as TOML: ")
    assert why in fault


def test_named_file_missing() -> None:
    """A file that is named must be there."""
    assert faults_of({"ONHOOK_CONFIG": "/nope/onhook.toml"}).endswith("it cannot be opened: No such file or directory")


def test_additions() -> None:
    """What a command brings is laid over what was said, and does not change under it."""
    additions = {"orgs": {"sandbox": ORG}, "sources": {"sandbox": {**SOURCE, "org": "sandbox", "secrets": [TWO]}}}
    said = heard({**WHOLE, "ONHOOK_ORGS__SANDBOX__MODE": "shadow"}, "", additions)
    assert sorted(said.orgs) == ["acme", "sandbox"]
    assert said.orgs["sandbox"].mode == "shadow"
    assert additions["orgs"] == {"sandbox": ORG}


# --- secrets in files ------------------------------------------------------------------------------------------------


def test_value_from_a_file(tmp_path: Path) -> None:
    """A variable with _FILE at its end names the file that holds the value; space around it does not count."""
    (tmp_path / "secret").write_text(f"  {HUSH}\n")
    (tmp_path / "keys").write_text(f"{ONE}\n{TWO}\n")
    environ = {name: value for name, value in WHOLE.items() if "SECRET" not in name}
    environ["ONHOOK_ORGS__ACME__CLIENT_SECRET_FILE"] = str(tmp_path / "secret")
    environ["ONHOOK_SOURCES__DESK__SECRETS_FILE"] = str(tmp_path / "keys")
    said = heard(environ)
    assert said.orgs["acme"].client_secret.get_secret_value() == HUSH
    assert [secret.get_secret_value() for secret in said.sources["desk"].secrets] == [ONE, TWO]


def test_ca_file_is_a_setting(tmp_path: Path) -> None:
    """`ca_file` is itself a setting that ends like that, and can stand in a file as well; it must hold certificates."""
    place = "ONHOOK_OUTBOUND__CA_FILE"
    assert faults_of({place: "/nope"}) == "outbound.ca_file: /nope cannot be read: No such file or directory"
    (tmp_path / "path").write_text("/nope/2")
    assert faults_of({f"{place}_FILE": str(tmp_path / "path")}).startswith("outbound.ca_file: /nope/2 cannot be read")
    assert faults_of({place: str(tmp_path / "path")}).endswith("path holds no certificate in PEM")
    assert heard({place: ""}).outbound.ca_file == ""


@pytest.mark.parametrize(
    "content, why",
    [
        (None, "it cannot be opened: No such file or directory"),
        (b"x" * (settings.LARGEST_FILE + 1), "it is over 1024 KiB"),
        (b"\xff\xfe", "it is not text in UTF-8"),
    ],
)
def test_secret_file_faults(tmp_path: Path, content: bytes | None, why: str) -> None:
    """A file that cannot be read is one fault, and not also a missing setting."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    environ = {**WHOLE, "ONHOOK_ORGS__ACME__CLIENT_SECRET_FILE": str(path)}
    del environ["ONHOOK_ORGS__ACME__CLIENT_SECRET"]
    assert faults_of(environ) == f"ONHOOK_ORGS__ACME__CLIENT_SECRET_FILE: {path} is not read: {why}"


@pytest.mark.parametrize("is_readable", [True, False])
def test_value_and_file(tmp_path: Path, is_readable: bool) -> None:
    """Value and file for one setting is a fault: nobody can know which was meant."""
    path = tmp_path / "secret"
    if is_readable:
        path.write_text("another")
    environ = {**WHOLE, "ONHOOK_ORGS__ACME__CLIENT_SECRET_FILE": str(path)}
    assert "another variable says the same setting; leave one of them out" in faults_of(environ)


def test_two_unread_files_for_one_setting() -> None:
    """Two names of one setting are a fault also when neither could be read."""
    environ = {"ONHOOK_REDIS__URL_FILE": "/nope", "ONHOOK_redis__URL_FILE": "/nope"}
    assert "ONHOOK_redis__URL_FILE: another variable says the same setting" in faults_of(environ)


# --- lists and names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ['["a", "b"]', "a,b", " a , b ,", "a\nb\n", "a,\nb"])
def test_lists(text: str) -> None:
    """A list is JSON, or has commas or line ends between its parts."""
    assert heard({**WHOLE, "ONHOOK_ORGS__ACME__PURPOSES": text}).orgs["acme"].purposes == {"a", "b"}


@pytest.mark.parametrize(
    "text, channels", [("[]", ()), ("", ()), ("webhook", ("webhook",)), ('["webhook"]', ("webhook",))]
)
def test_lists_that_may_be_left_out(text: str, channels: tuple[str, ...]) -> None:
    """Also a list that may be left out can be said in a variable."""
    url = {"ONHOOK_SOURCES__DESK__OUTCOME_URL": "https://desk.example/outcomes"}
    said: Any = heard({**WHOLE, **url, "ONHOOK_SOURCES__DESK__REPORTS": text}).sources["desk"]
    assert said.channels == channels


@pytest.mark.parametrize("text", ["[" * 30_000, '["half'])
def test_lists_that_are_no_json(text: str) -> None:
    """What begins like JSON and is none is taken as written, and refused for what it is."""
    assert "sources.desk.secrets: secret 1 of 1: the secret is not base64" in faults_of(
        {**WHOLE, "ONHOOK_SOURCES__DESK__SECRETS": text}
    )


def test_underscores_in_names() -> None:
    """A shell knows no `-` in a variable, so `_` in the name of an org or a source stands for it."""
    environ = {re.sub("ACME|DESK", "ACME_EU", name): value for name, value in WHOLE.items()}
    said = heard({**environ, "ONHOOK_SOURCES__ACME_EU__ORG": "acme-eu"})
    assert (list(said.orgs), list(said.sources)) == (["acme-eu"], ["acme-eu"])


@pytest.mark.parametrize("name", ["Acme", "acme_eu", "-acme", "a" * 33, "a.b", "ä"])
def test_bad_names(name: str) -> None:
    """A name must be fit to stand in a path, a key and an action's id."""
    assert f"“{name}” is no name for an org or a source" in faults_of({}, FILE.replace("orgs.acme", f'orgs."{name}"'))


# --- whatever is said ------------------------------------------------------------------------------------------------

NAMES = st.lists(
    st.sampled_from(
        ["ORGS", "SOURCES", "REDIS", "LOG", "DOORS", "ACME", "DESK", "URL", "SECRETS", "KIND", "ORG", "PUBLIC", "_FILE"]
    )
    | st.text(max_size=4),
    max_size=5,
).map("__".join)
TEXTS = st.text(max_size=20) | st.sampled_from([ONE, "acme", "standard", "servicenow", "[", "[[", "1", "redis://[", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def understood(environ: Mapping[str, str], additions: Mapping[str, Any] | None = None) -> Sequence[str]:
    """Return the faults of settings, none if they can be used; whatever else is raised is the test's failure."""
    try:
        settings.read(environ, additions)
    except Misconfigured as fault:
        return fault.faults
    return ()


@given(st.dictionaries(NAMES.map("ONHOOK_".__add__), TEXTS, max_size=6))
def test_any_environment(environ: dict[str, str]) -> None:
    """Whatever stands in the environment is understood, or named as a fault; nothing else is ever raised."""
    assert all(understood({**environ, "ONHOOK_CONFIG": "/dev/null"}))


@given(st.dictionaries(st.sampled_from(["orgs", "sources", "redis", "doors", "log", "outbound", "x"]), VALUES))
def test_any_tree(tree: dict[str, Any]) -> None:
    """Whatever TOML may hold in whatever place is understood, or named as a fault."""
    assert all(understood({"ONHOOK_CONFIG": "/dev/null"}, tree))


@given(st.text() | st.binary())
def test_any_file(tmp_path_factory: pytest.TempPathFactory, toml: str | bytes) -> None:
    """Whatever stands in the file is understood, or named as a fault."""
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(toml.encode(errors="surrogatepass") if isinstance(toml, str) else toml)
    assert all(understood({"ONHOOK_CONFIG": str(path)}))
