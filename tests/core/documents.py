"""Conversations as Genesys writes them, made at random: all media, odd words, unknown fields, half of it known.

Pools are small, so that two people often share a number, a user, an attribute or a leg. What an address says is
written beside it, so that nobody has to read it the way the product does.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from hypothesis import strategies as st

from service.core import model as m

Json: TypeAlias = dict[str, Any]

CID = "0c0c0c0c-0000-4000-8000-000000000001"
IDS = [f"{letter * 8}-0000-4000-8000-00000000000{number}" for number, letter in enumerate("aabcd", start=1)]
LEGS = [f"1e900000-0000-4000-8000-00000000000{number}" for number in range(1, 7)]
USERS = ["eeeeeeee-0000-4000-8000-000000000005", "eeeeeeee-0000-4000-8000-000000000006"]
CONTACTS = ["ffffffff-0000-4000-8000-000000000007", "ffffffff-0000-4000-8000-000000000008"]
NUMBER, OTHER_NUMBER = "+14155550123", "+493012345678"
# what Genesys may write as an address, and whose number that is
ADDRESSES: Mapping[Any, str | None] = {
    "tel:+14155550123": NUMBER,
    "sip:+14155550123@10.0.0.1:5060;user=phone": NUMBER,
    "sips:+1-415-555-0123@edge.example": NUMBER,
    "+1 (415) 555-0123": NUMBER,
    "tel:+493012345678": OTHER_NUMBER,
    "tel:+14155550123;ext=5": None,
    "sip:beth@acme.example": None,
    "4155550123": None,
    "tel:+\uff1114155550123": None,
    14155550123: None,
    None: None,
}
OURS, THEIRS = ["customer", "external"], ["agent", "user", "group", "station"]
SYSTEM = [
    "acd", "ivr", "botflow", "flow", "voicemail", "voicesurveyflow", "workflow", "dialer", "campaign", "api", "fax",
]  # fmt: skip
NOVEL = ["patient", "robot", ""]
ARRAYS = [
    "calls", "callbacks", "chats", "cobrowsesessions", "emails", "messages", "internalMessages", "screenMonitorings",
    "screenshares", "socialExpressions", "videos",
]  # fmt: skip
OVER = ["disconnected", "terminated", "Terminated"]
STATES = [
    "alerting", "dialing", "contacting", "offering", "connected", "converting", "uploading", "transmitting", "parked",
    "scheduled", "none", "novel", "", None, 7,
]  # fmt: skip
ATTRIBUTES: list[Any] = [
    {"customerId": "4711"}, {"customerId": "4711", "more": "x"}, {"customerId": "4712"}, {"customerId": 4711},
    {"customerId": ""}, {"customerId=4711": "x"}, {"customerid": "4711"}, {"more": "4711"}, {}, None, [], "4711",
]  # fmt: skip
COMMON = 4  # so many times as likely as what stands once
CLICKED_AT = 1_795_165_200_000  # 2026-11-20T09:00:00Z
MOMENTS: Mapping[Any, int] = {
    datetime.fromtimestamp((CLICKED_AT + ago) / 1000, UTC).isoformat(timespec="milliseconds"): CLICKED_AT + ago
    for ago in (-60_000, -1, 0, 1, 60_000)
} | {"yesterday": 0, None: 0}
TWINS = ["purpose", "address", "ani", "userId", "externalContactId", "attributes"]  # what two people may share
NOISE: list[Json] = [{}, {}, {"novel": {"deep": [None, {"id": IDS[0]}]}, "state": "disconnected", "fax": [], "dnis": 1}]
FLOWS: list[Any] = [None] * 6 + [{"customerId": "4711"}]  # a flow often copies the caller's attributes to everybody
VALUES: Mapping[m.SelectorKind, list[str]] = {
    m.SelectorKind.PARTICIPANT_ID: IDS,
    m.SelectorKind.PHONE: [NUMBER],
    m.SelectorKind.USER_ID: USERS[:1],
    m.SelectorKind.EXTERNAL_CONTACT_ID: CONTACTS[:1],
    m.SelectorKind.COMMUNICATION_ID: LEGS,
    m.SelectorKind.PURPOSE: ["customer", "agent", "acd"],
    m.SelectorKind.ATTRIBUTE: ["customerId=4711"],
}
MEDIA: list[m.Medium | None] = [*[None] * 5 * COMMON, *[m.Medium.VOICE] * COMMON, *m.Medium]


@dataclass(frozen=True)
class Case:
    """A conversation, and a wish about it that mostly names somebody in it."""

    document: Json
    wish: m.Removal


class Maker:
    """Makes a case from a seed: the dice are thrown here, for a strategy of so many parts takes its time."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - the same case for the same seed

    def case(self) -> Case:
        """A conversation, and a wish about it in one way or two."""
        document, pick = self._conversation(), self._dice.choice
        first, second = [self._name(document, kind) for kind in self._dice.sample(list(m.SelectorKind), 2)]
        return Case(document, m.Removal(CID, first, pick([None, None, second]), pick(MEDIA)))

    def _name(self, document: Json, kind: m.SelectorKind) -> m.Selector:
        people = document["participants"]
        there = {
            m.SelectorKind.PARTICIPANT_ID: [one["id"].lower() for one in people],
            m.SelectorKind.COMMUNICATION_ID: [
                leg["id"] for one in people for name in ARRAYS for leg in one.get(name) or []
            ],
            m.SelectorKind.PURPOSE: ["customer", *(one["purpose"].lower() for one in people if one["purpose"])],
        }.get(kind, [])
        return m.Selector(kind, self._dice.choice(there * COMMON + VALUES[kind]))

    def _conversation(self) -> Json:
        pick = self._dice.choice
        people = [self._participant(id_) for id_ in self._dice.sample(IDS, pick([0, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4]))]
        if len(people) > 1 and pick([True, False]):
            people[-1] |= {name: people[0][name] for name in TWINS if name in people[0]} | {"endTime": None}
        if copied := pick(FLOWS):
            people = [one | {"attributes": copied} for one in people]
        return pick(NOISE) | {"divisions": pick([None, 1, [{"division": {}}]]), "id": CID, "participants": people}

    def _participant(self, id_: str) -> Json:
        pick = self._dice.choice
        said = {
            "id": pick([id_, id_, id_.upper()]),
            "purpose": pick(["customer"] * 16 + OURS + ["Customer"] + ["agent"] * 3 + THEIRS + SYSTEM + NOVEL),
            "address": pick(["tel:+14155550123"] * 2 * COMMON + [*ADDRESSES]),
            "ani": pick([*ADDRESSES]),
            "dnis": "tel:" + NUMBER,
            "userId": pick([USERS[0], *USERS, USERS[0].upper(), "beth"] + [None] * COMMON),
            "externalContactId": pick([CONTACTS[0], *CONTACTS, None, None]),
            "attributes": pick(ATTRIBUTES[:1] * 3 * COMMON + ATTRIBUTES),
            "startTime": pick([*MOMENTS]),
            "connectedTime": pick([*MOMENTS]),
            "endTime": pick([None] * 8 * COMMON + ["", *MOMENTS]),
            "mediaRoles": pick([["full"], ["monitor"], ["novel", 1], "full", None]),
            "queueId": pick([USERS[0], "sales", None]),
        }
        # null and missing are the same
        said = {name: value for name, value in said.items() if value is not None or pick([True, False])}
        return pick(NOISE) | {"videos": [], "emails": None} | said | self._legs()

    def _legs(self) -> Json:
        pick = self._dice.choice
        arrays: dict[str, list[Json]] = {}
        for _ in range(pick([0, 1, 1, 1, 1, 1, 2, 2, 3])):
            leg = {"id": pick(LEGS), "state": pick(["connected"] * 4 * COMMON + OVER * 2 + STATES)}
            more = pick([{}, {"state2": "x", "peerId": LEGS[0], "segments": [{"novel": 1}], "errorInfo": None}])
            arrays.setdefault(pick(["calls"] * 2 * COMMON + ARRAYS), []).append(more | leg)
        return dict(arrays)


cases: st.SearchStrategy[Case] = st.integers(0, 2**64 - 1).map(lambda seed: Maker(seed).case())
policies: st.SearchStrategy[m.Policy] = st.sampled_from(
    [m.Policy(), m.Policy(), m.Policy(frozenset({*OURS, "agent", "acd", "patient"}))]
)


def pinned_in(case: Case, seed: int) -> m.Target:
    """A pin of somebody in the conversation, mostly, with one or two of the legs there are or were."""
    dice = random.Random(seed)  # noqa: S311 - the same pin for the same seed
    people = case.document["participants"]
    one = dice.choice([*people * COMMON, {"id": dice.choice(IDS)}])
    legs = [leg for name in ARRAYS for leg in one.get(name) or []]
    over = [leg["id"] for leg in legs if leg["state"] in OVER]
    # who lost the legs that were pinned and is there by another one has come back
    if over and len(over) < len(legs):
        return m.Target(one["id"].lower(), tuple(over))
    pool = [leg["id"] for leg in legs] * COMMON + LEGS
    return m.Target(one["id"].lower(), tuple(dice.choice(pool) for _ in range(dice.choice([0, 1, 1, 1, 2]))))
