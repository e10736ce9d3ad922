"""The kit for ServiceNow: what its scripts sign, repeat and say, run in Node on a stub of the platform."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from service.core import model as m
from service.core.errors import BadSignature
from tests.deploy import instance
from tests.deploy.instance import NOW, RECORD, SYS_ID, Happened, script
from tests.deploy.servicenow_kit import FIRST_LINE, FOLDER, RECORDS, UPDATE_SET, made, sys_id
from tests.needs import needs
from tests.sources.senders import ACTION_ID, SECRET, built

SCRIPTS = ["script-include.js", "ui-action.js", "business-rule.js", "outcome-resource.js"]
TAKEN = {"status": 202, "body": json.dumps({"status": "accepted", "action": ACTION_ID})}
BUSY = {"status": 503, "body": "{}"}
SLOW = {"status": 0, "error": "socket timed out", "takes": 60_000}
NOT = "NOT removed: remove by hand. "
PERHAPS = "NOT known to be removed: look whether the caller is still there, and remove by hand. "


def click(*answers: dict[str, Any], clicks: int = 1, changes: dict[str, Any] | None = None, **job: Any) -> Happened:  # noqa: ANN401 - what platform.js reads
    """Click a button on a record."""
    job.setdefault("properties", {"onhook.secret": SECRET})
    scripts = [script("script-include.js"), *[script("ui-action.js")] * clicks]
    return instance.run(*scripts, record=RECORD | (changes or {}), answers=answers or [TAKEN], **job)


def change(*answers: dict[str, Any], **job: Any) -> Happened:  # noqa: ANN401 - as above
    """Let the business rule run."""
    job.setdefault("properties", {"onhook.secret": SECRET})
    scripts = [script("script-include.js"), script("business-rule.js")]
    return instance.run(*scripts, **{"record": RECORD, "answers": answers or [TAKEN]} | job)


def removals(happened: Happened) -> list[m.Removal]:
    """Return what our source reads in each delivery; each is signed, plain ASCII, and went as it was signed."""
    found: list[m.Removal] = []
    for kind in ("servicenow", "standard"):
        source = built(kind)
        found = []
        for delivery, call in zip(happened.deliveries, happened.calls, strict=True):
            verified = source.verify(delivery)
            removal = source.parse(delivery, verified)
            assert isinstance(removal, m.Removal)
            assert delivery.body.isascii()
            assert (call["method"], call["message"], call["function"]) == ("POST", "Onhook", "remove")
            assert (call["substituted"], call["headers"]["content-type"]) == (False, "application/json")
            found.append(removal)
    return found


def test_the_click() -> None:
    """A click is one signed webhook that names record, person, requester and time; the agent is told."""
    happened = click()
    (removal,) = removals(happened)
    assert removal.conversation_id == RECORD["u_genesys_conversation_id"]
    assert removal.selector == m.Selector(m.SelectorKind.PHONE, RECORD["u_caller_phone"])
    assert (removal.ticket, removal.requester) == (m.Ticket(f"incident/{SYS_ID}", "INC0010112"), "beth.anglin")
    assert removal.event_at == NOW
    assert (happened.error, happened.notes, happened.redirected) == ([], [], True)
    assert happened.info == ["Remove Caller was asked for. How it ended will stand in the work notes."]


def test_a_double_click() -> None:
    """Two clicks are two deliveries under two ids about the same person: the receiver joins them, neither is lost."""
    happened = click(clicks=2)
    first, second = removals(happened)
    assert first == second
    ids = [call["headers"]["webhook-id"] for call in happened.calls]
    assert len(set(ids)) == 2


def test_the_time_of_the_click() -> None:
    """A click is timed to the millisecond: what is cut to a second could have been after the end of the first."""
    (removal,) = removals(click(now="2026-11-20T09:00:00.042Z"))
    assert removal.event_at == NOW + 42


@pytest.mark.parametrize(
    "number",
    ["INC ${password} ${gs.getProperty}", "INC – ünï 😀 \u2028", 'INC "quoted" \\ </script>', "INC\x7f"],
)
def test_what_breaks_signatures(number: str) -> None:
    """A ${…}, emoji, quotes and what is not ASCII are sent as they were signed, and read as they were written."""
    happened = click(changes={"number": number})
    for delivery in happened.deliveries:
        built("servicenow").verify(delivery)
        assert delivery.body.isascii()
        assert json.loads(delivery.body)["data"]["number"] == number


def test_the_platform_would_break_them() -> None:
    """The stub does to ${…} what the platform does: without the call that forbids it the signature does not fit."""
    spoiled = script("script-include.js").replace("request.disableForcedVariableSubstitution();", "")
    job = {"record": RECORD | {"number": "${x}"}, "answers": [TAKEN], "properties": {"onhook.secret": SECRET}}
    (delivery,) = instance.run(spoiled, script("ui-action.js"), **job).deliveries
    with pytest.raises(BadSignature):
        built("servicenow").verify(delivery)


def test_busy_then_taken() -> None:
    """A 503, a lost answer and a 429 are repeated, the same bytes under the same id, as late as Retry-After says."""
    later = {"status": 429, "headers": {"retry-after": "4"}}
    happened = click(BUSY, later, {"throws": "connection reset"}, TAKEN)
    assert len(removals(happened)) == 4
    assert len({json.dumps([call["headers"], call["body"]]) for call in happened.calls}) == 1
    assert [call["at"] for call in happened.calls] == [0, 1000, 5000, 9000]
    assert (happened.error, happened.notes, len(happened.info)) == ([], [], 1)


@pytest.mark.parametrize(
    "answers, words, tries",
    [
        ([BUSY], NOT + "503: {}", 5),
        ([{"status": 401, "body": '{"title":"who?"}'}], NOT + "401: who?", 1),
        ([{"status": 422, "body": '{"detail":"nobody is named"}'}], NOT + "422: nobody is named", 1),
        ([{"status": 429, "headers": {"retry-after": "59"}}], NOT + "429: ", 1),
        ([{"status": 200, "body": "<html>sign in</html>"}], NOT + "200: <html>sign in</html>", 1),
        ([{"status": 200, "body": '{"status":"ignored","reason":"not for us"}'}], NOT + "200: not for us", 1),
        ([SLOW], PERHAPS + "socket timed out", 2),
        ([{"throws": "no route to host"}], PERHAPS + "no route to host", 5),
        ([SLOW, BUSY], PERHAPS + "503: {}", 4),
        ([{"status": 502, "body": "bad gateway"}], PERHAPS + "502: bad gateway", 5),
    ],
)
def test_never_accepted(answers: list[dict[str, Any]], words: str, tries: int) -> None:
    """What is never accepted the agent is told within his patience, and so is the record; a lost answer is no no."""
    happened = click(*answers)
    assert len(happened.calls) == tries
    assert happened.calls[-1]["at"] + happened.calls[-1]["timeout"] <= 20_000 + 1000
    assert (happened.info, happened.error, happened.notes) == ([], [words], [f"Remove Caller: {words}"])


@pytest.mark.parametrize(
    "job, words",
    [
        ({"mac": None}, "ServiceNow could not sign; is the secret whole?"),
        ({"properties": {}}, "The property onhook.secret holds no secret that begins with whsec_."),
        ({"properties": {"onhook.secret": "enc:nonsense"}}, "The property onhook.secret holds no secret"),
        ({"changes": {"u_genesys_conversation_id": None}}, "This record holds no id of a Genesys conversation."),
    ],
)
def test_nothing_is_sent_unsigned(job: dict[str, Any], words: str) -> None:
    """Without a MAC, a secret or a conversation nothing is sent, and agent and record are told why."""
    happened = click(**job)
    assert happened.calls == []
    assert happened.error[0].startswith(NOT + words)
    assert happened.notes == [f"Remove Caller: {happened.error[0]}"]


def test_the_secret_is_encrypted_at_rest() -> None:
    """The secret is found where the release gives a password2 property as it is stored."""
    assert len(removals(click(properties={"onhook.secret": f"enc:{SECRET}"}))) == 1


def test_where_nobody_can_wait() -> None:
    """In a scoped application, which cannot wait, one try is made, and a lost answer is no no there either."""
    for answer, words in ((BUSY, f"{NOT}503: {{}}"), (SLOW, f"{PERHAPS}socket timed out")):
        happened = click(answer, scoped=True)
        assert (len(happened.calls), happened.error) == (1, [words])


def test_a_record_that_cannot_be_told() -> None:
    """Where the record takes no note the agent is told all the same, and the instance's log."""
    happened = click(BUSY, denied="update")
    assert happened.error == [NOT + "503: {}"]
    assert happened.log == [f"Remove Caller: the record could not be told: {NOT}503: {{}}"]


def test_the_rule() -> None:
    """An asynchronous rule sends id, time and requester of the change: running twice is sending twice the same."""
    first, second = change(), change(now="2026-11-20T09:00:05Z")
    assert first.calls[0]["headers"] == second.calls[0]["headers"]
    assert first.calls[0]["body"] == second.calls[0]["body"]
    (removal,) = removals(first)
    assert (removal.requester, removal.event_at) == ("abel.tuter", NOW - 2000)


def test_the_rule_waits_until_it_is_too_late() -> None:
    """A rule repeats for a minute and a half, and never when the click is too old to be done."""
    assert 60_000 < change(BUSY).calls[-1]["at"] < 90_000
    late = change(BUSY, now="2026-11-20T09:01:42Z")
    assert [call["at"] for call in late.calls] == [0, 1000, 3000]
    assert late.notes == [f"Remove Caller: {NOT}503: {{}}"]


def test_the_rule_and_our_own_user() -> None:
    """What our own user changed makes no webhook."""
    names = {"onhook.user": "abel.tuter", "onhook.secret": SECRET}
    assert change(properties=names).calls == []


# --- the Scripted REST resource ---------------------------------------------------------------------------------------

NOTE = f"Remove Caller: The caller was removed. [{ACTION_ID}]"
TOLD = {"action_id": ACTION_ID, "table": "incident", "sys_id": SYS_ID, "work_notes": NOTE}
OTHERS = {"element_id": "0" * 32, "element": "work_notes", "value": NOTE}


def post(times: int = 1, /, **job: Any) -> Happened:  # noqa: ANN401 - what platform.js reads
    """Call the resource."""
    rows = {"incident": [{"sys_id": SYS_ID} | job.pop("row", {})], "sys_journal_field": [OTHERS], **job.pop("rows", {})}
    rows = {table: said for table, said in rows.items() if said is not None}
    asked = {"body": {"data": TOLD | job.pop("told", {})}}
    return instance.run(*[script("outcome-resource.js")] * times, request=asked, rows=rows, **job)


def test_the_resource_writes_once() -> None:
    """One action is one note, however often it is told; the resource says whether it wrote, and that it stands."""
    first, second = post(), post(2)
    assert (first.status, first.body) == (200, {"action_id": ACTION_ID, "told": "written", "seen": True})
    assert (second.body, second.writes) == ({"action_id": ACTION_ID, "told": "already", "seen": True}, 1)


def test_the_resource_looks_at_each_row() -> None:
    """Where the journal drops a condition it cannot apply, another note is not taken for ours."""
    rows = {"sys_journal_field": [{"element_id": SYS_ID, "element": "work_notes", "value": "another"}]}
    assert [post(times, rows=rows, deaf=True).writes for times in (1, 2)] == [1, 1]


@pytest.mark.parametrize("job", [{"denied": "journal"}, {"rows": {"sys_journal_field": None}}])
def test_the_resource_cannot_read_the_journal(job: dict[str, Any]) -> None:
    """A journal that cannot be read is not an absent note: it is written, and that it was not seen is said."""
    happened = post(**job)
    assert happened.body == {"action_id": ACTION_ID, "told": "written", "seen": False}
    assert happened.writes == 1


@pytest.mark.parametrize(
    "job, status, words",
    [
        ({"told": {"sys_id": "0" * 32}}, 404, "no such record"),
        ({"told": {"table": "problem"}}, 404, "no such record"),
        ({"row": {"hidden": True}}, 404, "may not see it"),
        ({"row": {"locked": True}}, 403, "may not write"),
        ({"row": {"locked_fields": ["work_notes"]}}, 403, "may not write"),
        ({"row": {"refuses": True}}, 403, "a business rule did not let"),
        ({"row": {"drops": True}}, 403, "does not stand there"),
        ({"row": {"lacks": ["work_notes"]}}, 400, "no work notes"),
        ({"told": {"action_id": "x"}}, 400, "are needed"),
        ({"told": {"sys_id": "../x"}}, 400, "are needed"),
        ({"told": {"table": "Incident"}}, 400, "are needed"),
        ({"told": {"work_notes": "no action"}}, 400, "are needed"),
    ],
)
def test_the_resource_says_no(job: dict[str, Any], status: int, words: str) -> None:
    """What is not written is said with its status and in words, and nothing is said to be written."""
    happened = post(**job)
    assert happened.refused["status"] == status
    assert words in happened.refused["message"]
    assert "body" not in happened.told


def test_the_resource_without_a_body() -> None:
    """A request without a body is refused."""
    assert instance.run(script("outcome-resource.js"), request={}).refused["status"] == 400


def test_ids_are_ours() -> None:
    """The resource takes exactly the ids that our actions have."""
    (pattern,) = re.findall(r"isAction = /\^(.*)\$/", script("outcome-resource.js"))
    for good in (ACTION_ID, "a" * 32 + "." + "0" * 26):
        assert re.fullmatch(pattern, good)
        assert m.ACTION_ID.fullmatch(good)
    for bad in ("a" * 33 + "." + "0" * 26, "-a." + "0" * 26, "a." + "0" * 25, "A." + "0" * 26, ""):
        assert not re.fullmatch(pattern, bad)
        assert not m.ACTION_ID.fullmatch(bad)


# --- the files --------------------------------------------------------------------------------------------------------

NEWER = re.compile(r"\b(?:let|const|async|await|class|yield|of)\b\s|=>|`|\.\.\.\w|\*\*|\?\?|\?\.")
ACORN = """
const acorn = require('internal/deps/acorn/acorn/dist/acorn');
acorn.parse(require('fs').readFileSync(0, 'utf8'), { ecmaVersion: 5 });
"""


@pytest.mark.parametrize("name", SCRIPTS)
def test_ecmascript_5(name: str) -> None:
    """Each script is ECMAScript 5: nothing newer stands in it, and Node's own parser takes it as that."""
    code = re.sub(r"//.*|'(?:[^'\\\n]|\\.)*'", "''", script(name))
    assert NEWER.findall(code) == []
    parse = (needs("node"), "--expose-internals", "-e", ACORN)
    done = subprocess.run(
        parse, input=script(name), capture_output=True, text=True, check=False, timeout=instance.SECONDS
    )
    if "Cannot find module" not in done.stderr:  # a Node without its parser: the look above must do
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "newer", ["let x = 1;", "const x = 1;", "var f = () => 1;", "var x = `a`;", "f(...x);", "x ?? y"]
)
def test_what_is_newer_is_seen(newer: str) -> None:
    """Our own look finds what a script of ECMAScript 5 must not hold."""
    assert NEWER.search(newer)


def test_what_is_made_is_up_to_date() -> None:
    """The scripts of the template and the update set are what they are made of now."""
    for name, text in made().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"{name}: run python -m tests.deploy.servicenow_kit"


def test_the_update_set() -> None:
    """The update set is well-formed, holds each record with its script in full, and says in line 1 what it is not."""
    text = (FOLDER / UPDATE_SET).read_text(encoding="utf-8")
    assert text.splitlines()[0] == FIRST_LINE
    assert "Not imported into any instance" in FIRST_LINE
    updates = ET.fromstring(text).findall("sys_update_xml")  # noqa: S314 - our own file
    assert len({update.findtext("sys_id") for update in updates}) == len(updates) == len(RECORDS)
    scripts = []
    for (table, _, name, _), update in zip(RECORDS, updates, strict=True):
        payload = ET.fromstring(update.findtext("payload") or "")  # noqa: S314 - our own file
        record = payload.find(table)
        assert record is not None
        assert (record.findtext("sys_id"), update.findtext("target_name")) == (sys_id(table, name), name)
        scripts += [record.findtext(field) for field in ("script", "operation_script")]
    assert [text for text in scripts if text] == [script(name) for name in SCRIPTS]
    assert SECRET not in text


def test_the_resource_and_its_service_are_one() -> None:
    """What refers to another record of the set names one that is in it."""
    text = (FOLDER / UPDATE_SET).read_text(encoding="utf-8")
    for table, name in (("sys_ws_definition", "Onhook"), ("sys_rest_message", "Onhook")):
        assert text.count(sys_id(table, name)) > 2
