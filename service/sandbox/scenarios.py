"""Named situations to begin with: each a little story with its cast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

PHONE: Final = r"\+[1-9][0-9]{6,14}"
_CALLER: Final = "+14155550123"
_QUEUE: Final = "b4c3a1de-55a0-4c7e-9f5e-0d0a5a1c0001"
_SALES_QUEUE: Final = "b4c3a1de-55a0-4c7e-9f5e-0d0a5a1c0002"

Spec = dict[str, object]

_CUSTOMER: Final[Spec] = {
    "purpose": "customer",
    "name": "Unhappy Caller",
    "address": f"tel:{_CALLER}",
    "ani": f"tel:{_CALLER}",
    "dnis": "tel:+18005550100",
    "external_contact_id": "c0ffee00-1111-4222-8333-444455556666",
    "attributes": {"ticket": "INC0010112"},
    "start_offset_seconds": -120,
}
_ACD: Final[Spec] = {
    "purpose": "acd",
    "name": "Service Desk",
    "queue_id": _QUEUE,
    "ani": f"tel:{_CALLER}",
    "state": "terminated",
    "disconnect_type": "transfer",
    "start_offset_seconds": -118,
    "end_offset_seconds": -95,
}
_BETH: Final[Spec] = {
    "purpose": "agent",
    "name": "Beth Anglin",
    "address": "sip:beth.anglin@agents.example",
    "ani": f"tel:{_CALLER}",
    "user_id": "be700000-0000-4000-8000-00000000be70",
    "queue_id": _QUEUE,
    "start_offset_seconds": -95,
}
_OMAR: Final[Spec] = {
    "purpose": "agent",
    "name": "Omar Haddad",
    "address": "sip:omar.haddad@agents.example",
    "ani": f"tel:{_CALLER}",
    "user_id": "03a00000-0000-4000-8000-0000000003a0",
    "queue_id": _QUEUE,
    "start_offset_seconds": -60,
}
_EXTERNAL: Final[Spec] = {
    "purpose": "external",
    "name": "Field Engineer",
    "address": "tel:+493012345678",
    "start_offset_seconds": -30,
}


_INES: Final[Spec] = {
    "purpose": "agent",
    "name": "Ines Duarte",
    "address": "sip:ines.duarte@agents.example",
    "user_id": "19e50000-0000-4000-8000-0000000019e5",
    "start_offset_seconds": -25,
}
_GONE: Final[Spec] = {"state": "terminated", "end_offset_seconds": -20}
_WRITES: Final[Spec] = {"address": None, "ani": None, "dnis": None}
_CALLERS_NAME: Final = "Unhappy Caller"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A cast with a name: one sentence for people, and the participants and switches in the words of the control."""

    sentence: str
    cast: Sequence[Spec]
    divisions: Sequence[Mapping[str, str]] = ()
    switches: Mapping[str, object] = field(default_factory=dict)


def _after_a_look(event: str, **more: str) -> dict[str, object]:
    """Return switches that let something happen right after the next look."""
    return {"answers": [{"on": "look", "then": {"event": event, **more}}]}


SCENARIOS: Final = {
    "conference": Scenario(
        "Four voices in one call: the caller, the agents Beth and Omar, an outside engineer; the queue leg is over.",
        (_CUSTOMER, _ACD, _BETH, _OMAR, _EXTERNAL),
    ),
    "pair": Scenario("The caller and one agent: when one leaves, the call is over.", (_CUSTOMER, _ACD, _BETH)),
    "starting": Scenario("Nobody is listed yet, until a join event adds somebody.", ()),
    "arriving": Scenario(
        "A call that has just begun: the caller is listed after one second, has a leg after two, and Beth after three.",
        (
            _CUSTOMER | {"start_offset_seconds": 1, "legs_after_seconds": 1},
            _BETH | {"start_offset_seconds": 3},
        ),
    ),
    "queued": Scenario(
        "The caller has been through the menu and waits in the queue; nobody has answered, and the queue is present.",
        (
            _CUSTOMER,
            _ACD | {"purpose": "ivr", "name": "Main Menu", "queue_id": None},
            _ACD | {"state": "connected", "start_offset_seconds": -90},
        ),
    ),
    "ringing": Scenario(
        "The caller waits while Beth's phone rings; she answers after five seconds.",
        (_CUSTOMER, _ACD, _BETH | {"state": "alerting", "connects_after_seconds": 5, "start_offset_seconds": 0}),
    ),
    "dialed": Scenario(
        "A campaign rings somebody up: the customer's phone rings, and Beth waits to speak.",
        (
            {"purpose": "dialer", "name": "Winter Campaign", "start_offset_seconds": -20},
            _CUSTOMER | {"state": "dialing", "connects_after_seconds": 8, "start_offset_seconds": -4},
            _BETH | {"start_offset_seconds": -20},
        ),
    ),
    "twice": Scenario(
        "Beth stands there twice: once as an alert she did not answer, once present.",
        (
            _CUSTOMER,
            _ACD,
            _BETH
            | {"answered": False, "disconnect_type": "transfer.noanswer", "state": "terminated"}
            | {"end_offset_seconds": -70},
            _BETH | {"start_offset_seconds": -50},
            _OMAR,
        ),
    ),
    "transferred": Scenario(
        "Beth passed the caller on to Omar and is still wrapping up; two people talk.",
        (
            _CUSTOMER,
            _ACD,
            _BETH | _GONE | {"disconnect_type": "transfer"},
            _OMAR | {"start_offset_seconds": -20},
        ),
    ),
    "monitored": Scenario(
        "The caller talks with Beth while Ines, her supervisor, listens in unheard.",
        (_CUSTOMER, _ACD, _BETH, _INES | {"media_roles": ["monitor"], "monitors": "Beth Anglin"}),
    ),
    "coached": Scenario(
        "The caller talks with Beth while Ines whispers to her; the caller does not hear it.",
        (_CUSTOMER, _ACD, _BETH, _INES | {"media_roles": ["coach"], "coaches": "Beth Anglin"}),
    ),
    "barged": Scenario(
        "Ines, the supervisor, broke into Beth's call and speaks with everybody.",
        (_CUSTOMER, _ACD, _BETH, _INES | {"media_roles": ["barge"], "barges_in_on": "Beth Anglin"}),
    ),
    "consult": Scenario(
        "The caller is on hold while Beth asks Omar for advice, before she may transfer the call to him.",
        (_CUSTOMER | {"held": True}, _ACD, _BETH, _OMAR | {"consults_about": _CALLERS_NAME}),
    ),
    "crowd": Scenario(
        "A bridge of twenty people, as many as one conversation takes: the caller, Beth, and eighteen from outside.",
        (
            _CUSTOMER,
            _BETH,
            *(
                _EXTERNAL | {"name": f"Engineer {number}", "address": f"tel:+4930123456{number:02}"}
                for number in range(1, 19)
            ),
        ),
    ),
    "anonymous": Scenario(
        "A caller whose number nobody knows, in a conference: only the participant or the contact can be named.",
        (
            _CUSTOMER | _WRITES | {"address": "sip:anonymous@anonymous.invalid", "name": "Anonymous"},
            _ACD | {"ani": None},
            _BETH | {"ani": None},
            _OMAR | {"ani": None},
        ),
    ),
    "softphones": Scenario(
        "Everybody has a SIP address: the caller's carries his number, a partner's is only a name.",
        (
            _CUSTOMER
            | {"address": f"sip:{_CALLER}@carrier.example;user=phone", "ani": f"sip:{_CALLER}@carrier.example"},
            _BETH | {"ani": f"sip:{_CALLER}@carrier.example"},
            _EXTERNAL
            | {"name": "Partner Desk", "address": "sip:desk@partner.example", "ani": "sip:desk@partner.example"},
        ),
    ),
    "namesakes": Scenario(
        "Two colleagues called in from one office: the same number twice, so a number alone names nobody.",
        (
            _CUSTOMER,
            _CUSTOMER
            | {"name": "Quiet Colleague", "external_contact_id": "c0ffee00-2222-4222-8333-444455556666"}
            | {"attributes": {"ticket": "INC0010113"}},
            _ACD,
            _BETH,
        ),
    ),
    "messages": Scenario(
        "The customer writes messages to Beth; nobody speaks.",
        (_CUSTOMER | _WRITES | {"media": ["message"]}, _BETH | {"media": ["message"]}),
    ),
    "email": Scenario(
        "The customer wrote an email, and Beth parked it for later.",
        (
            _CUSTOMER | _WRITES | {"media": ["email"], "address": "unhappy.caller@customer.example"},
            _BETH | {"media": ["email"], "ani": None, "state": "parked"},
        ),
    ),
    "callback": Scenario(
        "The customer asked to be called back, and Beth has the callback on her list.",
        (
            _CUSTOMER | {"media": ["callback"], "state": "scheduled"},
            _BETH | {"media": ["callback"], "state": "alerting", "start_offset_seconds": -5},
        ),
    ),
    "mixed": Scenario(
        "A conference whose caller also writes messages: one person on two media.",
        (_CUSTOMER | {"media": ["call", "message"]}, _BETH | {"media": ["call", "message"]}, _OMAR),
    ),
    "everything": Scenario(
        "The caller and Beth talk, see each other, share a screen and browse together; Ines watches Beth's screen.",
        (
            _CUSTOMER | {"media": ["call", "video", "screenshare", "cobrowsesession"]},
            _BETH | {"media": ["call", "video", "screenshare", "cobrowsesession"]},
            _INES | {"media": ["screenMonitoring"], "media_roles": ["monitor"], "monitors": "Beth Anglin"},
        ),
    ),
    "sales": Scenario(
        "The same conference, of the sales queue and in the division Sales.",
        (
            _CUSTOMER | {"queue_id": None},
            _ACD | {"name": "Sales", "queue_id": _SALES_QUEUE},
            _BETH | {"queue_id": _SALES_QUEUE},
            _OMAR | {"queue_id": _SALES_QUEUE},
        ),
        divisions=({"id": "5a1e5000-0000-4000-8000-000000000002", "name": "Sales"},),
    ),
    "ended": Scenario(
        "Everybody has hung up; the conversation can still be read.",
        (_CUSTOMER | _GONE | {"disconnect_type": "endpoint"}, _ACD, _BETH | _GONE | {"disconnect_type": "peer"}),
    ),
    "returned": Scenario(
        "The caller hung up twenty seconds ago and has called again: gone under the first id, present under another.",
        (
            _CUSTOMER | _GONE | {"disconnect_type": "endpoint"},
            _ACD,
            _BETH,
            _OMAR,
            _CUSTOMER | {"start_offset_seconds": -8},
        ),
    ),
    "leaving": Scenario(
        "The caller is about to hang up: it happens right after the next look.",
        (_CUSTOMER, _ACD, _BETH, _OMAR),
        switches=_after_a_look("hangup", name=_CALLERS_NAME),
    ),
    "reentering": Scenario(
        "The caller is about to drop out and come back at once: right after the next look he has another id.",
        (_CUSTOMER, _ACD, _BETH, _OMAR),
        switches=_after_a_look("rejoin", name=_CALLERS_NAME),
    ),
    "replaced": Scenario(
        "The caller's id is about to become void: right after the next look the same person is listed under another.",
        (_CUSTOMER, _ACD, _BETH, _OMAR),
        switches=_after_a_look("replace", name=_CALLERS_NAME),
    ),
    "merging": Scenario(
        "Beth is about to merge this call into another: right after the next look everybody is there, under new ids.",
        (_CUSTOMER, _ACD, _BETH, _EXTERNAL),
        switches=_after_a_look("merge"),
    ),
    "lagging": Scenario(
        "A conference in a slow org: whoever leaves is still shown as connected for five seconds.",
        (_CUSTOMER, _ACD, _BETH, _OMAR),
        switches={"lag_seconds": 5},
    ),
    "stubborn": Scenario(
        "A conference in which commands are accepted and nothing happens.",
        (_CUSTOMER, _ACD, _BETH, _OMAR),
        switches={"lost": True},
    ),
}


def cast_of(name: str, caller_phone: str | None) -> list[object]:
    """Return a scenario's participants in the words of the control, with another caller if one is given."""
    if caller_phone is None:
        return list(SCENARIOS[name].cast)
    return [
        {key: value.replace(_CALLER, caller_phone) if isinstance(value, str) else value for key, value in spec.items()}
        for spec in SCENARIOS[name].cast
    ]
