"""Actions, sends and conversations to decide about; each says only what its case is about, the rest is ordinary."""

from dataclasses import replace

from service.core import model as m
from service.core.rules import situation_of
from service.core.selection import View
from service.core.situation import Situation

NOW = 1_800_000_000_000
ORG = "main"
ACTION = f"{ORG}.01jd3q8v5k6m7n8p9q0r1s2t3v"
SEND_SECONDS = 2.0  # how long a marked send may leave

CONVERSATION = "0c0c0c0c-0000-4000-8000-000000000001"
CALLER = "aaaaaaaa-0000-4000-8000-000000000001"
AGENT = "bbbbbbbb-0000-4000-8000-000000000002"
SUPERVISOR = "bbbbbbbb-0000-4000-8000-000000000003"
OTHER = "cccccccc-0000-4000-8000-000000000004"
PHONE = "+14155550123"

BARE = None  # a mark that nobody answered
ACCEPTED, UNCLEAR = m.AnswerKind.ACCEPTED, m.AnswerKind.UNCLEAR
FOR_NOW, FOR_GOOD = m.AnswerKind.REFUSED_FOR_NOW, m.AnswerKind.REFUSED_FOR_GOOD
KINDS: tuple[m.AnswerKind | None, ...] = (BARE, ACCEPTED, UNCLEAR, FOR_NOW, FOR_GOOD)

# the grounds of policy.py
POLICY = "requester queue division purpose supervisor last_pair"
# every way in which the table ends an action; held against the table in test_rules, against the words in test_wording
ENDINGS: frozenset[tuple[m.OutcomeKind, str]] = frozenset(
    (kind, reason)
    for kind, reasons in {
        m.OutcomeKind.DISCONNECTED: "confirmed",
        m.OutcomeKind.ALREADY_GONE: "gone",
        m.OutcomeKind.NOT_FOUND: "conversation participant",
        m.OutcomeKind.REFUSED: f"ambiguous contradictory requester_rate {POLICY}",
        m.OutcomeKind.EXPIRED: "late paused runaway busy genesys_unreachable",
        m.OutcomeKind.FAILED: f"forbidden rejected genesys_refused no_effect poison {POLICY}",
        m.OutcomeKind.UNKNOWN: "cannot_see conversation_not_found participant_lost poison",
        m.OutcomeKind.PREVIEWED: "preview shadow",
    }.items()
    for reason in reasons.split()
)

BY_ID = m.Selector(m.SelectorKind.PARTICIPANT_ID, CALLER)
BY_PHONE = m.Selector(m.SelectorKind.PHONE, PHONE)
PIN = m.Target(CALLER, ("voice-1",), "customer", m.Medium.VOICE)


def leg(id_: str = "voice-1", state: str = "connected", medium: m.Medium = m.Medium.VOICE) -> m.Leg:
    """A communication that has ended if its state says so."""
    return m.Leg(id_, medium, state, is_ended=state in {"disconnected", "terminated"})


def person(
    id_: str = CALLER,
    purpose: str = "customer",
    *legs: m.Leg,
    phone: str | None = None,
    user_id: str = "",
    contact: str = "",
    joined_at: int = 0,
    has_ended: bool = False,
) -> m.Participant:
    """A participant, connected by voice unless other legs are given."""
    return m.Participant(id_, purpose, legs or (leg(),), user_id, contact, phone, has_ended, joined_at)


def legless(one: m.Participant) -> m.Participant:
    """The same, before any leg of it is listed."""
    return replace(one, legs=())


def gone(one: m.Participant) -> m.Participant:
    """The same, after all its legs ended."""
    return replace(one, legs=tuple(replace(it, state="terminated", is_ended=True) for it in one.legs))


CALLER_THERE = person(phone=PHONE)
CALLER_GONE = gone(CALLER_THERE)
CALLER_BACK = person(CALLER, "customer", leg("voice-1", "terminated"), leg("voice-9"), phone=PHONE)
AGENT_THERE = person(AGENT, "agent", leg("voice-2"), user_id="eeeeeeee-0000-4000-8000-000000000005")
SUPERVISOR_THERE = person(SUPERVISOR, "user", leg("voice-3"), user_id="eeeeeeee-0000-4000-8000-000000000006")
OTHER_THERE = person(OTHER, "customer", leg("voice-4"), phone=PHONE)


def conversation(*people: m.Participant) -> m.Conversation:
    """A look that could read the conversation."""
    return m.Conversation(CONVERSATION, people)


TALK = conversation(CALLER_THERE, AGENT_THERE, SUPERVISOR_THERE)
NOT_FOUND = m.NotFound(m.Reply(404, "not.found"))
FORBIDDEN = m.Forbidden(m.Reply(403, "missing.permissions", "", "corr-403"))
CANNOT_SEE = m.CannotSee(m.Reply(503))
REJECTED = m.NoSight(m.Reply(401, "authentication.required"))

# One sight for each view; for those in WITHOUT_PIN nobody is pinned yet.
SIGHTS: dict[View, m.Sight | None] = {
    View.UNSEEN: None,
    View.CANNOT_SEE: CANNOT_SEE,
    View.NO_LEGS: conversation(legless(CALLER_THERE), AGENT_THERE),
    View.FORBIDDEN: FORBIDDEN,
    View.REJECTED: REJECTED,
    View.NO_CONVERSATION: NOT_FOUND,
    View.NOBODY: conversation(AGENT_THERE, SUPERVISOR_THERE),
    View.ONLY_GONE: conversation(CALLER_GONE, AGENT_THERE, SUPERVISOR_THERE),
    View.SEVERAL: conversation(CALLER_THERE, OTHER_THERE, AGENT_THERE),
    View.UNLISTED: conversation(AGENT_THERE, SUPERVISOR_THERE),
    View.GONE: conversation(CALLER_GONE, AGENT_THERE, SUPERVISOR_THERE),
    View.BACK: conversation(CALLER_BACK, AGENT_THERE, SUPERVISOR_THERE),
    View.PRESENT: TALK,
}
WITHOUT_PIN = frozenset({View.NOBODY, View.ONLY_GONE, View.SEVERAL})


def send(number: int, kind: m.AnswerKind | None, ago_seconds: float, now: int = NOW) -> m.Send:
    """A send that was marked `ago_seconds` before `now` and answered in the same moment, unless it is a bare mark."""
    marked_at = now - round(ago_seconds * 1000)
    reply = m.Reply(
        202 if kind is ACCEPTED else 409, "" if kind is ACCEPTED else "general.conflict", "", f"corr-{number}"
    )
    answer = None if kind is None else m.Answer(kind, reply, marked_at)
    return m.Send(number, marked_at, marked_at + round(SEND_SECONDS * 1000), answer)


def sent(*kinds: m.AnswerKind | None, ago: float = 0.0, apart: float = 8.0) -> tuple[m.Send, ...]:
    """Sends of these kinds, the last `ago` seconds ago, each `apart` seconds before the next."""
    last = len(kinds)
    return tuple(send(number, kind, ago + apart * (last - number)) for number, kind in enumerate(kinds, start=1))


def action(
    *sends: m.Send,
    selector: m.Selector = BY_PHONE,
    identity: m.Selector | None = None,
    medium: m.Medium | None = None,
    preview: bool = False,
    left: float = 60.0,
    lapses: int = 0,
    progress: m.Progress | None = None,
    requester: str = "",
) -> m.Action:
    """An action whose not-after lies `left` seconds after NOW."""
    removal = m.Removal(CONVERSATION, selector, identity, medium, preview=preview, requester=requester)
    not_after = NOW + round(left * 1000)
    clicked_at = not_after - 120_000
    return m.Action(
        ACTION,
        ORG,
        "desk",
        removal,
        received_at=clicked_at,
        clicked_at=clicked_at,
        not_after=not_after,
        sends=sends,
        progress=progress or m.Progress(),
        lapses=lapses,
    )


def progress_for(view: View, progress: m.Progress | None = None) -> m.Progress:
    """The progress under which the sight of `view` is that view: pinned, where the view asks for it."""
    return replace(progress or m.Progress(), pin=None if view in WITHOUT_PIN else PIN)


def absent(view: View, ago_seconds: float) -> m.Progress:
    """The progress of an action that has found nobody, in the way of `view`, since `ago_seconds`."""
    kind = m.Absence.CONVERSATION if view is View.NO_CONVERSATION else m.Absence.PARTICIPANT
    return progress_for(view, m.Progress(absence=kind, absent_at=NOW - round(ago_seconds * 1000)))


def seen(
    view: View,
    *sends: m.Send,
    terms: m.Terms | None = None,
    progress: m.Progress | None = None,
    preview: bool = False,
    left: float = 60.0,
    lapses: int = 0,
) -> Situation:
    """The situation of an action, as `action` makes it, when a look has just shown `view`."""
    progress = progress_for(view, progress)
    asked = action(*sends, preview=preview, left=left, lapses=lapses, progress=progress)
    found = situation_of(asked, SIGHTS[view], terms or m.Terms(), NOW)
    assert found.selection.view is view
    return found
