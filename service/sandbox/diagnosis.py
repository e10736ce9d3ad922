"""What a call to Genesys Cloud is, what it does, and what to call instead: one table for whoever read it in a forum.

Each statement says on what it rests: *vendor* (the vendor's SDK has it, or has no such thing), *seen live* (public
client code relies on it), *reported only* (somebody wrote that it happened). No live org was asked. The first row that
fits counts. Imports nothing of ours, raises nothing, whatever it is asked about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote_plus

_PREFIX: Final = "/api/v2/conversations"
_ID: Final = r"[^/]+"
_MEDIA: Final = "(calls|callbacks|emails|messages|cobrowsesessions)"
_FORMER: Final = "(chats?|videos?|screenshares?|socials?|socialexpressions|internalmessages?|screenmonitorings?)"
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_EXAMPLE: Final = "3a4b5c6d-1234-5678-9012-34567890abcd"
_SHOWN: Final = 64  # characters of what was sent; a header has to hold it
_REMARKS: Final = 3  # about ids; so many tell what is wrong with the rest
_BODY_READ: Final = 20_000  # characters; what removes one participant has twenty-four
_NAMED: Final = re.compile(r"(conversation|participant|communication|user)_?ids?", re.IGNORECASE)
_MADE_UP: Final = "conversations|conferences|phone|voice"
# where an id stands in a path: after a fixed word, or right after the prefix
_PLACES: Final = (
    (re.compile(rf"{_PREFIX}/(?:(?:{_MEDIA}|{_FORMER}|{_MADE_UP})/)?(?P<id>[^/]+)"), "conversation"),
    (re.compile(r"/participants/(?P<id>[^/]+)"), "participant"),
    (re.compile(r"/communications/(?P<id>[^/]+)"), "communication"),
    (re.compile(r"/user/(?P<id>[^/]+)"), "user"),
)
# what else may stand there
_WORDS: Final = re.compile(rf"{_MEDIA}|{_FORMER}|{_MADE_UP}|participants")

_PATCH: Final = "PATCH /api/v2/conversations/{conversationId}/participants/{participantId}"
_ONE: Final = (
    "GET /api/v2/conversations/{conversationId}, take the id of the one participant who is present there, then "
    f'{_PATCH} with {{"state":"disconnected"}} and nothing else. 202 means accepted, not done: GET again until the '
    "participant is gone."
)
_NO_SUCH_CALL: Final = "The vendor's SDK has no such call; what is not there is answered 404."
_EVERYONE: Final = "It drops everyone from the conversation"
_LIST: Final = r'"participants?(Ids?)?"\s*:'
_COMMANDS: Final = "muted|held|confined|recording|wrapup|wrapupSkipped"
_INVENTED: Final = "action|participants|participantIds?|status|reason|force"
_SCOPES: Final = (
    "conversation:call:write", "conversations:write", "conversation:participant:write", "conference:control",
    "admin:conversation",
)  # fmt: skip
_PERMISSIONS: Final = "conversation:communication:view and conversation:communication:disconnect"


class Ground(StrEnum):
    """On what a statement rests."""

    VENDOR = "vendor"
    SEEN_LIVE = "seen live"
    REPORTED = "reported only"


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of call.

    Attributes:
        method, path, body: patterns; the path is fitted whole, the body is searched, and an empty one fits any.
        what: what was tried.
        does: what it does, on `ground`.
        status, answer: what a report from the field got, word for word; that is reported only.
        tells: what such an answer tells all the same.
        is_right: there is nothing to mend; the other calls are explained where the sandbox answers them.
    """

    name: str
    method: str
    path: str
    what: str
    does: str
    right: str = _ONE
    body: str = ""
    ground: Ground = Ground.VENDOR
    status: int = 0
    answer: str = ""
    tells: str = ""
    is_right: bool = False

    def fits(self, method: str, path: str, body: str) -> bool:
        """Whether the row is for this call."""
        return bool(re.fullmatch(self.method, method) and re.fullmatch(self.path, path) and re.search(self.body, body))


def _at(path: str) -> str:
    return re.escape(_PREFIX) + path.replace("{id}", _ID).replace("{medium}", _MEDIA).replace("{former}", _FORMER)


_WRITES: Final = "POST|PUT|PATCH|DELETE"
_ONE_OF_THEM: Final = _at("(/{medium})?/{id}/participants/{id}(/user/{id}|/communications/{id})?")
ELSEWHERE: Final = "elsewhere"
_ANYTHING: Final = "(?s:.*)"  # so that nothing is left without a row
TABLE: Final = (
    Row(
        "invented-scope", "GET|POST", "/oauth/(token|authorize)",
        "You asked for an OAuth scope that does not exist.",
        f"None of {', '.join(_SCOPES)} exists. The scopes for conversations are conversations and "
        "conversations:readonly, and they are for grants of a user. No scope applies to client credentials: there the "
        "roles of the OAuth client count, in their divisions.",
        f"Give the OAuth client a role with {_PERMISSIONS}, in the divisions of the conversations, and ask for a token "
        "with grant_type=client_credentials and no scope.",
        body="|".join(rf"(?<![\w:]){re.escape(scope)}(?![\w:])" for scope in _SCOPES),
    ),
    Row(
        "scope-for-a-client", "POST", "/oauth/token",
        "You asked for scopes with client credentials.",
        "Scopes do not apply to client credentials: the roles of the OAuth client count, in their divisions.",
        f"Give the OAuth client a role with {_PERMISSIONS}; send grant_type=client_credentials and no scope.",
        body=r"\bscope\b",
    ),
    Row(
        "token", "POST", "/oauth/token",
        "This is how a client gets its token.",
        "It answers an access_token for expires_in seconds; there is no refresh token. What a token of client "
        "credentials may do is said by the roles of the client.",
        "POST https://login.{domain}/oauth/token with HTTP Basic and the form grant_type=client_credentials.",
        is_right=True,
    ),
    Row(
        "everyone-named", "POST", _at("/{id}/disconnect"),
        "You tried to remove one participant by the call that ends the conversation.",
        f"{_EVERYONE}, whoever is named in the body, and puts a system wrap-up code on the agents. It takes no "
        "participant.",
        body=_LIST, status=409,
        answer='{"message":"Cannot disconnect participant p-12345678-90ab-cdef-1234-567890abcdef: Participant is not '
        'in a disconnectable state","errors":[]}',
        tells="Be glad that it refused: this call is about everyone. Waiting changes nothing, and ids of Genesys carry "
        "no “p-”. Read the conversation again: who is gone is gone; who is present can be removed by a PATCH of the "
        "participant, tried again after a 409 a few times at most.",
    ),
    Row(
        "everyone-post", "POST", _at("/{id}/disconnect"),
        "You tried to end the conversation.",
        f"{_EVERYONE}, and puts a system wrap-up code on the agents.",
    ),
    Row("everyone-delete", "DELETE", _at("/{id}"), "You tried to delete the conversation.", f"{_EVERYONE}."),
    Row(
        "update-and-disconnect", _WRITES, _at("/conversations/{id}"),
        "You tried to change the whole conversation with a list of all its participants.",
        f"{_NO_SUCH_CALL} The word conversations stands twice in the path, and no call takes a list with actions.",
        body=r'"action"\s*:\s*"update"', status=400,
        answer="an error about conflicting actions",
        tells="One call changes one participant, whose id stands in the path. There are no actions to combine.",
    ),
    Row(
        "conversation-twice", _WRITES, _at("/conversations/{id}"),
        "You tried to change the whole conversation with a participant in the body.",
        f"{_NO_SUCH_CALL} The word conversations stands twice in the path, and a participant in the body of a call on "
        "the conversation picks nobody.",
        status=204, answer="success, and the call ended for everyone",
        tells="What is addressed is the whole conversation, so the whole conversation may be what ends. Only a path "
        "that goes on with /participants/{participantId} is about one of them. Look at the others afterwards.",
    ),
    Row(
        "list-on-the-call", "PATCH", _at("/{medium}/{id}"),
        "You tried to remove one participant by changing the whole call, with a list of participants in the body.",
        "The call exists, but not for one participant: with a state of disconnected it drops everyone. There is no "
        "action, and a list of participants in the body picks nobody.",
        body=_LIST, status=409, answer="Participant is not in the conversation.",
        tells="A participant id is valid in its own conversation only, and an id of your own system is none: read the "
        "conversation and take the id of the participant who is present there.",
    ),
    Row(
        "everyone-on-a-medium", "PATCH", _at("/{medium}/{id}"),
        "You tried to end the whole call.", "It drops everyone.", body=r'"state"\s*:\s*"disconnected"',
    ),
    Row(
        "whole-medium", "PATCH", _at("/{medium}/{id}"),
        "You tried to change the whole call.", "It is about everyone; with a state of disconnected it drops them all.",
    ),
    Row(
        "whole-conversation", "PATCH", _at("/{id}"),
        "You tried to change the conversation itself.", f"{_NO_SUCH_CALL} Its participants are changed, one at a time.",
    ),
    Row(
        "phone", ".*", _at("/phone(/.*)?"),
        "You tried a path under /phone/.",
        f"{_NO_SUCH_CALL} A voice call is under /calls/, or under no medium at all; the id of the conversation must "
        "stand in the path, the verb is PATCH, and the field is state, not status.",
        status=404,
        tells="Here it is the path. Reports name more that ends in a 404: an id that was read too long ago, the wrong "
        "medium, a leg that is no participant of the bridge, a caller who hung up at that moment, a conversation that "
        "the last participant had left. So read the conversation again: whoever is gone needs no call.",
    ),
    Row(
        "voice", ".*", _at("/voice(/.*)?"),
        "You tried a path under /voice/.",
        f"{_NO_SUCH_CALL} A voice call is under /calls/, or under no medium at all, and the id of the conversation "
        "must stand in the path.",
        status=409,
        answer='{"code":"conflict","message":"The requested action cannot be completed because of the current state of '
        'the resource."}',
        tells="The sentence is about a state in flux: a desktop may still show somebody as active, state lags a click "
        "by some hundred milliseconds, and clicks repeat. Look first, and call nothing for somebody who is gone; for "
        "somebody present try again, a few times at most.",
    ),
    Row(
        "conferences", ".*", _at("/conferences(/.*)?"),
        "You tried a path under /conferences/.",
        f"{_NO_SUCH_CALL} A conference is a conversation with more than two people in it.",
    ),
    Row(
        "list-of-participants", "GET|PATCH", _at("/{id}/participants"),
        "You tried to address the list of participants.",
        f"{_NO_SUCH_CALL} They are read with the conversation and changed one at a time.",
    ),
    Row(
        "participant-disconnect", "POST", _at("/{id}/participants/{id}/disconnect"),
        "You tried a disconnect below the participant.",
        f"{_NO_SUCH_CALL} It stood in one release, of 4 October 2023.",
    ),
    Row(
        "wrong-verb", "PUT|DELETE", _at("(/{medium}|/{former})?/{id}/participants/{id}"),
        "You tried to remove the participant with the wrong verb.",
        f"{_NO_SUCH_CALL} The verb is PATCH, and the body says what is to become of the participant.",
    ),
    Row(
        "medium-without-a-call", "PATCH", _at("/{former}/{id}/participants/{id}(/communications/{id})?"),
        "You tried to remove a participant by a medium that has no such call.",
        "The vendor's SDK has no such call any more: chats, videos, screen shares, social and internal messages are "
        "left by the call without a medium.",
    ),
    Row(
        "invented-body", "PATCH", _ONE_OF_THEM,
        "You tried the right path with fields that do not exist.",
        "There is no action, participants, status, reason or force in this body; what removes somebody is the state.",
        body=rf'"({_INVENTED})"\s*:',
    ),
    Row(
        "several-commands", "PATCH", _ONE_OF_THEM,
        "You tried the right path with more than the state in the body.",
        f"Every other property that is set ({_COMMANDS.replace('|', ', ')}) is a command of its own.",
        body=rf'"({_COMMANDS})"\s*:',
    ),
    Row(
        "one-participant", "PATCH", _at("/{id}/participants/{id}"),
        "This is the call that removes one participant, whatever the medium.",
        "It answers 202 with an empty body, and does it afterwards, if at all: only looking again tells. Somebody who "
        "is gone already may be answered 202 as well.",
        ground=Ground.SEEN_LIVE, is_right=True,
    ),
    Row(
        "one-participant-of-a-medium", "PATCH", _at("/{medium}/{id}/participants/{id}"),
        "This removes one participant, by medium.",
        "It answers 202 with an empty body. For calls the vendor's last published list of errors has 400 not.a.user "
        "(needs a user context), which a token of client credentials may meet; for the call without a medium it "
        "does not.",
        is_right=True,
    ),
    Row(
        "on-behalf", "PATCH", _at("/calls/{id}/participants/{id}/user/{id}"),
        "This removes one participant from a call on behalf of a user.",
        "It answers 202 with an empty body.",
        is_right=True,
    ),
    Row(
        "one-leg", "PATCH", _at("/{medium}/{id}/participants/{id}/communications/{id}"),
        "This ends one leg of one participant.",
        "It answers 200 with {} and leaves wrap-up alone. The vendor's last published list of errors has 400 "
        "not.a.user here (needs a user context), which a token of client credentials may meet.",
        is_right=True,
    ),
    Row(
        "look", "GET", _at("/{id}"),
        "This reads the conversation.",
        "A participant has no state of its own here: it is present while one of its legs is neither disconnected nor "
        "terminated, and no endTime is set. An ended conversation can be read for at least two weeks.",
        ground=Ground.SEEN_LIVE, is_right=True,
    ),
    Row(
        "look-at-a-medium", "GET", _at("/{medium}/{id}"),
        "This reads one medium of the conversation.",
        "Its participants have a state, and there are no communication ids; those are in the view without a medium.",
        is_right=True,
    ),
    Row(
        ELSEWHERE, _ANYTHING, _ANYTHING,
        "You tried a call that this table does not know.",
        "Nothing is claimed about it. It is none of those that the vendor has for removing one participant.",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is to say about one call.

    Attributes:
        row: the kind of call.
        right: the right call, with the ids that were sent where they can be ids.
        webhook: the body of the webhook that asks Onhook to do it; "" where the call is not about a conversation.
        remarks: about the ids that were sent.
    """

    row: Row
    right: str
    webhook: str
    remarks: tuple[str, ...] = ()

    @property
    def seen(self) -> str:
        """What a report got and what that tells, or ""."""
        row = self.row
        return f"Why you saw {row.status} is not confirmed; this tells you: {row.tells}" if row.status else ""

    @property
    def line(self) -> str:
        """All of it in one line of ASCII, fit for a header."""
        said = f"{self.row.what} {self.row.does} [{self.row.ground}] {' '.join(self.remarks)} Right: {self.right}"
        return " ".join(said.translate(_ASCII).encode("ascii", "replace").decode().split())


_ASCII: Final = str.maketrans({"“": '"', "”": '"', "…": "...", "–": "-", "’": "'"})


def explain(method: str, path: str, body: str = "") -> Diagnosis:
    """Return what a call is, what it does and what to do instead; total, whatever is asked.

    Args:
        method: the HTTP verb, in any case.
        path: with or without scheme, host, `/api/v2` and query.
        body: as it was sent, or "".
    """
    bare, _, query = re.sub(r"^https?://[^/?#]*", "", path.strip(), flags=re.IGNORECASE).partition("?")
    bare = "/" + bare.partition("#")[0].strip("/")
    if bare.startswith("/conversations"):
        bare = "/api/v2" + bare
    body = body[:_BODY_READ]
    # a form, or the query of a link to the login, spells a scope with %3A
    text = unquote_plus(f"{query} {body}") if bare.startswith("/oauth/") else body
    row = next(row for row in TABLE if row.fits(method.strip().upper(), bare, text))
    named = list(dict.fromkeys((*_ids_in_path(bare), *_ids_in_body(body))))
    nouns = [noun for noun, _ in named]
    # of several nobody can tell which one is meant
    good = {noun: value for noun, value in named if _UUID.fullmatch(value) and nouns.count(noun) == 1}
    wrong = [_about(noun, value) for noun, value in named if not _UUID.fullmatch(value)]
    right = re.sub(r"\{(\w+)Id\}", lambda found: good.get(found[1], found[0]), row.right)
    webhook = _webhook(good) if bare.startswith(_PREFIX) else ""
    return Diagnosis(row, right, webhook, () if row.name == ELSEWHERE else tuple(wrong[:_REMARKS]))


def _ids_in_path(path: str) -> Iterator[tuple[str, str]]:
    for place, noun in _PLACES:
        found = place.match(path) if noun == "conversation" else place.search(path)
        value = found.group("id") if found else ""
        # {conversationId}, :id and <id> stand for one and are none
        if value and not _WORDS.fullmatch(value) and value[0] not in "{<:":
            yield noun, value


def _ids_in_body(body: str) -> Iterator[tuple[str, str]]:
    """Find what is named like an id, however deep it stands."""
    try:
        left: list[object] = [json.loads(body)]
    except (ValueError, RecursionError):
        return
    while left:
        value = left.pop()
        if isinstance(value, list):
            left.extend(value)
        if not isinstance(value, dict):
            continue
        left.extend(value.values())
        for name, named in value.items():
            if found := _NAMED.fullmatch(name):
                ids = named if isinstance(named, list) else [named]
                yield from ((found[1].lower(), id_) for id_ in ids if isinstance(id_, str) and id_)


def _about(noun: str, value: str) -> str:
    shown = "".join(char if char.isprintable() else "?" for char in value[:_SHOWN])
    if value[:2].lower() == "p-":
        return f"{shown}: Genesys ids carry no “p-”; they are UUIDs like {_EXAMPLE}."
    hint = "; a webhook can name the person by phone number, external contact or user" if noun == "participant" else ""
    return f"{shown} is not a Genesys {noun} id; those are UUIDs like {_EXAMPLE}{hint}."


def _webhook(ids: dict[str, str]) -> str:
    person = {"participant_id": ids["participant"]} if "participant" in ids else {"caller_phone": "+14155550123"}
    asked = {"conversation_id": ids.get("conversation", "{conversationId}"), **person}
    return json.dumps({"type": "caller.remove", "timestamp": "{now}", "data": asked}, ensure_ascii=False)
