"""What each kind of source sends, one body of each, for the OpenAPI document: what somebody copies first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from service.sources import presets

Examples = Mapping[str, Mapping[str, object]]

_CONVERSATION: Final = "0f9a1d4e-6a0e-4c2c-8d43-8b7f6c1f2a10"
_PERSON: Final = "3a4b5c6d-1234-5678-9012-34567890abcd"
_CLICKED: Final = "2026-11-20T09:00:00Z"
_OURS: Final[Examples] = {
    "servicenow": {
        "summary": "ServiceNow: the record that asks is told in its work notes.",
        "value": {
            "type": "caller.remove",
            "timestamp": _CLICKED,
            "data": {
                "conversation_id": _CONVERSATION,
                "caller_phone": "+14155550123",
                "table": "incident",
                "sys_id": "9d385017c611228701d22104cc95c371",
                "number": "INC0010112",
                "requested_by": "beth.anglin",
                "reason": "abusive caller",
            },
        },
    },
    "standard": {
        "summary": "Any program that signs by Standard Webhooks.",
        "value": {
            "type": "caller.remove",
            "timestamp": _CLICKED,
            "data": {"conversation_id": _CONVERSATION, "participant_id": _PERSON, "ticket": "OPS-7"},
        },
    },
    "generic": {
        "summary": "The flat form, which every kind takes: nothing but who is to leave what.",
        "value": {
            "conversationId": _CONVERSATION,
            "participantId": _PERSON,
            "action": "disconnect",
            "timestamp": _CLICKED,
        },
    },
}
_OUR_FORMS: Final[Examples] = {
    "slack": {
        "summary": "The slash command of an app in Slack; a click on its button is a form as well.",
        "value": {
            "command": "/remove",
            "text": f"{_CONVERSATION} +14155550123",
            "user_id": "U2CERLKJA",
            "channel_id": "C024BE91L",
            "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        },
    },
}


def examples() -> tuple[Examples, Examples]:
    """Return by kind of source what is sent as JSON, and what is sent as a form; each kind is in one of them."""
    as_json: dict[str, Mapping[str, object]] = dict(_OURS)
    as_form: dict[str, Mapping[str, object]] = dict(_OUR_FORMS)
    for name in sorted(presets.NAMES):
        preset = presets.preset(name)
        body: str = preset.sample["body"].strip()
        is_form = bool(preset.options.get("ask", {}).get("form"))
        value = dict(parse_qsl(body, strict_parsing=True)) if is_form else json.loads(body)
        (as_form if is_form else as_json)[name] = {"summary": f"As {name} sends it.", "value": value}
    return as_json, as_form
