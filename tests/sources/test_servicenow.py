"""ServiceNow: what its script may ask, and what its settings must say."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from service.core import model as m
from service.core.errors import Unreadable
from service.sources.servicenow import Options
from tests.sources.senders import (
    NOW,
    OPTIONS,
    SYS_ID,
    TICKET,
    VERIFIED,
    Outdoors,
    built,
    delivery,
    flat,
    own,
)


def parsed(body: bytes, **changes: object) -> m.Removal | m.Ignored | m.Batch:
    """Return what a ServiceNow source reads in a body."""
    return built("servicenow", **changes).parse(delivery(body), VERIFIED)


def removal(body: bytes, **changes: object) -> m.Removal:
    """Return the removal that a body asks for."""
    found = parsed(body, **changes)
    assert isinstance(found, m.Removal)
    return found


def test_sample() -> None:
    """The documented body is read with its record, requester and time."""
    found = removal(own())
    assert (found.ticket, found.requester, found.event_at) == (TICKET, "beth.anglin", NOW)


def test_references_in_fields() -> None:
    """A record's references, sent as link and value, are their values."""
    link = {"link": "https://acme.service-now.com/x", "value": SYS_ID}
    assert removal(own(sys_id=link, requested_by={"link": "x", "value": "beth"})).ticket == TICKET


@pytest.mark.parametrize(
    "changes",
    [
        {"ticket": f"incident/{SYS_ID}", "number": "INC0010112"},
        {"table": "incident", "sys_id": SYS_ID, "number": "INC0010112"},
        {"table": "incident", "sysId": SYS_ID, "number": "INC0010112"},
        {"ticket": f"incident/{SYS_ID}", "table": "incident", "sys_id": SYS_ID, "number": "INC0010112"},
    ],
)
def test_ticket_of_the_flat_form(changes: dict[str, object]) -> None:
    """The flat form may name the record too, in one field or in two."""
    assert removal(flat(**changes)).ticket == TICKET


def test_no_ticket() -> None:
    """Without a record the removal is made, and nobody is told."""
    assert removal(flat()).ticket is None
    assert removal(own(table="", sys_id="", number="")).ticket is None


@pytest.mark.parametrize(
    "changes",
    [
        {"table": ""},
        {"sys_id": ""},
        {"table": "", "sys_id": ""},
        {"table": "Incident"},
        {"table": "9incident"},
        {"table": "incident/x"},
        {"table": ".."},
        {"table": "incident?x"},
        {"table": "in cident"},
        {"table": "%2e%2e"},
        {"sys_id": ".."},
        {"sys_id": SYS_ID[:-1]},
        {"sys_id": SYS_ID + "0"},
        {"sys_id": SYS_ID.upper()},
        {"sys_id": "\uff19" + SYS_ID[1:]},
        {"ticket": f"problem/{SYS_ID}"},
        {"ticket": "INC0010112"},
        {"ticket": f"incident/{SYS_ID}/x"},
    ],
)
def test_tickets_that_lead_nowhere(changes: dict[str, object]) -> None:
    """A record named by halves, by number alone, in two ways that differ or as a path is refused in words."""
    with pytest.raises(Unreadable, match="named by table"):
        parsed(own(**changes))


@pytest.mark.parametrize(
    "changes", [{"number": "x" * 41}, {"number": "INC\n1"}, {"table": "x" * 81}, {"number": 10112}]
)
def test_ticket_fields_have_bounds(changes: dict[str, object]) -> None:
    """A label or table that is too long, broken or no text is refused."""
    with pytest.raises(Unreadable):
        parsed(own(**changes))


def test_longest_table() -> None:
    """A table's name may have eighty characters, a record's number forty."""
    table = "x_" + "a" * 78
    assert removal(own(table=table)).ticket == m.Ticket(f"{table}/{SYS_ID}", "INC0010112")
    assert removal(own(number="x" * 40)).ticket == m.Ticket(f"incident/{SYS_ID}", "x" * 40)


def test_instance_in_the_body_is_nothing() -> None:
    """No address is taken from a body: another instance changes nothing."""
    assert removal(own(instance="evil.example.com")) == removal(own())


def test_time_of_the_click() -> None:
    """The body's time counts, else the stamp of its script, which stamps once per click."""
    stamped = replace(VERIFIED, stamped_at=NOW - 7_000)
    source = built("servicenow")
    for body, at in ((flat(), NOW), (flat(timestamp=None), NOW - 7_000)):
        found = source.parse(delivery(body), stamped)
        assert isinstance(found, m.Removal)
        assert found.event_at == at


def test_time_in_a_zone() -> None:
    """ServiceNow's own way to write a time is taken where the source names its zone, and refused elsewhere."""
    body = flat(timestamp="2026-11-20 10:00:00")
    assert removal(body, time_zone="Europe/Berlin").event_at == NOW
    with pytest.raises(Unreadable, match="says no offset"):
        parsed(body)


@pytest.mark.parametrize("name", ["requested_by", "requestedBy", "actor"])
@pytest.mark.parametrize("user", ["onhook.integration", "OnHook.Integration"])
def test_our_own_echo(name: str, user: str) -> None:
    """What our own user caused is ignored, whatever else the body says."""
    assert isinstance(parsed(own(**{"requested_by": None, name: user, "conversation_id": "broken"})), m.Ignored)


def test_actor_is_looked_at_beside_the_requester() -> None:
    """An echo keeps the first requester's name; the actor gives it away."""
    assert isinstance(parsed(own(actor="onhook.integration")), m.Ignored)
    assert isinstance(parsed(own(actor="beth.anglin")), m.Removal)


def test_nobody_is_no_echo() -> None:
    """Without a user of our own, nobody is taken for us."""
    silent: dict[str, object] = {"reports": [], "username": ""}
    assert isinstance(parsed(own(requested_by=""), **silent), m.Removal)


def test_other_types_are_ignored() -> None:
    """Another event is ignored before anything else is asked of it."""
    assert isinstance(parsed(b'{"type":"incident.created"}'), m.Ignored)


@pytest.mark.parametrize("name", ["instance_url", "username", "password"])
def test_what_telling_needs(name: str) -> None:
    """To write on tickets an address, a user and a password are needed; to tell nobody, none of them."""
    with pytest.raises(ValidationError, match=f"{name}: needed to write on tickets"):
        built("servicenow", **{name: ""})
    assert built("servicenow", reports=[], instance_url="", username="", password="").terms.channels == ()


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.service-now.com", "acme.service-now.com", "ftp://x", "https://user:pw@acme.service-now.com", "https://",
        "https://acme.service-now.com/login", "https://acme.service-now.com/?x", "https://acme.service-now.com#x",
    ],
)  # fmt: skip
def test_addresses_that_are_none(url: str) -> None:
    """An instance is an https origin; http only on this machine."""
    with pytest.raises(ValidationError):
        built("servicenow", instance_url=url)


def test_addresses_that_are_taken() -> None:
    """An instance's address is normalised, so that paths can be put behind it."""
    for url in ("https://acme.service-now.com", "https://acme.service-now.com/", "https://ACME.service-now.com:443"):
        made = Options.model_validate(OPTIONS["servicenow"] | {"instance_url": url})
        assert made.instance_url == "https://acme.service-now.com"


def test_user_names_with_a_colon() -> None:
    """A user name that HTTP Basic cannot carry is a fault at the start; where a form carries it, it is none."""
    with pytest.raises(ValidationError, match="colon"):
        built("servicenow", username="a:b")
    built("servicenow", username="a:b", client_id="x", client_secret="y")


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"api_key": "k"}, "api_key: stands beside password; name one way"),
        ({"api_key": "k", "client_id": "x", "client_secret": "y"}, "stands beside password and client_id and client_"),
        ({"client_id": "x"}, "client_secret: is missing"),
        ({"client_secret": "play-canary"}, "client_id: is missing"),
        ({"password": "", "api_key": "play canary"}, "api_key: holds a space"),
        ({"password": "", "api_key": "k", "username": ""}, "username: needed to write on tickets"),
        ({"password": "", "client_id": "x", "client_secret": "y", "username": ""}, "username: needed to write"),
        ({"password": "", "username": "", "instance_url": ""}, "instance_url, username, password: needed"),
        ({"client_id": "x", "reports": []}, "client_secret: is missing"),
    ],
)
def test_logins_that_do_not_fit(changes: dict[str, object], words: str) -> None:
    """A login by halves, two at once, or one whose user nobody knows is a fault at the start, without a secret."""
    with pytest.raises(ValidationError, match=words) as caught:
        built("servicenow", **changes)
    assert "canary" not in str(caught.value)
    assert "play-password" not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "outcome", "/api/now/table/incident", "/api/now/x/y", "/api/x", "/api/x/y", "/x/y/z/a", "/api/../x/y",
        "/api/x/y/", "/api/x//y", "/api/x/y?z", "/api/x/y/z#", "/api/x/y/%2e", "/api/x/y/z/a/b/c", "/api/x/y/ü", "https://h/api/x/y/z",
    ],
)  # fmt: skip
def test_paths_that_are_no_resource(path: str) -> None:
    """The path of our resource is a plain one of its namespace, and never the vendor's own API."""
    with pytest.raises(ValidationError, match="the path that the form of the resource shows"):
        built("servicenow", outcome_path=path)


@pytest.mark.parametrize("path", ["", "/api/x_acme_onhook/onhook/outcome", "/api/123456/v1/onhook/outcome"])
def test_paths_of_a_resource(path: str) -> None:
    """A resource's path has a namespace, perhaps a version, an API's name and its own."""
    assert Options.model_validate(OPTIONS["servicenow"] | {"outcome_path": path}).outcome_path == path


@pytest.mark.parametrize("login", [{"api_key": "k"}, {"client_id": "x", "client_secret": "y"}])
def test_our_own_echo_without_a_password(login: dict[str, object]) -> None:
    """However our user logs in, what it caused is ignored: the settings name it."""
    assert isinstance(parsed(own(actor="onhook.integration"), password="", **login), m.Ignored)
    assert isinstance(parsed(own(actor="beth.anglin"), password="", **login), m.Removal)


def test_passwords_beyond_ascii() -> None:
    """A password in any script is sent as UTF-8."""
    outdoors = Outdoors()
    assert built("servicenow", outdoors, password="pässwörd").terms.channels == ("ticket",)
    assert len(outdoors.rules) == 2


def test_unknown_reports() -> None:
    """A channel that this kind does not have is a fault."""
    with pytest.raises(ValidationError):
        built("servicenow", reports=["webhook"])
