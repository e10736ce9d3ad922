"""A few answers become settings that can be read, files that nobody else can, and a script that signs."""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import settings
from service.core.errors import Misconfigured
from service.sources import KINDS
from service.sources.asking import Asked, asked_in, removal_in
from service.sources.signing import Keyring, secret_in
from service.wiring import founding
from service.wiring.founding import QUESTIONS, Answers, asked_of, default_of, fault_of, faults_in, found, script_of
from tests.deploy import instance
from tests.deploy.instance import CONVERSATION, PHONE

GENESYS: Answers = {"org": "acme", "region": "eu-central-1", "client_id": "an-id", "client_secret": "canary-secret"}
DESKS: dict[str, Answers] = {
    "servicenow": {
        "instance_url": "https://acme.service-now.com",
        "username": "onhook",
        "password": 'canary "quoted" \\ ünï \x7f',
    },
    "standard": {"outcome_url": "https://desk.example/outcomes"},
}


def answers(kind: str = "servicenow", **more: str) -> Answers:
    """Return every answer that is needed."""
    return {**GENESYS, "kind": kind, "public_url": "https://onhook.example", **DESKS.get(kind, {}), **more}


def read(path: Path) -> settings.Settings:
    """Read settings as a command does that is told where they are, and nothing else."""
    return settings.read({settings.CONFIG: str(path)})


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_written_can_be_read(tmp_path: Path, kind: str) -> None:
    """For every kind of source the settings are read back without a fault: in shadow mode, with what was answered."""
    made = found(tmp_path, answers(kind), may_overwrite=False)
    said = read(made.config)
    org, source = said.orgs["acme"], said.sources[kind]
    assert (org.mode, org.region, org.client_id) == ("shadow", "eu_central_1", "an-id")
    assert org.client_secret.get_secret_value() == "canary-secret"
    assert (source.org, said.doors.public_url) == ("acme", "https://onhook.example")
    assert len(source.keys[0]) >= 32
    for key, value in DESKS.get(kind, {}).items():
        kept = getattr(source, key)
        assert (kept.get_secret_value() if hasattr(kept, "get_secret_value") else kept) == value


@pytest.mark.parametrize("url, reports", [("", ()), ("https://desk.example/outcomes", ("webhook",))])
def test_what_is_not_asked_for(tmp_path: Path, url: str, reports: tuple[str, ...]) -> None:
    """A kind that needs more to tell its tickets tells nobody yet, or posts outcomes where an address was given."""
    made = found(tmp_path, answers("generic", outcome_url=url), may_overwrite=False)
    assert read(made.config).sources["generic"].model_dump()["reports"] == reports
    assert "its page, to which deploy/README.md leads" in made.config.read_text(encoding="utf-8")
    assert "whsec_" not in made.config.read_text(encoding="utf-8")


def test_addresses_of_ones_own(tmp_path: Path) -> None:
    """A sandbox or a gateway is named by two addresses instead of a region, and a Redis by its URL."""
    given = answers(
        api_url="http://127.0.0.1:1", login_url="http://127.0.0.1:2", redis_url="redis://h:1", source="desk"
    )
    del given["region"]
    assert "region" not in {one.key for one in asked_of(given)}
    said = read(found(tmp_path / "new", given, may_overwrite=False).config)
    assert (str(said.orgs["acme"].api), said.redis.url.get_secret_value()) == ("http://127.0.0.1:1", "redis://h:1")
    assert list(said.sources) == ["desk"]


@given(value=st.text(st.characters(codec="utf-8")))
def test_any_text_is_written_as_toml(value: str) -> None:
    """Whatever a person types stands in the file as it was typed."""
    assert tomllib.loads(f"a = {founding._toml([value])}") == {"a": [value]}


def test_each_secret_is_new() -> None:
    """No two sources get the same secret; each has 32 bytes."""
    made = {founding.secret_made() for _ in range(100)}
    assert len(made) == 100
    assert {len(secret_in(one)) for one in made} == {32}


def test_files_are_for_their_owner(tmp_path: Path) -> None:
    """Both files have mode 0600 whatever the umask, also where one that everybody could read is overwritten."""
    before = os.umask(0)
    try:
        made = found(tmp_path, answers(), may_overwrite=False)
        assert made.script
        for path in (made.config, made.script):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            path.chmod(0o666)
        found(tmp_path, answers(), may_overwrite=True)
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    finally:
        os.umask(before)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["onhook-servicenow.js", "onhook.toml"]


@pytest.mark.parametrize("there", ["onhook.toml", "onhook-servicenow.js"])
def test_nothing_is_overwritten(tmp_path: Path, there: str) -> None:
    """Where one of the files is there already, even as a link that leads nowhere, none is written."""
    (tmp_path / there).symlink_to(tmp_path / "nowhere")
    with pytest.raises(Misconfigured, match=f"{there} is there already; move it away, or say --force"):
        found(tmp_path, answers(), may_overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert not (tmp_path / "nowhere").exists()


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A folder that is none is said in words."""
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match="cannot be written to"):
        found(tmp_path / "file" / "in", answers(), may_overwrite=False)


def test_everything_that_is_missing_is_said() -> None:
    """What is missing is said all at once, by its option; a kind and a name for it are meant without being said."""
    missing = faults_in({})
    asked = [one.option for one in QUESTIONS if one.key not in {"kind", "source"}]
    assert [sentence.partition(" ")[0] for sentence in missing] == asked
    assert all(" is missing: " in sentence for sentence in missing)
    assert [sentence.partition(" ")[0] for sentence in faults_in({"kind": "standard", "org": "a", "source": "b"})] == [
        "--region",
        "--client-id",
        "--client-secret",
        "--public-url",
    ]


@pytest.mark.parametrize(
    "key, wrong, words",
    [
        ("org", "Acme Inc", "is a name of 1 to 32 of a-z"),
        ("source", "-", "is a name of 1 to 32 of a-z"),
        ("kind", "jura", "is one of servicenow"),
        ("region", "mars", "is no region of Genesys Cloud"),
        ("client_id", "two words", "is no client id"),
        ("client_secret", "canary secret", "is empty, too long, or has spaces"),
        ("public_url", "onhook.example", "is written https://"),
        ("instance_url", "http://acme.service-now.com", "must begin with https://"),
        ("username", "a:b", "a user name with a colon"),
    ],
)
def test_a_wrong_answer(tmp_path: Path, key: str, wrong: str, words: str) -> None:
    """A wrong answer is said by the rules of the settings, alone and among all, without repeating a secret."""
    given = answers(**{key: wrong})
    (question,) = [one for one in QUESTIONS if one.key == key]
    fault = fault_of(question, given)
    assert words in fault
    assert "canary" not in fault
    with pytest.raises(Misconfigured, match=re.escape(words)) as caught:
        found(tmp_path, given, may_overwrite=False)
    assert "canary" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert [fault_of(one, answers(source="servicenow")) for one in QUESTIONS] == [""] * len(QUESTIONS)


def test_defaults() -> None:
    """What asks is ServiceNow where nothing else is said, and a source is called by its kind."""
    kind, source = (next(one for one in QUESTIONS if one.key == key) for key in ("kind", "source"))
    assert (default_of(kind, {}), default_of(source, {"kind": "standard"})) == ("servicenow", "standard")


@pytest.mark.parametrize("status, told", [(202, "info"), (401, "error")])
def test_the_script_signs(tmp_path: Path, status: int, told: str) -> None:
    """The script posts to the source what the source verifies and reads: run in a JavaScript engine."""
    made = found(tmp_path, answers(source="desk"), may_overwrite=False)
    answer = {"status": status, "body": '{"action":"acme.1"}'}
    changes = {"u_genesys_conversation_id": CONVERSATION.upper(), "number": "INC – ünï 😀"}
    happened = instance.run(made.shown, record=instance.RECORD | changes, answers=[answer])
    (call,), (delivery,) = happened.calls, happened.deliveries
    assert (call["url"], call["message"]) == ("https://onhook.example/webhooks/desk", "")
    assert (call["method"], call["substituted"], len(happened.told[told])) == ("POST", False, 1)
    assert delivery.body.isascii()
    source = read(made.config).sources["desk"]
    assert Keyring(source.keys).verify(delivery).signed_id.startswith("msg_")
    asked = asked_in(delivery.body)
    assert isinstance(asked, Asked)
    removal = removal_in(asked, None, None)
    assert (removal.conversation_id, removal.selector.value) == (CONVERSATION, PHONE)
    event = json.loads(delivery.body)
    assert (event["timestamp"], event["data"]["number"]) == ("2026-11-20T09:00:00.000Z", changes["number"])
    assert made.script
    assert made.script.read_text(encoding="utf-8") == made.shown
    assert "{{" not in made.shown


def test_a_kind_without_a_script(tmp_path: Path) -> None:
    """A source that signs by itself gets no script."""
    made = found(tmp_path, answers("standard"), may_overwrite=False)
    assert (made.script, made.shown, script_of(answers("standard", source="x"), "whsec_")) == (None, "", "")
