"""The sentences in English: for the ticket, for the operator, and how people are called.

A key is the outcome's kind, its reason, and the name of Genesys' answer (answers.py), as far as the sentence differs;
the longest key that has a sentence speaks. `{who}` and `{Who}` are the person with an article, as inside a sentence
and as at its beginning; `{people}` are others, counted by purpose.
"""

from __future__ import annotations

from collections.abc import Mapping

_BY_HAND = "Remove the person by hand."
_SHOW = "Remove the person by hand, and show this note to an administrator."
# where nobody could look: the person may be gone
_SHOW_IF = "Look yourself; if the person is still there, remove the person by hand. Show this note to an administrator."
_SETTING = (
    "If the person has to leave all the same, do it by hand. "
    "An administrator can allow it with the setting “{allowed_by}”."
)
_ASK = "Ask a colleague who may, or an administrator: the setting is “{allowed_by}”."
_CLICK = "The person may still be in the conversation: look, and click again if it is still wanted."
_LOOK = "Look at the conversation in Genesys Cloud yourself; if the person is still there, remove the person by hand."
_THERE = "{Who} is still in the conversation: "
_BARRED = _THERE + "the removal had no effect and is not tried again, because {why}. "

TICKET: Mapping[str, str] = {
    "disconnected": "{Who} was removed from the conversation; a look afterwards confirmed it.",
    "already_gone": "Nothing was done: {who} had already left the conversation.",
    "not_found": (
        "Nobody was removed: nobody in the conversation is the person named on this ticket. "
        "Check the number or id on this ticket: if it is wrong, correct it and click again; if it is right, the person "
        "has left, or was never there, and there is nothing to do."
    ),
    "not_found.conversation": (
        "Nobody was removed: Genesys Cloud knows no such conversation. "
        "Check the conversation id on this ticket, then click again."
    ),
    "refused": f"Nobody was removed: the rules of this service do not allow it. {_SHOW_IF}",
    "refused.ambiguous": (
        "Nobody was removed: several people in the conversation fit what the ticket says, and only one may be "
        "meant ({candidates}). "
        "Name the right one by participant id and click again, or remove the person by hand."
    ),
    "refused.contradictory": (
        "Nobody was removed: the ticket names the person in two ways that do not mean the same one ({candidates}). "
        "Name the person in one way, then click again."
    ),
    "refused.purpose": (
        "Nobody was removed: the person whom this ticket names is {who}, and this service may not remove people with "
        f"that role. Check that the ticket names the right person. {_SETTING}"
    ),
    "refused.last_pair": (
        "Nobody was removed: at most one other person is there, so the call would end with the removal. " + _SETTING
    ),
    "refused.queue": (
        f"Nobody was removed: this service may not remove people from the queue of this conversation. {_SETTING}"
    ),
    "refused.division": (
        f"Nobody was removed: this service may not remove people in the division of this conversation. {_SETTING}"
    ),
    "refused.supervisor": (
        f"Nobody was removed: {{who}} is there as a supervisor, and this service may not remove supervisors. {_SETTING}"
    ),
    "refused.requester": (
        f"Nobody was removed: the person who clicked may not have people removed by this service. {_ASK}"
    ),
    "refused.requester_rate": (
        "Nobody was removed: the person who clicked has asked for too many removals in a short time. "
        "Wait a minute, then click again if it is still wanted."
    ),
    "refused.dropped": (
        "Nobody was removed: somebody who runs this service called the removal off before anything was done. "
        "The person may still be in the conversation: if so, remove the person by hand; "
        "ask an administrator before you click again."
    ),
    "expired": f"Nobody was removed: the click became too old before anything could be done. {_CLICK}",
    "expired.paused": (
        "Nobody was removed: this service is paused, and meanwhile the click became too old. "
        "The person may still be in the conversation: if so, remove the person by hand; "
        "clicking again helps only when the pause is over."
    ),
    "expired.runaway": (
        "Nobody was removed: more removals were asked for within a minute than people click, so this service is "
        "paused, and meanwhile the click became too old. The person may still be in the conversation: if so, remove "
        "the person by hand; clicking again helps only when the pause is over."
    ),
    "expired.genesys_unreachable": (
        "Nobody was removed: Genesys Cloud could not be reached, and meanwhile the click became too old. "
        "The person may still be in the conversation: if so, remove the person by hand, or click again later."
    ),
    "expired.busy": (f"Nobody was removed: there was too much to do, and meanwhile the click became too old. {_CLICK}"),
    "failed": f"{{Who}} is still in the conversation. {_BY_HAND}",
    "failed.forbidden": (
        f"Nobody was removed: Genesys Cloud does not let this service see the conversation. {_SHOW_IF}"
    ),
    "failed.forbidden.permission": (
        f"Nobody was removed: this service lacks a permission in Genesys Cloud to see conversations. {_SHOW_IF}"
    ),
    "failed.forbidden.division": (
        "Nobody was removed: this service lacks a permission in Genesys Cloud to see conversations of the division "
        f"that this one belongs to. {_SHOW_IF}"
    ),
    "failed.forbidden.closed": (
        "Nobody was removed: Genesys Cloud does not let this service see the conversation, which may be over. "
        + _SHOW_IF
    ),
    "failed.rejected": (
        f"Nobody was removed: Genesys Cloud did not tell this service who is in the conversation. {_SHOW_IF}"
    ),
    "failed.rejected.login": f"Nobody was removed: Genesys Cloud did not let this service log in. {_SHOW_IF}",
    "failed.genesys_refused": f"{_THERE}Genesys Cloud refused the removal. {_SHOW}",
    "failed.genesys_refused.ended": (
        f"{_THERE}Genesys Cloud refused the removal and says that the call is over. {_BY_HAND}"
    ),
    "failed.genesys_refused.needs_user": (
        f"{_THERE}Genesys Cloud wants a signed-in user for this removal, and this service is not one. {_SHOW}"
    ),
    "failed.genesys_refused.login": f"{_THERE}Genesys Cloud did not let this service log in for the removal. {_SHOW}",
    "failed.genesys_refused.permission": (
        f"{_THERE}this service lacks a permission in Genesys Cloud to remove people. {_SHOW}"
    ),
    "failed.genesys_refused.division": (
        f"{_THERE}this service lacks a permission in Genesys Cloud to remove people in this division. {_SHOW}"
    ),
    "failed.genesys_refused.closed": (
        f"{_THERE}Genesys Cloud did not let this service into the conversation for the removal. {_SHOW}"
    ),
    "failed.genesys_refused.no_route": (
        f"{_THERE}this service has no way to ask Genesys Cloud for this removal, so it was not sent. {_SHOW}"
    ),
    "failed.genesys_refused.not_found": (
        f"{_THERE}Genesys Cloud did not find the person for the removal, though a look shows the person. {_BY_HAND}"
    ),
    "failed.genesys_refused.conflict": (
        f"{_THERE}Genesys Cloud refused the removal because the conversation was just changing. "
        "Click again, or remove the person by hand."
    ),
    "failed.genesys_refused.our_fault": (
        f"{_THERE}Genesys Cloud did not accept the way in which this service asked for the removal. {_SHOW}"
    ),
    "failed.no_effect": f"{_THERE}the removal was sent to Genesys Cloud and had no effect. {_BY_HAND}",
    "failed.no_effect.silent": (
        f"{_THERE}the removal was sent, Genesys Cloud did not answer, nothing came of it. {_BY_HAND}"
    ),
    "failed.no_effect.unclear": (
        f"{_THERE}the removal was sent, Genesys Cloud had a fault of its own, and nothing came of it. {_BY_HAND}"
    ),
    # given by flow, not by the table: the egress guard would stop the same request for ever
    "failed.guarded": (
        f"Nobody was removed: a safety check of this service stopped the request before it was sent. {_SHOW}"
    ),
    "failed.purpose": _BARRED.replace("{why}", "{who} has a role that this service is not allowed to remove")
    + _SETTING,
    "failed.last_pair": _BARRED.replace("{why}", "by now at most one other person is there, so the call would end")
    + _SETTING,
    "failed.queue": _BARRED.replace("{why}", "this service may not remove people from this queue") + _SETTING,
    "failed.division": _BARRED.replace("{why}", "this service may not remove people in this division") + _SETTING,
    "failed.supervisor": _BARRED.replace("{why}", "this service may not remove supervisors") + _SETTING,
    "failed.requester": _BARRED.replace("{why}", "the person who clicked may not have people removed by this service")
    + _ASK,
    "failed.poison": f"Nobody was removed: this service broke down three times over this request. {_SHOW_IF}",
    "unknown": (
        "It is not known whether {who} was removed: the removal was sent, and afterwards the conversation could not "
        f"be seen. {_LOOK}"
    ),
    "unknown.conversation_not_found": (
        "It is not known whether {who} was removed: the removal was sent, and afterwards Genesys Cloud knew no such "
        f"conversation. {_LOOK}"
    ),
    # also where nothing was sent
    "unknown.participant_lost": (
        "It is not known where {who} is: the person is no longer listed in this conversation, which may have been "
        "merged with another one. Look in Genesys Cloud yourself, at that one too; if the person is still connected, "
        "remove the person by hand."
    ),
    "unknown.poison": (
        "It is not known whether {who} was removed: the removal was sent, and then this service broke down three "
        f"times over this request. {_LOOK}"
    ),
    "previewed": "Nobody was removed, as asked: this was only a preview. A real click would remove {who}.",
    "previewed.shadow": (
        "Nobody was removed, because this service only watches so far (shadow mode). It would have removed {who}. "
        "If the person has to leave, do it by hand: another click would change nothing."
    ),
}

# What follows the sentence; which of them does is decided in speaking.py.
ALSO: Mapping[str, str] = {
    "title": "Remove Caller",
    "also.back": (
        "The same person is in the conversation again and was not removed a second time; "
        "click again if the person has to leave again."
    ),
    "also.shadow": "This service only watches so far (shadow mode).",
    "also.preview": "This was only a preview.",
    "also.preview.refused": "This was only a preview: a click would be refused for the same reason.",
    "also.vanished": "Gone at the same time: {people}; call back whoever should not have left.",
    "also.vanished.all": "Gone at the same time: {people}.",
    "also.meanwhile": "Gone meanwhile: {people}; call back whoever should not have left.",
    "also.still_there": "Still there: {people}.",
    "also.besides": "Also there: {people}.",
    "also.seen": "In the conversation at the last look: {people}.",
    "also.would_stay": "Would still be there: {people}.",
    "also.would_end": "Nobody else would be left: the conversation would end.",
    "also.ended": "Nobody else is left: the conversation has ended.",
    "also.alone": "Nobody else is there.",
    "also.done": "There is nothing more to do.",
    "nobody": "nobody is listed",
}

# with the article | one | several. `other` is for purposes without a name here, `unnamed` for a missing one.
# what a sender reads that shows it to people, before it is known how it ended
RECEIPT: Mapping[str, str] = {
    "receipt.open": "The click has arrived and is being worked on; how it ended is told as soon as it is known.",
}

PEOPLE: Mapping[str, str] = {
    "people.customer": "the caller|caller|callers",
    "people.external": "the external participant|external participant|external participants",
    "people.agent": "the agent|agent|agents",
    "people.user": "the internal participant|internal participant|internal participants",
    "people.ivr": "the voice menu|voice menu|voice menus",
    "people.acd": "the waiting queue|waiting queue|waiting queues",
    "people.botflow": "the bot|bot|bots",
    "people.voicemail": "the voicemail|voicemail|voicemails",
    "people.other": (
        "the participant with the role “{purpose}”|participant with the role “{purpose}”"
        "|participants with the role “{purpose}”"
    ),
    "people.unnamed": "the person|person|people",
}

OPERATOR: Mapping[str, str] = {
    "operator.disconnected": "Sent {sends}; a look afterwards no longer shows the person as present.",
    "operator.already_gone": "A look showed the person as gone before anything of this service had taken effect.",
    "operator.not_found": "Two looks, some seconds apart, show nobody who fits the selector in this conversation.",
    "operator.not_found.conversation": (
        "Two looks, some seconds apart, were answered that there is no such conversation: a wrong id, or a "
        "conversation of another org than “{org}”."
    ),
    "operator.refused": "Refused by the policy of this service; nothing was sent.",
    "operator.refused.ambiguous": "The selector fits several people who are present; nothing was sent.",
    "operator.refused.contradictory": "Selector and identity mean different people; nothing was sent.",
    "operator.refused.purpose": "The purpose “{purpose}” is not in {allowed_by}; nothing was sent.",
    "operator.refused.last_pair": "{allowed_by} is “refuse”, and at most one other person was there; nothing was sent.",
    "operator.refused.queue": "No participant came through a queue that is in {allowed_by}; nothing was sent.",
    "operator.refused.division": (
        "The conversation's divisions are not in {allowed_by}, or Genesys did not show them; nothing was sent."
    ),
    "operator.refused.supervisor": (
        "The person monitors, coaches or barges, and {allowed_by} is “refuse”; nothing was sent."
    ),
    "operator.refused.requester": "The requester is not in {allowed_by}; nothing was looked at or sent.",
    "operator.refused.requester_rate": "The requester is over {allowed_by}; nothing was looked at or sent.",
    "operator.refused.dropped": "Dropped by an operator before anything was sent; the audit says who, and why.",
    "operator.expired": (
        "Not-after was over before a removal could be sent. Where this happens often, start more workers or raise the "
        "source's max_age."
    ),
    "operator.expired.paused": "Paused until not-after was over; `onhook resume` ends the pause of org, source or all.",
    "operator.expired.runaway": (
        "One requester asked for as many removals within a minute as sources.*.runaway says, which paused the source "
        "until not-after was over. See first who it was; `onhook resume --source` ends the pause."
    ),
    "operator.expired.genesys_unreachable": (
        "No look at the conversation succeeded until not-after was over; the timeline shows each try. Check network, "
        "proxy and the address of org “{org}” with `onhook check`, and the vendor's status page."
    ),
    "operator.expired.busy": (
        "The call budget of org “{org}” was used up, or another action held the conversation, until not-after "
        "was over; "
        "the timeline shows which."
    ),
    "operator.failed": "Sent {sends}, and the person is still present.",
    "operator.failed.forbidden": "The look at the conversation was refused; nothing was sent.",
    "operator.failed.rejected": "The look at the conversation was turned down; nothing was sent.",
    "operator.failed.genesys_refused": (
        "Sent {sends}; the last was refused, and looks still show the person as present."
    ),
    "operator.failed.genesys_refused.no_route": "Nothing was sent; a look still shows the person as present.",
    "operator.failed.no_effect": (
        "Sent {sends}; looks until nothing could land any more still show the person as present."
    ),
    "operator.failed.guarded": (
        "The egress guard refused the request, so nothing was sent: the ids or the route do not fit a shape it knows. "
        "It says: {message}."
    ),
    "operator.failed.purpose": "Sent {sends} without effect; not repeated: “{purpose}” is not in {allowed_by} now.",
    "operator.failed.last_pair": "Sent {sends} without effect; not repeated: {allowed_by} is “refuse”.",
    "operator.failed.queue": "Sent {sends} without effect; not repeated: no queue of it is in {allowed_by} now.",
    "operator.failed.division": "Sent {sends} without effect; not repeated: no division of it is in {allowed_by} now.",
    "operator.failed.supervisor": "Sent {sends} without effect; not repeated: {allowed_by} is “refuse”.",
    "operator.failed.requester": "Sent {sends} without effect; not repeated: the requester is not in {allowed_by} now.",
    "operator.failed.poison": (
        "Three leases in a row ran out over this action and nothing was sent: workers die or stand still on it. "
        "Look for fault.raised and for kills in the log."
    ),
    "operator.unknown": "Sent {sends}; for fifteen minutes afterwards no look could see the conversation.",
    "operator.unknown.conversation_not_found": (
        "Sent {sends}; afterwards looks were answered that there is no such conversation, which proves nothing: ended "
        "ones stay readable for weeks."
    ),
    "operator.unknown.participant_lost": (
        "Sent {sends}; the pinned participant is no longer listed, as after a merge, and nobody else fits for certain."
    ),
    "operator.unknown.poison": (
        "Sent {sends}; then three leases in a row ran out over this action: workers die or stand still on it. "
        "Look for fault.raised and for kills in the log."
    ),
    "operator.previewed": "A preview: everything was done but the send.",
    "operator.previewed.shadow": 'Shadow mode: everything was done but the send. orgs.{org}.mode = "live" sends.',
    "answer.silent": "Genesys gave no answer ({answer}): check the network, the proxy and the vendor's status page.",
    "answer.no_route": "There is no call for this removal: {message}.",
    "answer.unreadable": "Genesys answered {answer}: a success without the conversation, as from a gateway or a proxy.",
    "answer.accepted": "Genesys answered {answer}, which only says that it took the request.",
    "answer.ended": (
        "Genesys answered {answer}, while looks went on showing the person as present: its call and its conversation "
        "do not agree. The vendor's support can say why."
    ),
    "answer.needs_user": (
        "Genesys answered {answer}: it wants a user for this route, and no other route is left. Set orgs.{org}.route "
        "to auto, or name a user in orgs.{org}.on_behalf_of."
    ),
    "answer.login": (
        "Genesys answered {answer}, also under a new token: check orgs.{org}.client_id and .client_secret, the region, "
        "that the OAuth client is active, and that it may be used from this address."
    ),
    "answer.permission": "Genesys answered {answer}: give the OAuth client's role {permission}{where}.",
    "answer.division": "Genesys answered {answer}: give the OAuth client's role {permission}{where}.",
    "answer.closed": (
        "Genesys answered {answer}: the conversation was over for it, or the OAuth client's role lacks "
        "{permission}{where}."
    ),
    "answer.forbidden": ("Genesys answered {answer}: check that the OAuth client's role has {permission}{where}."),
    "answer.not_found": "Genesys answered {answer}: to it there is no such conversation or participant.",
    "answer.conflict": (
        "Genesys answered {answer}: the conversation was in another state than it wants, and stayed so over all tries."
    ),
    "answer.too_many": "Genesys answered {answer}: too many calls; the OAuth client may be shared with other programs.",
    "answer.our_fault": (
        "Genesys answered {answer}: it does not accept the request as it is, so this service and the API no "
        "longer fit. "
        "Please report it with the timeline."
    ),
    "answer.unclear": "Genesys answered {answer} and did not say what became of the request: a fault on its side.",
    "sends.0": "nothing",
    "sends.1": "once",
    "sends": "{count} times",
    "where": " in the division '{division}'",
    "where.unnamed": " in the division of the conversation",
    "any_of": "one of {permission}",
    "correlation": "For the vendor's support: correlation id {correlation}.",
}

SENTENCES: Mapping[str, str] = {**TICKET, **ALSO, **RECEIPT, **PEOPLE, **OPERATOR}
