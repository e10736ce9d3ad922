"""Every fault of the settings in words, all at once, and never with a secret in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from service import settings
from service.settings import Settings
from service.sources import KINDS
from tests.settings.test_reading import FILE, HUSH, ONE, TWO, WHOLE, faults_of, heard

KINDS_SAID = f"sources.desk.kind: is to be one of {', '.join(KINDS)}"
SECTIONS = "redis, doors, outbound, log, limits, retention, wording, console, traces, orgs, sources"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder without an onhook.toml."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "name, why",
    [
        (
            "ONHOOK_ORG__ACME__REGION",
            f"there is no such setting; sections are {SECTIONS}",
        ),
        ("ONHOOK_", "there is no such setting"),
        ("ONHOOK_STATE_DIR_FILE", "there is no such setting"),
        ("ONHOOK_STATE_DIR__X", "there is no such setting"),
        ("ONHOOK_LOG_LEVEL", "there is no such setting"),
        ("ONHOOK_LOG__", "there is no such setting"),
        ("ONHOOK_ORGS____REGION", "there is no such setting"),
        ("ONHOOK_ORGS__ACME__REGION__X", "there is no such setting"),
    ],
)
def test_misspelt_variables(name: str, why: str) -> None:
    """A variable that begins like ours and is none is named."""
    assert faults_of({**WHOLE, name: "x"}).startswith(f"{name}: {why}")


@pytest.mark.parametrize(
    "name, fault",
    [
        ("ONHOOK_REDIS__URI", "redis.uri: there is no such setting; there is url, prefix, cluster, durability"),
        ("ONHOOK_ORGS__ACME__REGOIN", "orgs.acme.regoin: there is no such setting; there is region, api_url"),
        ("ONHOOK_SOURCES__DESK__SECRET", "sources.desk.secret: there is no such setting; there is org, secrets"),
    ],
)
def test_misspelt_settings(name: str, fault: str) -> None:
    """A setting that is not there is named, with those that are."""
    assert faults_of({**WHOLE, name: "x"}).startswith(fault)


@pytest.mark.parametrize(
    "toml, fault",
    [
        (
            "[orgz.x]",
            f"orgz: there is no such setting; there is {SECTIONS}",
        ),
        (
            "[doors]\nPublic = ':1'",
            "doors.Public: there is no such setting; there is public, private, worker, public_url",
        ),
        ("state_dir = '/x'", "state_dir: is said by the variable ONHOOK_STATE_DIR alone"),
        ("sources = 'x'", "sources: is a section: name a setting in it"),
        ("orgs = 1", "orgs: is a section: name a setting in it"),
        ("log = 'debug'", "log: is a section: name a setting in it"),
        ("orgs.acme = 'x'", "orgs.acme: is a section: name a setting in it"),
        ("sources.desk = 'x'", KINDS_SAID),
        ("[sources.desk]\nkind = 'zendesks'", KINDS_SAID),
        ("[sources.desk]\nkind = ['standard']", KINDS_SAID),
    ],
)
def test_unknown_keys_and_wrong_shapes(toml: str, fault: str) -> None:
    """What the file says in a wrong place or shape is named."""
    assert faults_of({}, toml) == fault


@pytest.mark.parametrize(
    "environ, toml, fault",
    [
        ({"ONHOOK_LOG": "x", "ONHOOK_LOG__LEVEL": "info"}, "", "ONHOOK_LOG__LEVEL: stands both for a value and"),
        ({"ONHOOK_ORGS": "x", "ONHOOK_ORGS__ACME__REGION": "y"}, "", "ONHOOK_ORGS__ACME__REGION: stands both for"),
        ({"ONHOOK_LOG__LEVEL": "info", "ONHOOK_log": "x"}, "", "ONHOOK_log: stands both for a value and a section"),
        ({"ONHOOK_LOG": "x"}, "[log]\nlevel = 'info'", "log: stands both for a value and for a section"),
        ({"ONHOOK_ORGS__ACME__REGION": "x"}, "orgs.acme = 'x'", "orgs.acme: stands both for a value and"),
    ],
)
def test_value_and_section(environ: dict[str, str], toml: str, fault: str) -> None:
    """What stands for a value here and for a section there is a fault, and overrides nothing in silence."""
    assert fault.replace("and a section", "and for a section") in faults_of(environ, toml)


@pytest.mark.parametrize(
    "setting, value, why",
    [
        ("DOORS__PUBLIC", "8080", "is an IP address, localhost or nothing, a colon and a port"),
        ("DOORS__PUBLIC", "onhook.example:8080", "is an IP address"),
        ("DOORS__PRIVATE", "127.0.0.1:65536", "is an IP address"),
        ("DOORS__PRIVATE", "127.0.0.1:" + "1" * 5000, "is an IP address"),
        ("DOORS__WORKER", "127.0.0.1:-1", "is an IP address"),
        ("DOORS__WORKER", "127.0.0.1:¹", "is an IP address"),
        ("DOORS__PUBLIC_URL", "onhook.example", "is written https://host:port, without ? # @"),
        ("DOORS__PUBLIC_URL", "https://beth@onhook.example", "is written https://host:port"),
        ("DOORS__PUBLIC_URL", "https://onhook.example/?x", "is written https://host:port"),
        ("DOORS__PUBLIC_URL", "https://onhook.example:port", "is written https://host:port"),
        ("OUTBOUND__PROXY", "socks5://proxy:1080", "is written http://host:port"),
        ("OUTBOUND__PROXY", "http://", "is written http://host:port"),
        ("REDIS__URL", "localhost:6379", "is written redis://host:port"),
        ("REDIS__URL", "redis://[::1", "is written redis://host:port"),
        ("REDIS__URL", "redis://host:0", "is written redis://host:port"),
        ("REDIS__URL", "redis://ho st", "is written redis://host:port"),
        ("REDIS__PREFIX", "-x", "is 1 to 32 of a-z, 0-9, - and _, and begins with a letter or a digit"),
        ("REDIS__DURABILITY", "both", "Input should be 'local' or 'replicated'"),
        ("LOG__LEVEL", "loud", "Input should be 'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_values(setting: str, value: str, why: str) -> None:
    """A value that cannot be used is named by its place, with how it is written."""
    place = setting.lower().replace("__", ".")
    assert faults_of({f"ONHOOK_{setting}": value}).startswith(f"{place}: {why}")


@pytest.mark.parametrize(
    "typed, address",
    [
        (":8080", "0.0.0.0:8080"),
        ("127.0.0.1:0", "127.0.0.1:0"),
        ("localhost:081", "localhost:81"),
        ("[::1]:8080", "::1:8080"),
        ("[::]:1", ":::1"),
    ],
)
def test_addresses(typed: str, address: str) -> None:
    """An address is a host of this machine and a port; no host is all of them."""
    said = heard({"ONHOOK_DOORS__PUBLIC": typed}).doors
    assert said.public == address
    assert settings.split_address(address) == (address.rpartition(":")[0], int(address.rpartition(":")[2]))


@pytest.mark.parametrize(
    "public, public_url, reached",
    [
        (":8080", "", "http://127.0.0.1:8080"),
        ("[::]:8080", "", "http://[::1]:8080"),
        ("[::1]:8080", "", "http://[::1]:8080"),
        ("localhost:8080", "", "http://localhost:8080"),
        (":8080", "https://a", "https://a"),
        (":8080", "https://onhook.example:8443/hooks/", "https://onhook.example:8443/hooks/"),
    ],
)
def test_reached(public: str, public_url: str, reached: str) -> None:
    """The public door is reached by its public_url, else by its address as this machine knows it."""
    assert heard({"ONHOOK_DOORS__PUBLIC": public, "ONHOOK_DOORS__PUBLIC_URL": public_url}).doors.reached == reached


def test_missing_settings_say_where() -> None:
    """A setting that must be there is named as the file and as the environment know it."""
    faults = faults_of({"ONHOOK_SOURCES__ACME_EU__KIND": "standard"})
    assert faults == "\n".join(
        f"sources.acme-eu.{name}: is missing; set it in onhook.toml or as ONHOOK_SOURCES__ACME_EU__{name.upper()}"
        for name in ("org", "secrets")
    )


def test_empty_and_no_list() -> None:
    """A list without an entry, or something that is none, is said in words."""
    assert faults_of({**WHOLE, "ONHOOK_SOURCES__DESK__SECRETS": ""}) == (
        "sources.desk.secrets: is an empty list, and needs an entry"
    )
    assert faults_of({}, FILE.replace(f'["{ONE}"]', "1")) == "sources.desk.secrets: is a list"


def test_source_without_its_org() -> None:
    """A source must name an org that is there; one whose org is merely wrong in itself is not named again."""
    assert faults_of({**WHOLE, "ONHOOK_SOURCES__DESK__ORG": "acne"}) == (
        "sources.desk.org: there is no org “acne”; add [orgs.acne]"
    )
    assert faults_of({**WHOLE, "ONHOOK_ORGS__ACME__MODE": "dry"}) == (
        "orgs.acme.mode: Input should be 'live' or 'shadow'"
    )


def test_shared_secret() -> None:
    """Two sources with one secret could each speak as the other: a fault, however the secret is written."""
    toml = f"{FILE}\n[sources.other]\nkind = 'servicenow'\norg = 'acme'\nreports = []\nsecrets = "
    assert faults_of({}, f"{toml}['{TWO}', '{ONE.removeprefix('whsec_')}']") == (
        "sources.desk and sources.other share a secret: each could speak as the other; give each its own"
    )
    assert sorted(heard({}, f"{toml}['{TWO}']").sources) == ["desk", "other"]


def test_every_fault_at_once() -> None:
    """All that is wrong is said in one go, each thing once."""
    toml = """
    state_dir = "x"
    [orgs.acme]
    region = "mars"
    client_id = "an id"
    client_secret = "fine"
    [sources.one]
    kind = "standard"
    org = "nobody"
    secrets = ["whsec_AAAA"]
    [sources.Two]
    kind = "standard"
    org = "nobody"
    secrets = ["%s"]
    """
    environ = {"ONHOOK_X": "1", "ONHOOK_LOG__LEVEL": "loud", "ONHOOK_REDIS__URL_FILE": "/nope"}
    faults = faults_of(environ, toml % ONE).splitlines()
    assert [fault.partition(":")[0] for fault in faults] == [
        "ONHOOK_REDIS__URL_FILE",
        "ONHOOK_X",
        "state_dir",
        "sources.one.secrets",
        "“Two” is no name for an org or a source",
        "sources.Two.org",
        "log.level",
        "orgs.acme.region",
        "orgs.acme.client_id",
    ]


SECRET_PLACES = {
    "ONHOOK_ORGS__ACME__CLIENT_SECRET": f"{HUSH} with spaces",
    "ONHOOK_ORGS__ACME__REGION": HUSH,
    "ONHOOK_SOURCES__DESK__SECRETS": f"whsec_{HUSH}",
    "ONHOOK_SOURCES__DESK__OUTCOME_SECRET": f"whsec_{HUSH}",
    "ONHOOK_SOURCES__DESK__OUTCOME_URL": f"http://desk.example/?key={HUSH}#",
    "ONHOOK_SOURCES__DESK__KIND": HUSH,
    "ONHOOK_SOURCES__DESK__SUCCESS_STATUS": HUSH,
    "ONHOOK_SOURCES__DESK__TIME_ZONE": HUSH,
    "ONHOOK_REDIS__URL": f"http://:{HUSH}@host",
    "ONHOOK_REDIS__CLUSTER": HUSH,
    "ONHOOK_OUTBOUND__PROXY": f"socks5://u:{HUSH}@host",
    "ONHOOK_DOORS__PUBLIC": HUSH,
    "ONHOOK_DOORS__PUBLIC_URL": HUSH,
    "ONHOOK_LOG__LEVEL": HUSH,
    "ONHOOK_LOG": HUSH,
    "ONHOOK_NO_SUCH": HUSH,
}


@pytest.mark.parametrize("name", SECRET_PLACES)
def test_no_secret_in_a_fault(name: str) -> None:
    """Whatever is wrong with a value, and wherever it was put by mistake, the fault does not repeat it."""
    assert HUSH not in faults_of({**WHOLE, name: SECRET_PLACES[name]})


def test_no_secret_in_a_repr() -> None:
    """Settings can be printed: nothing secret is in it."""
    said = heard(
        {
            **WHOLE,
            "ONHOOK_REDIS__URL": f"redis://:{HUSH}@host",
            "ONHOOK_OUTBOUND__PROXY": f"http://u:{HUSH}@host",
            "ONHOOK_SOURCES__DESK__OUTCOME_URL": f"https://desk.example/?key={HUSH}",
            "ONHOOK_SOURCES__DESK__OUTCOME_SECRET": TWO,
        }
    )
    assert said.redis.url.get_secret_value().endswith("@host")
    for shown in (repr(said), str(said)):
        assert not [secret for secret in (HUSH, ONE, TWO) if secret in shown]


def test_settings_are_frozen() -> None:
    """Nobody changes settings after they were read."""
    with pytest.raises(ValueError, match="frozen"):
        Settings().log.level = "debug"
