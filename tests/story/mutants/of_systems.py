"""What keeps the systems apart from us and from each other: how they prove themselves, ask and are told."""

from __future__ import annotations

from tests.story.mutants.mutant import Mutant

_TELLING = "tests/sources/test_telling.py"
_SLACK = "tests/sources/test_slack_telling.py"
_BATCHES = "tests/flow/test_intake_batches.py"

SYSTEMS = (
    Mutant(
        "a secret that is shown stands exactly once",
        "sources/schemes.py",
        (("return found[0].encode() if len(found) == 1 else None", "return found[0].encode() if found else None"),),
        "tests/sources/test_schemes.py::test_shown_twice_is_not_shown",
    ),
    Mutant(
        "a signed id and a form cannot change places",
        "sources/generic.py",
        (('if ask.form and self.signature is not None and "{id}" in self.signature.content:', "if False:"),),
        "tests/sources/test_generic.py::test_faults",
    ),
    Mutant(
        "our own form counts only where nothing stands beside it",
        "sources/generic.py",
        (('return values.get("type") == TYPE and values.keys() <= _OWN_FORM', 'return values.get("type") == TYPE'),),
        "tests/sources/test_generic.py::test_our_own_form_stands_alone",
    ),
    Mutant(
        "a click for what is no ticket of the desk is refused",
        "sources/generic.py",
        (("if ticket and self._desk and not self._desk.names(ticket.reference):", "if False:"),),
        "tests/sources/test_generic.py::test_tickets_of_the_desk",
    ),
    Mutant(
        "what our own note caused is ignored",
        "sources/pointed.py",
        (("if actor and actor.casefold() in", "if False and actor.casefold() in"),),
        "tests/sources/test_pointed.py::test_our_own_echo",
    ),
    Mutant(
        "each event of a list has a signed id of its own",
        "flow/intake.py",
        (('signed_id = verified.signed_id and f"{verified.signed_id}:{place}"', "signed_id = verified.signed_id"),),
        f"{_BATCHES}::test_a_signed_id_is_each_parts_with_its_place",
    ),
    Mutant(
        "an event of a list is known by its own bytes",
        "flow/intake.py",
        (("replace(delivery, body=part.body)", "replace(delivery)"),),
        f"{_BATCHES}::test_without_an_id_a_part_is_known_by_its_content",
    ),
    Mutant(
        "only who proved himself is spared a 4xx",
        "web/front.py",
        (("isinstance(fault, Malformed | Unreadable | Conflicting) and", "isinstance(fault, Refused) or"),),
        "tests/web/test_front_systems.py::test_nothing_else_is_a_200",
    ),
    Mutant(
        "a ticket is one plain segment of a path",
        "sources/telling.py",
        (("return bool(re.fullmatch(TICKET, reference, re.ASCII)) and bool(", "return bool("),),
        f"{_TELLING}::test_names_of_tickets",
    ),
    Mutant(
        "a ticket is looked at again at the call",
        "sources/telling.py",
        (("        if not self.names(reference):\n", "        if False:\n"),),
        f"{_TELLING}::test_no_other_ticket_is_told",
    ),
    Mutant(
        "a desk is looked at before a repeat",
        "sources/telling.py",
        (("return action.id.encode() in answered.body", "return False"),),
        f"{_TELLING}::test_a_look_before_a_repeat",
    ),
    Mutant(
        "the guard knows the note of the settings alone",
        "sources/telling.py",
        (('return is_filled(fill(options.body, {"user": access.user}), json.loads(body), _HOLES)', "return True"),),
        f"{_TELLING}::test_nothing_else_may_leave",
    ),
    Mutant(
        "a desk's error that repeats our secret is not kept",
        "sources/telling.py",
        (
            (
                "return discreet(await self._way.send(Asked(method, url, headers, body, deadline)), _secrets(access))",
                "return await self._way.send(Asked(method, url, headers, body, deadline))",
            ),
        ),
        f"{_TELLING}::test_an_error_that_repeats_our_secret_is_not_shown",
    ),
    Mutant(
        "a token that is not good any more is changed once",
        "sources/oauth.py",
        (("        if answered.status == _UNAUTHORIZED:\n", "        if False:\n"),),
        "tests/sources/test_oauth.py::test_a_401_is_asked_again_once",
    ),
    Mutant(
        "a click is answered at Slack's addresses alone",
        "sources/slack_asking.py",
        (
            (
                "return path if host == REPLY_HOST and REPLY_PATH.fullmatch(path)",
                "return path if REPLY_PATH.fullmatch(path)",
            ),
        ),
        "tests/sources/test_slack_asking.py::test_addresses_that_are_not_slacks",
    ),
    Mutant(
        "where a click is answered is looked at again at the call",
        "sources/slack_telling.py",
        (("        if not REPLY_PATH.fullmatch(path):\n", "        if not path:\n"),),
        f"{_SLACK}::test_no_address",
    ),
    Mutant(
        "the guard knows the shape of Slack's addresses",
        "sources/slack_telling.py",
        (("path = re.compile(REPLY_PATH.pattern.encode(), re.ASCII)", 'path = re.compile(b".*")'),),
        f"{_SLACK}::test_what_may_leave",
    ),
    Mutant(
        "what people wrote is no markup in Slack",
        "sources/slack_telling.py",
        (('.replace("<", "&lt;")', ""),),
        f"{_SLACK}::test_what_people_wrote_is_text",
    ),
    Mutant(
        "where a click is answered goes when the action ends",
        "store/records.py",
        (("    if ticket is not None and ticket.reply_to:\n", "    if ticket is None and ticket:\n"),),
        "tests/store/test_records.py::test_where_a_click_is_answered",
    ),
    Mutant(
        "a note that ServiceNow dropped is not told",
        "sources/servicenow_notes.py",
        (("if isinstance(changed_by, str) and changed_by and not self._is_us(changed_by):", "if False:"),),
        "tests/sources/test_servicenow_notes.py::test_a_note_that_was_dropped",
    ),
    Mutant(
        "a yes is our resource's, about this action",
        "sources/servicenow_notes.py",
        (('result.get("action_id") == action_id', "True"),),
        "tests/sources/test_servicenow_notes.py::test_a_yes_from_another_resource",
    ),
)
