"""What happens in a conversation without any command of ours: people hang up, come back, join, are merged away."""

from collections.abc import Callable
from typing import Final

from service.sandbox import views
from service.sandbox.casting import fill, read_media
from service.sandbox.conversations import Conversation, Participant, World
from service.sandbox.fields import Fields, Unusable

Happened = dict[str, object]
_LONGEST_LAG: Final = 3600
_FIELDS: Final = (
    "event", "participant_id", "name", "participant", "media", "disconnect_type", "lag_seconds", "conversation_id",
)  # fmt: skip


class Events:
    """The events of one world; each answers who is concerned, under the ids that are valid from now on."""

    def __init__(self, world: World) -> None:
        self._world = world

    def happen(self, conversation: Conversation, given: object, at: float) -> Happened:
        """Let one event happen, or raise Unusable and change nothing."""
        fields = Fields(given, "an event", _FIELDS)
        name = fields.text("event", tuple(_EVENTS))
        if name is None:
            raise Unusable(f"an event must be one of {', '.join(_EVENTS)}.")
        return _EVENTS[name](self, conversation, fields, at)

    def hang_up(self, conversation: Conversation, fields: Fields, at: float) -> Happened:
        """Let one participant leave; readers see it at once unless the event names a lag."""
        person = _person(conversation, fields, at)
        lag = fields.number("lag_seconds", 0, _LONGEST_LAG) or 0.0
        stays = self._world.conduct(conversation).alone_stays
        conversation.end(person.legs, at, lag, fields.text("disconnect_type") or "endpoint", alone_stays=stays)
        return _told(conversation, (person.id, person))

    def rejoin(self, conversation: Conversation, fields: Fields, at: float) -> Happened:
        """Let the same person come back under a new participant id."""
        person = _person(conversation, fields, at)
        return _told(conversation, (person.id, self._world.rejoin(conversation, person, at)))

    def join(self, conversation: Conversation, fields: Fields, at: float) -> Happened:
        """Let somebody new come in, described as when a conversation is made."""
        people = fill(conversation, [fields.raw("participant") or {}], at, self._world.new_id)
        return _told(conversation, *((None, person) for person in people))

    def add_leg(self, conversation: Conversation, fields: Fields, at: float) -> Happened:
        """Give the same participant id another leg that is present."""
        person, media = _person(conversation, fields, at), read_media(fields.items("media"))
        person.legs.extend(self._world.new_leg(medium, at) for medium in media)
        return _told(conversation, (person.id, person))

    def replace(self, conversation: Conversation, fields: Fields, at: float) -> Happened:
        """Give a participant another id."""
        person = _person(conversation, fields, at)
        return _told(conversation, (person.id, self._world.replace(conversation, person)))

    def merge(self, conversation: Conversation, fields: Fields, at: float) -> Happened:
        """Move everybody present to another conversation, a new one unless the event names one."""
        named = fields.uuid("conversation_id")
        target = self._world.find(named) or self._world.begin(named, at, conversation.divisions)
        if target is conversation:
            raise Unusable("a conversation cannot be merged with itself.")
        return _told(target, *self._world.merge(conversation, target, at))


_Event = Callable[[Events, Conversation, Fields, float], Happened]
_EVENTS: Final[dict[str, _Event]] = {
    "hangup": Events.hang_up,
    "rejoin": Events.rejoin,
    "join": Events.join,
    "add_leg": Events.add_leg,
    "replace": Events.replace,
    "merge": Events.merge,
}


def _person(conversation: Conversation, fields: Fields, at: float) -> Participant:
    wanted, name = fields.uuid("participant_id"), fields.text("name")
    people = [one for one in conversation.listed(at) if wanted == one.id or (name and name == one.name)]
    if not people:
        raise Unusable("this event needs the participant_id or the name of somebody listed in the conversation.")
    return people[-1]


def _told(conversation: Conversation, *people: tuple[str | None, Participant]) -> Happened:
    told = [{**views.introduction(person), "was": was} for was, person in people]
    return {"conversation_id": conversation.id, "participants": told}
