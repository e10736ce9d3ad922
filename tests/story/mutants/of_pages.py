"""What the console's pages hold, taken out one at a time: others' text is text, and nothing is done unasked."""

from __future__ import annotations

from tests.story.mutants.mutant import Mutant

_AT = "tests/web/pages"
_ACTS = f"{_AT}/test_acts.py"

PAGES = (
    Mutant(
        "others' text turns and hides nothing on a page",
        "web/pages/telling.py",
        (("without_numbers(without_controls(text))", "without_numbers(text)"),),
        f"{_AT}/test_hostile.py::test_every_header",
    ),
    Mutant(
        "no whole number stands on a page",
        "web/pages/telling.py",
        (("without_numbers(without_controls(text))", "without_controls(text)"),),
        f"{_AT}/test_telling.py::test_safe",
    ),
    Mutant(
        "who is asked for is masked on a page",
        "web/pages/telling.py",
        (("safe(selector.masked.value)", "safe(selector.value)"),),
        f"{_AT}/test_telling.py::test_an_attribute_is_never_shown_whole",
    ),
    Mutant(
        "an act is an operator's",
        "web/pages/places.py",
        (('Place("POST", path, Role.OPERATOR,', 'Place("POST", path, Role.VIEWER,'),),
        f"{_AT}/test_places.py::test_a_viewer_is_refused",
    ),
    Mutant(
        "a pause, a drop and a replay have a reason",
        "web/pages/acts.py",
        (("if needs_reason and not by.why:", "if False:"),),
        f"{_ACTS}::test_no_pause",
    ),
    Mutant(
        "a source is paused for its own org alone",
        "web/pages/acts.py",
        (("(source and source not in self.watch.of_org(org))", "False"),),
        f"{_ACTS}::test_no_pause",
    ),
    Mutant(
        "a replay says within how long",
        "web/pages/acts.py",
        (("0 < int(text) <= WITHIN_MOST", "int(text) >= 0"),),
        f"{_ACTS}::test_no_replay",
    ),
    Mutant(
        "a replay's new action is of the old one's org",
        "web/pages/acts.py",
        (("if m.org_of(minted.action_id) != org or", "if"),),
        f"{_ACTS}::test_no_replay",
    ),
    Mutant(
        "a form that is sent twice is one replay",
        "web/pages/acts.py",
        (('Minted(visit.form.get("new"), visit.form.get("key"))', "self.watch.minted(org)"),),
        f"{_ACTS}::test_replay",
    ),
    Mutant(
        "what is shown as who would go is a preview of that conversation",
        "web/pages/acts.py",
        (("found if found.is_preview and found.conversation == shown.conversation else None", "found"),),
        f"{_ACTS}::test_replay_begins_with_a_preview",
    ),
    Mutant(
        "an address alone proves no act",
        "web/pages/notices.py",
        (('    if is_paused is not (done == "paused"):\n        return None\n', ""),),
        f"{_AT}/test_notices.py::test_paused",
    ),
    Mutant(
        "what is copied as curl holds no key",
        "web/pages/one.py",
        (("?key='", "?key={account.key}'"),),
        f"{_AT}/test_one.py::test_what_is_copied_opens_nothing",
    ),
    Mutant(
        "an action of an org that is not configured is not shown",
        "web/pages/looking.py",
        (("if m.org_of(action_id) in watch.orgs else None", "if True else None"),),
        f"{_AT}/test_looking.py::test_an_org_that_was_taken_out",
    ),
    Mutant(
        "a source of which everything is refused is red",
        "web/pages/now.py",
        (("    if refused and not accepted:\n", "    if False:\n"),),
        f"{_AT}/test_now.py::test_heard",
    ),
    Mutant(
        "nothing in a file of the audit is a formula",
        "wiring/sheets.py",
        (("if said.startswith(_FORMULA) else said", "if False else said"),),
        "tests/wiring/test_overseeing.py::test_files",
    ),
)
