"""The one place that makes keys: what may be in one, and that all of an org are in one slot."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from service.store import keys as k
from service.store.script import FOLDER, PROLOGUE

ORG, OTHER = "acme", "umbrella"
ACTION = f"{ORG}.{'0' * 26}"
REPORT = f"{ACTION}.0123abcd"
DIGEST = "0" * 64
SPAN = "0" * 6
UUID = "00000000-0000-4000-8000-000000000001"


def _all_of(keys: k.Keys) -> dict[str, str]:
    return {
        "due_removals": keys.due_removals(ORG),
        "due_reports": keys.due_reports(ORG, "desk"),
        "desks": keys.desks(ORG),
        "held": keys.held(ORG, "desk"),
        "action": keys.action(ACTION),
        "timeline": keys.timeline(ACTION),
        "deliveries": keys.deliveries(ACTION),
        "report": keys.report(REPORT),
        "delivery": keys.delivery(ORG, DIGEST),
        "intent": keys.intent(ORG, DIGEST),
        "conversation": keys.conversation(ORG, UUID),
        "paused": keys.paused(ORG),
        "budget": keys.budget(ORG),
        "allowance": keys.allowance(ORG),
        "window": keys.window(ORG, DIGEST),
        "terms": keys.terms(ORG),
        "terms_in": keys.terms_in(ACTION),
        "requester": keys.requester(ORG, DIGEST),
        "rate": keys.rate(ORG, "desk"),
        "clicks": keys.clicks(ORG, DIGEST),
        "floor": keys.floor(ORG),
        "refusals": keys.refusals(ORG, "desk"),
        "audit": keys.audit(ORG, 20_000),
        "minutes": keys.minutes(ORG, 480_000),
        "dead": keys.dead(ORG),
        "workers": keys.workers(ORG),
        "forgettings": keys.forgettings(ORG),
        "claim": keys.claim(ORG, DIGEST),
        "step": keys.step(ORG, DIGEST),
    }


def test_each_kind_has_its_method() -> None:
    """Each key is of one kind in the table, and each kind of the table has a key."""
    met = []
    for key in _all_of(k.Keys()).values():
        rest = key.removeprefix("onhook:{acme}:")
        met += [kind for kind in k.KINDS if re.fullmatch(kind.pattern, rest)]
    assert sorted(met) == sorted(k.KINDS)


def test_all_of_an_org_is_in_one_slot() -> None:
    """A Cluster keeps all keys of an org together, and spreads orgs."""
    keys = k.Keys()
    assert len({key_slot(key.encode()) for key in _all_of(keys).values()}) == 1
    assert key_slot(keys.paused(ORG).encode()) != key_slot(keys.paused(OTHER).encode())


def test_a_prefix_of_ones_own() -> None:
    """Under another prefix nothing is shared, the channel included."""
    ours, theirs = k.Keys(), k.Keys("staging")
    mine = {*_all_of(ours).values(), ours.wake, ours.probe}
    assert mine.isdisjoint({*_all_of(theirs).values(), theirs.wake, theirs.probe})


@pytest.mark.parametrize("prefix", ["", "a:b", "{a}", "A", "a b", "-a", "a" * 33, "a\n"])
def test_what_is_no_prefix(prefix: str) -> None:
    """A prefix that could be taken for more than one is refused."""
    with pytest.raises(ValueError, match="prefix"):
        k.Keys(prefix)


def test_scripts_derive_the_same_keys() -> None:
    """The keys that scripts put together are those that are made here."""
    prologue = (FOLDER / f"{PROLOGUE}.lua").read_text()
    derived = dict(re.findall(r"(\w+) = function\(\w+\) return base \.\. '(.*?)' \.\. \w+ end", prologue))
    base = k.Keys().base(ORG)
    made = _all_of(k.Keys())
    assert len(derived) == 15
    for name, middle in derived.items():
        assert made[name].startswith(base + middle)
        assert made[name].removeprefix(base + middle) in {ACTION, REPORT, DIGEST, UUID, SPAN, "desk", "20000", "480000"}
    whole = re.findall(r"(\w+) = base \.\. '(.*?)',", prologue)
    assert [name for name, _ in whole] == ["paused", "desks", "terms", "dead"]
    assert all(made[name] == base + rest for name, rest in whole)


EVIL = ["", "*", "a:b", "{x}", "}{", "..", "acme\n", "ACME", "é", "\uff10" * 64, "a" * 200, "acme.", "%00", "\x00"]


@pytest.mark.parametrize("word", EVIL)
def test_evil_words_never_become_keys(word: str) -> None:
    """A word that is no name, id or digest is refused by every key."""
    keys = k.Keys()
    for name in _all_of(keys):
        method = getattr(keys, name)
        arguments = [(word,)] if method.__code__.co_argcount == 2 else [(ORG, word), (word, DIGEST)]
        for words in arguments:
            with pytest.raises(ValueError, match="is not"):
                method(*words)
    for check in (k.hex_in, k.name_in, k.action_of):
        with pytest.raises(ValueError, match="is not"):
            check(word)


@given(st.text())
def test_what_is_taken_is_plain(word: str) -> None:
    """Whatever text is offered, what is taken as part of a key has nothing in it that a key could be broken with."""
    for check in (k.hex_in, k.name_in):
        try:
            assert re.fullmatch(r"[a-z0-9_-]+", check(word), re.ASCII)
        except ValueError:
            continue


def test_a_report_id_has_its_actions() -> None:
    """A report's id leads to its action."""
    assert k.action_of(REPORT) == ACTION


def test_topics() -> None:
    """What is published is what the scripts publish."""
    said = "".join(path.read_text() for path in FOLDER.glob("*.lua"))
    assert k.due_topic("", "removals") == "removals:"
    assert k.due_topic("", "reports") == "reports:"
    assert k.settled_topic("") == "settled:"
    for word in ("'removals:' ..", "'reports:' ..", "'settled:' .."):
        assert word in said
