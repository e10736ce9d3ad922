"""Ids and numbers are taken in the forms they are written in, and in no other; headers once or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.model.asking import (
    ACTION_ID,
    ORG_NAME,
    UUID,
    Delivery,
    Medium,
    Removal,
    Selector,
    SelectorKind,
    SourceTerms,
    org_of,
    phone_in,
    uuid_in,
)

GOOD = "0c0c0c0c-aaaa-4bbb-8ccc-00000000000f"
NUMBER = "+14155550123"
STEM = "01jd3q8v5k6m7n8p9q0r1s2t3v"


@pytest.mark.parametrize("text", [GOOD, GOOD.upper(), "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"])
def test_a_uuid_is_lowered(text: str) -> None:
    """A UUID in either case is taken, in lower case."""
    assert uuid_in(text) == text.lower()


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "../..",
        "%2e%2e",
        "..?",
        "..#",
        "//h",
        "@h",
        f"{GOOD}\n",
        f"\n{GOOD}",
        f"{GOOD}\r\n",
        f" {GOOD}",
        f"{GOOD} ",
        f"{GOOD}\x00",
        f"{GOOD}/..",
        f"../{GOOD}",
        f"{GOOD}?x",
        f"{GOOD}#x",
        f"{{{GOOD}}}",
        f"urn:uuid:{GOOD}",
        GOOD.replace("-", ""),
        GOOD.replace("-", "\u2010"),
        GOOD.replace("0", "\uff10"),
        GOOD.replace("0", "\u0660"),
        GOOD.replace("a", "\u0430"),
        GOOD.replace("f", "g"),
        GOOD[:-1],
        f"{GOOD}0",
        f"{GOOD}{GOOD}",
    ],
)
def test_nothing_else_is_a_uuid(text: str) -> None:
    """What could be a path, a second line, another script's digit or half an id is none; nothing is repaired."""
    assert uuid_in(text) is None


@given(st.text(max_size=45) | st.from_regex(UUID))
def test_what_is_taken_for_a_uuid_is_one(text: str) -> None:
    """Whatever is given, only the one form comes out."""
    found = uuid_in(text)
    assert found is None or (UUID.fullmatch(found) and found == text.lower() and len(found) == 36)


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        "+1 (415) 555-0123",
        "+1.415.555.0123",
        "+1/415/5550123",
        "+1\u00a0415\u00a05550123",
        f" {NUMBER}\n",
        f"tel:{NUMBER}",
        f"TEL:{NUMBER}",
        f"tel: {NUMBER}",
        "tel:+1-415-555-0123",
        f"tel:{NUMBER};phone-context=example.com",
        f"sip:{NUMBER}@host.example;user=phone",
        f"sips:{NUMBER}@host:5061;ext=7",
        f"sip:{NUMBER}",
    ],
)
def test_a_number_in_the_forms_people_write(text: str) -> None:
    """Punctuation, schemes, hosts and their parameters are left away."""
    assert phone_in(text) == NUMBER


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "..",
        "4155550123",
        "+49 (0)30 12345678",
        "0014155550123",
        "+014155550123",
        "+123456",
        "+1234567890123456",
        "++14155550123",
        "+1415555O123",
        NUMBER.replace("1", "\uff11"),
        NUMBER.replace("1", "\u0661"),
        "\uff0b14155550123",
        f"{NUMBER}\n{NUMBER}",
        f"{NUMBER}\x00",
        f"{NUMBER},{NUMBER}",
        f"{NUMBER}#5",
        f"{NUMBER};ext=5",
        f"{NUMBER} ext. 5",
        f"http:{NUMBER}",
        f"mailto:{NUMBER}@host",
        f"sip:user@{NUMBER}",
        f"sip:user{NUMBER}@host",
        f"tel:{NUMBER}x",
        "sip:4155550123@host",
    ],
)
def test_nothing_else_is_a_number(text: str) -> None:
    """Local numbers, other scripts' digits, several numbers and other schemes are not guessed at."""
    assert phone_in(text) is None


@pytest.mark.parametrize(
    "text",
    [f"tel:{NUMBER};ext=12", f"tel:{NUMBER};EXT=12", f"tel:{NUMBER};a=b;ext=1", f"sip:{NUMBER};isub=9@host;user=phone"],
)
def test_an_extension_is_not_cut_off(text: str) -> None:
    """Behind one switchboard number stand many people: with an extension it is not the number of one of them."""
    assert phone_in(text) is None


@given(st.text(alphabet="+0123456789 ()-./;:@=telsipx\n", max_size=30) | st.text(max_size=20))
def test_what_is_taken_for_a_number_is_one(text: str) -> None:
    """Whatever is given, only a plus and 7 to 15 ASCII digits come out, and they read the same again."""
    found = phone_in(text)
    if found is not None:
        assert found[0] == "+"
        assert found[1:].isascii()
        assert found[1:].isdecimal()
        assert 7 <= len(found) - 1 <= 15
        assert phone_in(found) == found


@pytest.mark.parametrize(
    "action_id, org",
    [
        (f"main.{STEM}", "main"),
        (f"0.{STEM}", "0"),
        (f"a-b-1.{STEM}", "a-b-1"),
        (f"{'a' * 32}.{STEM}", "a" * 32),
        (f"{'a' * 33}.{STEM}", None),
        (f"-a.{STEM}", None),
        (f".{STEM}", None),
        (f"Main.{STEM}", None),
        (f"main.{STEM.upper()}", None),
        (f"main.{STEM}\n", None),
        (f"main.{STEM}x", None),
        (f"main.{STEM[:-1]}", None),
        (f"main.second.{STEM}", None),
        (f"ma{{in.{STEM}", None),
        (f"ma\u0131n.{STEM}", None),
        (STEM, None),
        ("", None),
    ],
)
def test_an_action_id_carries_its_org(action_id: str, org: str | None) -> None:
    """The org is read from an action id, and from nothing that only looks like one."""
    assert org_of(action_id) == org
    assert bool(ACTION_ID.fullmatch(action_id)) == (org is not None)
    assert org is None or ORG_NAME.fullmatch(org)


def test_a_header_stands_once_or_not_at_all() -> None:
    """A repeated header is as good as none: nobody chooses which one counts."""
    headers = ((b"x-one", b"1"), (b"x-two", b"1"), (b"x-two", b"1"), (b"x-three", b""))
    delivery = Delivery("desk", headers, b"{}", 0)
    assert [delivery.header(name) for name in (b"x-one", b"x-two", b"x-three", b"x-none", b"X-One")] == [
        b"1",
        None,
        b"",
        None,
        None,
    ]


def test_media_are_the_arrays_of_a_conversation() -> None:
    """The eleven media are called as Genesys calls their arrays."""
    arrays = "calls callbacks chats cobrowsesessions emails messages internalMessages screenMonitorings screenshares"
    assert {medium.value for medium in Medium} == {*arrays.split(), "socialExpressions", "videos"}


@pytest.mark.parametrize(
    "kind, value, masked",
    [
        (SelectorKind.PHONE, NUMBER, "…0123"),
        (SelectorKind.PHONE, "+123456", "…"),
        (SelectorKind.PHONE, "+1234567", "…4567"),
        (SelectorKind.ATTRIBUTE, f"callback={NUMBER}", "callback=…0123"),
        (SelectorKind.ATTRIBUTE, "a=b=12345678", "a=…5678"),
        (SelectorKind.ATTRIBUTE, "name=Beth", "name=…"),
        (SelectorKind.ATTRIBUTE, f"a=…{NUMBER}", "a=…0123"),
    ],
)
def test_what_may_be_a_number_or_a_name_is_masked(kind: SelectorKind, value: str, masked: str) -> None:
    """Of a number or an attribute the last four characters are kept at most, and masked it names nobody any more."""
    selector, kept = Selector(kind, value), Selector(kind, masked)
    assert (selector.masked, selector.is_masked) == (kept, False)
    assert (kept.masked, kept.is_masked) == (kept, True)


@pytest.mark.parametrize("kind", sorted(SelectorKind))
def test_what_is_forgotten_names_nobody(kind: SelectorKind) -> None:
    """Nothing of a forgotten selector is left but its kind, an id's value neither; it stays so, and counts as cut."""
    gone = Selector(kind, f"name={NUMBER}").forgotten
    assert NUMBER not in gone.value
    assert "name" not in gone.value
    assert (gone.kind, gone.is_masked, gone.masked, gone.forgotten) == (kind, True, gone, gone)


@pytest.mark.parametrize("kind", sorted(set(SelectorKind) - {SelectorKind.PHONE, SelectorKind.ATTRIBUTE}))
def test_ids_and_purposes_are_not_masked(kind: SelectorKind) -> None:
    """An id or a purpose is nobody's secret, and is what one looks for in Genesys."""
    selector = Selector(kind, GOOD)
    assert (selector.masked, selector.is_masked) == (selector, False)


def test_a_plain_removal_is_meant() -> None:
    """Without further words a removal is no preview, in any medium, and tells no ticket."""
    removal = Removal(GOOD, Selector(SelectorKind.PHONE, NUMBER))
    assert (removal.preview, removal.medium, removal.identity, removal.ticket) == (False, None, None, None)


@pytest.mark.parametrize(
    "unheard, body, is_so", [(b"", b"payload=", False), (b"payload=", b"payload=x", True), (b"payload=", b"a", False)]
)
def test_who_hears_nothing(unheard: bytes, body: bytes, is_so: bool) -> None:
    """What begins as a delivery whose answer nobody is shown is one, and nothing else."""
    assert SourceTerms("desk", "acme", 120, (), unheard=unheard).is_unheard(body) is is_so
