"""Who is present follows from who left: nobody is dropped who should stay, and nobody stays alone."""

from service.sandbox.conversations import Conversation, Leg, Participant


def _person(purpose: str, *media: str, at: float = 0.0) -> Participant:
    legs = [Leg(f"{purpose}-{medium}", medium, at, at) for medium in media]
    return Participant(purpose, purpose, at, legs=legs)


def _present(conversation: Conversation, at: float) -> list[str]:
    return [person.id for person in conversation.participants if person.is_present(at)]


def test_a_queue_that_leaves_takes_nobody_along() -> None:
    """A system leg that ends leaves the caller waiting."""
    caller, queue = _person("customer", "call"), _person("acd", "call")
    conversation = Conversation("c", 0, [caller, queue])
    assert conversation.end(queue.legs, 1, 0, "transfer")
    assert _present(conversation, 1) == ["customer"]


def test_a_queue_does_not_outlive_its_caller() -> None:
    """When the only person leaves, the queue's leg ends with `peer`."""
    caller, queue = _person("customer", "call"), _person("acd", "call")
    conversation = Conversation("c", 0, [caller, queue])
    conversation.end(caller.legs, 1, 0, "client")
    assert _present(conversation, 1) == []
    assert queue.legs[0].disconnect_type == "peer"


def test_a_person_on_another_medium_has_not_left() -> None:
    """Ending one of two media leaves the person, and the partner, where they are."""
    caller, agent = _person("customer", "call", "message"), _person("agent", "call", "message")
    conversation = Conversation("c", 0, [caller, agent])
    conversation.end(caller.legs_of("call"), 1, 0, "client")
    assert _present(conversation, 1) == ["customer", "agent"]


def test_ending_twice_changes_nothing() -> None:
    """What has ended keeps its moment and its reason."""
    caller = _person("customer", "call")
    conversation = Conversation("c", 0, [caller])
    assert conversation.end(caller.legs, 1, 2, "client")
    assert not conversation.end(caller.legs, 5, 0, "peer")
    leg = caller.legs[0]
    assert (leg.ended_at, leg.seen_ended_at, leg.disconnect_type) == (1, 3, "client")


def test_state_is_a_function_of_time() -> None:
    """A leg rings, connects, is disconnected when readers may know, and is terminated a moment later."""
    leg = Leg("x", "call", 0, 5)
    leg.end(10, 12, "client")
    moments = {0: "alerting", 5: "connected", 11: "connected", 12: "disconnected", 12.5: "terminated"}
    assert {at: leg.state(at) for at in moments} == moments
    assert (leg.is_present(9), leg.is_present(10)) == (True, False)


def test_somebody_expected_later_is_not_there_yet() -> None:
    """A participant whose time has not come is neither listed nor found, and outlives the others."""
    caller, agent, late = _person("customer", "call"), _person("agent", "call"), _person("external", "call", at=9)
    conversation = Conversation("c", 0, [caller, agent, late])
    assert conversation.find("external", 8) is None
    conversation.end(caller.legs, 1, 0, "client")
    assert _present(conversation, 8) == []
    assert _present(conversation, 9) == ["external"]
