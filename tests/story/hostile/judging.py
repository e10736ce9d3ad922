"""What may come of a signed body: a removal that says what the body says, or a refusal in words. Judged apart."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import Any

from service.core import model as m
from service.core.errors import Malformed, Refused, Unreadable
from service.core.ports import Source
from tests.sources.senders import NOW, VERIFIED
from tests.story.hostile.bodies import PHONE, body_of
from tests.story.hostile.strict import NotStrict, read

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
LONGEST_SENTENCE = 400
IDS = {
    m.SelectorKind.PARTICIPANT_ID: "participant_id",
    m.SelectorKind.COMMUNICATION_ID: "communication_id",
    m.SelectorKind.USER_ID: "user_id",
    m.SelectorKind.EXTERNAL_CONTACT_ID: "external_contact_id",
}


def judged(source: Source, body: bytes) -> tuple[str, list[str]]:
    """Return what came of a signed body, by name, and everything that is wrong with that."""
    try:
        tree: dict[str, Any] | None = read(body)
    except NotStrict:
        tree = None
    arriving = m.Delivery(source.terms.name, (), body, NOW)
    try:
        found = source.parse(arriving, VERIFIED)
    except Refused as refused:
        return type(refused).__name__, list(_of_refusal(refused, is_strict=tree is not None))
    if tree is None:
        return "accepted", ["it was taken, and a strict reader refuses it"]
    if isinstance(found, m.Ignored):
        return "ignored", ["the reason is no line"] if UNSEEN.search(found.reason) else []
    assert isinstance(found, m.Removal)  # none of these kinds sends batches
    return "accepted", [fault for fault, is_so in _of_removal(found, tree).items() if is_so]


def status_of(source: Source, body: bytes) -> int:
    """Return the status that the door must answer to a signed body."""
    try:
        found = source.parse(m.Delivery(source.terms.name, (), body, NOW), VERIFIED)
    except Refused as refused:
        return refused.status
    return 200 if isinstance(found, m.Ignored) else source.success_status


def _of_refusal(refused: Refused, *, is_strict: bool) -> list[str]:
    sentence = refused.sentence
    faults = {
        "it is no refusal of a body": type(refused) not in {Malformed, Unreadable},
        "a strict reader takes it": type(refused) is Malformed and is_strict,
        "a strict reader refuses it, and its fields were read": type(refused) is Unreadable and not is_strict,
        "its sentence is no line": not sentence or bool(UNSEEN.search(sentence)),
        "its sentence is too long": len(sentence) > LONGEST_SENTENCE,
        "its sentence holds the number": PHONE[1:] in sentence,
    }
    return [fault for fault, is_so in faults.items() if is_so]


def _of_removal(found: m.Removal, tree: dict[str, Any]) -> dict[str, bool]:
    place = tree["data"] if said(tree, "type") else tree
    place = place if set(place) - {"link", "value", "display_value"} else place.get("value", place)
    ways = [found.selector, *([found.identity] if found.identity else [])]
    texts = [found.requester, found.reason, *([found.ticket.reference, found.ticket.label] if found.ticket else [])]
    texts += [way.value for way in ways]
    return {
        "it is not asked for": said(tree, "type") != "caller.remove" and said(tree, "action") != "disconnect",
        "the conversation is no id": not UUID.fullmatch(found.conversation_id),
        "another conversation": str(said(place, "conversation_id")).lower() != found.conversation_id,
        "the person is not who is named": not all(_is_said(way, place) for way in ways),
        "a text holds what is not seen": any(UNSEEN.search(text) for text in texts),
        "a text is too long": max(map(len, texts)) > 500,
        "a preview was not seen": not found.preview and True in [said(tree, "preview"), said(place, "preview")],
        "another time": not _is_then(found.event_at, said(tree, "timestamp")),
        "who asks is another": found.requester not in [said(place, "requested_by"), said(place, "actor"), ""],
    }


def _is_said(way: m.Selector, place: dict[str, Any]) -> bool:
    match way.kind:
        case m.SelectorKind.PHONE:
            numbers = [re.sub("[^0-9]", "", str(said(place, name)).split("@")[0]) for name in ("caller_phone", "phone")]
            return bool(E164.fullmatch(way.value)) and any(number.startswith(way.value[1:]) for number in numbers)
        case m.SelectorKind.PURPOSE:
            return str(said(place, "purpose")).lower() == way.value
        case m.SelectorKind.ATTRIBUTE:
            given = place.get("attribute") or ""
            pair = f"{given.get('key')}={given.get('value')}" if isinstance(given, dict) else ""
            return way.value in [said(place, "attribute"), pair]
        case _:
            return bool(UUID.fullmatch(way.value)) and str(said(place, IDS[way.kind])).lower() == way.value


def _is_then(event_at: int | None, text: object) -> bool:
    if event_at is None or not isinstance(text, str) or not text:
        return True  # the stamp's
    fraction = re.sub(r"(\.[0-9]{1,6})[0-9]*", r"\1", text)
    return abs(datetime.fromisoformat(fraction.upper().replace(" ", "T")).timestamp() * 1000 - event_at) < 1.5


def said(place: dict[str, Any], name: str) -> object:
    """Return what stands at a name in either spelling, or in the value of a reference there; None for nothing."""
    head, *tail = name.split("_")
    for key in (name, head + "".join(part.capitalize() for part in tail)):
        value = place.get(key)
        if isinstance(value, dict) and "value" in value:
            value = value["value"]
        if value not in (None, ""):
            return value
    return None


def ran(source: Source, numbers: range) -> tuple[Counter[str], list[str]]:
    """Judge the bodies with these numbers; return how often each thing came of one, and the faults."""
    counted, findings = Counter[str](), list[str]()
    for number in numbers:
        try:
            came, faults = judged(source, body_of(number))
        except Exception as fault:  # noqa: BLE001 - whatever is raised but a refusal is what is looked for
            came, faults = "another exception", [repr(fault)]
        counted[came] += 1
        findings += [f"body {number} at {source.terms.name}: {fault}" for fault in faults]
    return counted, findings
