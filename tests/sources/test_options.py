"""What every source must say of itself: each fault in words, and no secret in any of them."""

import base64
import traceback
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from service.core import model as m
from service.sources import KINDS
from service.sources.options import SourceOptions
from service.sources.signing import fingerprint
from tests.sources.seats import seat
from tests.sources.senders import NOW, OTHER_SECRET, SECRET, delivery, key_of

EVERY = pytest.mark.parametrize("kind", list(KINDS))
STANDARD = pytest.mark.parametrize("kind", ["standard", "servicenow", "generic"])
LEAST = {"org": "acme", "secrets": [SECRET]}


def options(kind: str = "standard", /, **changes: object) -> SourceOptions:
    """Return the options of a kind with some changed."""
    made = KINDS[kind].options.model_validate({**seat(kind).settings, **changes})
    assert isinstance(made, SourceOptions)
    return made


def faults(kind: str = "standard", /, **changes: object) -> str:
    """Return what is said of options that cannot be used."""
    with pytest.raises(ValidationError) as caught:
        options(kind, **changes)
    return str(caught.value)


def test_defaults() -> None:
    """An org and a secret are enough: 202, two minutes, no untimed deliveries, no zone, bounds that no person meets."""
    made = SourceOptions.model_validate(LEAST)
    assert (made.success_status, made.max_age, made.untimed, made.zone) == (202, 120, "refuse", None)
    assert made.terms("desk", ("ticket", "ticket")) == m.SourceTerms("desk", "acme", 120, ("ticket",), "en", 600, 60)


@EVERY
@pytest.mark.parametrize(
    "change, word",
    [
        ({"org": "Acme"}, "an org's name"),
        ({"org": ""}, "an org's name"),
        ({"org": "-a"}, "an org's name"),
        ({"org": "a" * 33}, "an org's name"),
        ({"org": "acme\n"}, "an org's name"),
        ({"secrets": []}, "at least 1"),
        ({"success_status": 204}, "carries a receipt"),
        ({"success_status": 500}, "carries a receipt"),
        ({"max_age": 4.9}, "greater than or equal to 5"),
        ({"max_age": 3600.1}, "less than or equal to 3600"),
        ({"max_age": "nan"}, "finite"),
        ({"max_age": "inf"}, "finite"),
        ({"rate": -1}, "greater than or equal to 0"),
        ({"rate": 60_001}, "less than or equal to 60000"),
        ({"runaway": -1}, "greater than or equal to 0"),
        ({"runaway": 6_001}, "less than or equal to 6000"),
        ({"wait": -1}, "greater than or equal to 0"),
        ({"wait": 21}, "less than or equal to 20"),
        ({"wait": 1.5}, "valid integer"),
        ({"untimed": "yes"}, "'refuse' or 'accept'"),
        ({"time_zone": "Mars/Olympus"}, "IANA time zone"),
        ({"time_zone": "../../etc/passwd"}, "IANA time zone"),
        ({"time_zone": "Europe"}, "IANA time zone"),
        ({"time_zone": "x" * 5000}, "IANA time zone"),
        ({"time_zone": "a\x00b"}, "IANA time zone"),
        ({"secret": SECRET}, "Extra inputs"),
        ({"answer": {"n": float("nan")}}, "answer holds what JSON does not know"),
    ],
)
def test_faults(kind: str, change: dict[str, object], word: str) -> None:
    """Options that cannot be used say why in words."""
    assert word in faults(kind, **change)


@EVERY
def test_every_secret_is_checked(kind: str) -> None:
    """A secret that cannot be used is named by its place, whatever the kind's scheme wants of it."""
    for unfit, words in (("", "is empty"), ("eleven char", "")):
        said = faults(kind, secrets=[seat(kind).secret, unfit])
        assert "secret 2 of 2: the secret " + words in said


@STANDARD
@pytest.mark.parametrize(
    "secret, word",
    [("whsec_" + base64.b64encode(bytes(23)).decode(), "23 bytes"), ("correct horse battery staple", "not base64")],
)
def test_secrets_of_standard_webhooks(kind: str, secret: str, word: str) -> None:
    """Where a source speaks Standard Webhooks its secrets are base64 of at least 24 bytes."""
    assert word in faults(kind, secrets=[secret])


@EVERY
def test_secrets_are_never_shown(kind: str) -> None:
    """No secret stands in what options print, nor in any fault about them."""
    canary, secret = "canary-secret", seat(kind).secret
    shown = repr(options(kind)) + str(options(kind)) + options(kind).model_dump_json()
    assert not [one for one in (secret, "a play key", "play-password") if one in shown]
    bad: list[dict[str, object]] = [
        {"secrets": [secret, canary]},
        {"secrets": canary},
        {"secrets": [secret], "org": "NO"},
        {"secrets": [{"value": canary}]},
    ]
    for change in bad:
        with pytest.raises(ValidationError) as caught:
            options(kind, **change)
        said = "".join(traceback.format_exception(caught.value))
        assert canary not in said
        assert secret not in said


@EVERY
def test_options_do_not_change(kind: str) -> None:
    """Options are frozen: what was checked is what is used."""
    with pytest.raises(ValidationError, match="frozen"):
        options(kind).org = "other"  # type: ignore[misc]  # mypy sees it too


def test_numbers_may_be_words() -> None:
    """From the environment numbers arrive as text, and are taken."""
    assert options(success_status="200", max_age="30.5").max_age == 30.5


@pytest.mark.parametrize("status", [200, 201, 202])
def test_statuses_that_carry_a_receipt(status: int) -> None:
    """A source may take any of these for a yes."""
    assert options(success_status=status).success_status == status


def test_zone() -> None:
    """A source may name the zone of its times."""
    assert options(time_zone="Europe/Berlin").zone == ZoneInfo("Europe/Berlin")
    assert options(time_zone="").zone is None


def test_the_keyring_holds_all_secrets() -> None:
    """Every configured secret verifies, and fingerprints name them."""
    made = options(secrets=[SECRET, OTHER_SECRET])
    assert made.keys == (key_of(SECRET), key_of(OTHER_SECRET))
    assert made.fingerprints == {fingerprint(key) for key in made.keys}
    for secret in (SECRET, OTHER_SECRET):
        assert made.keyring.verify(delivery(b"{}", secret=secret)).stamped_at == NOW
