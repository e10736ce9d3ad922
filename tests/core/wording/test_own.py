"""An org's own words: what it says in its file is said, and what could spoil a note is no start."""

import tomllib

import pytest

from service.core import model as m
from service.core.errors import Misconfigured
from service.core.wording import Wording, own_words
from service.core.wording.english import SENTENCES

GONE = m.Outcome(m.OutcomeKind.ALREADY_GONE, "gone", purpose="customer", remaining={"agent": 1})
FILE = """
[de]
already_gone = "Schon weg: {who}."
"people.customer" = "der Kunde|Kunde|Kunden"
[de.failed]
no_effect = "Nichts geschah."
[fr]
already_gone = "Rien à faire : {who} était déjà parti."
"people.customer" = "l'appelant|appelant|appelants"
"people.vip" = "l'invité|invité|invités"
"""


def faults_of(text: str) -> tuple[str, ...]:
    """What is wrong with a file."""
    with pytest.raises(Misconfigured) as caught:
        own_words(tomllib.loads(text))
    return caught.value.faults


def test_own_words_come_first() -> None:
    """An own sentence is said instead of the shipped one; what it leaves out is the shipped language's, or English."""
    wording = Wording(own_words(tomllib.loads(FILE)))
    assert wording.explanation(GONE, "de") == "Schon weg: der Kunde. Noch da: 1 Agent. Mehr ist nicht zu tun."
    assert wording.explanation(GONE, "fr") == (
        "Rien à faire : l'appelant était déjà parti. Still there: 1 agent. There is nothing more to do."
    )
    assert wording.explanation(GONE) == Wording().explanation(GONE)
    assert wording.languages == ("de", "en", "fr")
    failed = m.Outcome(m.OutcomeKind.FAILED, "no_effect", purpose="vip", remaining={"vip": 2})
    assert wording.explanation(failed, "de").startswith("Nichts geschah. ")
    assert "2 invités" in wording.explanation(failed, "fr")


def test_every_key_may_be_said_anew() -> None:
    """Each shipped sentence can stand in a file just as it is, its placeholders included."""
    assert own_words({"nl": SENTENCES}) == {"nl": SENTENCES}
    assert own_words({}) == {}


@pytest.mark.parametrize(
    "text, fault",
    [
        ('[de]\n"expired.tired" = "x"', "de.expired.tired: there is no such sentence"),
        ('[de.expired.late]\nx = "x"', "de.expired.late.x: there is no such sentence"),
        ('[de]\nexpired = "{when}"', "de.expired: there is no placeholder {when} here; there is {Who}, {allowed_by}"),
        ('[de]\nexpired = "{}"', "there is no placeholder {}"),
        ('[de]\nexpired = "{who.__class__}"', "there is no placeholder {who.__class__}"),
        ('[de]\n"also.done" = "{who}"', "there is none"),
        ('[de]\n"sends.1" = "{count}"', "there is none"),
        ('[de]\n"answer.login" = "{who}"', "there is {allowed_by}, {answer}, {org}"),
        ('[de]\n"answer.conflict" = "{message}"', "there is no placeholder {message} here"),
        ('[de]\n"answer.no_route" = "{sends}"', "there is {message}, {org}"),
        ('[de]\n"operator.failed" = "{answer}"', "there is {allowed_by}, {org}, {purpose}, {sends}"),
        ('[de]\nexpired = "a { b"', "de.expired: has a brace"),
        ('[de]\nexpired = "}{who}"', "de.expired: has a brace"),
        ('[de]\nexpired = "  "', "de.expired: is to be a sentence"),
        ("[de]\nexpired = 7", "de.expired: is to be a sentence"),
        ("[de]\nexpired = ['x']", "de.expired: is to be a sentence"),
        ('[de]\nexpired = "a\\nb"', "de.expired: is to be one line"),
        (f'[de]\nexpired = "{"x" * 1001}"', "of at most 1000 characters"),
        ('[de]\n"people.customer" = "der Kunde"', "de.people.customer: is to have three forms"),
        ('[de]\n"people.vip" = "a||b"', "de.people.vip: is to have three forms"),
        ('[de]\n"people.vip" = "a|b|c|d"', "de.people.vip: is to have three forms"),
        ('[de]\n"people.vip" = "a|b|{who}"', "there is no placeholder {who} here; there is {purpose}"),
        ('[de]\n"people.V I P" = "a|b|c"', "there is no such sentence"),
        ('[german]\nexpired = "x"', "“german” is no section of a language"),
        ('de = "x"', "“de” is no section of a language"),
    ],
)
def test_what_could_spoil_a_note_is_no_start(text: str, fault: str) -> None:
    """Unknown keys, placeholders and shapes are said in words, before the first note."""
    (said,) = faults_of(text)
    assert fault in said


def test_every_fault_is_named_at_once() -> None:
    """Whoever wrote three things wrong hears of all three."""
    assert len(faults_of('x1 = 1\n[de]\nexpired = 7\n"also.tomorrow" = "x"')) == 3
