"""The safeguards that stand in Python outside of core, each taken out once."""

from __future__ import annotations

from tests.story.mutants.mutant import Mutant

_MARK = "marked = await self._place.store.mark_sent("
# a mark that nobody but this worker knows of
_UNWRITTEN = "m.Marked(m.Send(len(self._action.sends) + 1, self._now(), self._now() + 2000), 2.0)"
_ANSWERED = "await place.store.answered(self._lease, send.number, answer, self._flush())"

REMOVAL = (
    Mutant(
        "marked before it is sent",
        "flow/removal.py",
        (
            (_MARK, f"marked = (lambda *_: {_UNWRITTEN})("),
            (
                _ANSWERED,
                "await place.store.mark_sent(self._lease, self._claim.epoch, action.progress, ())\n        "
                + _ANSWERED,
            ),
        ),
        "tests/flow/test_removal_crashes.py::test_the_worker_dies[202]",
    ),
    Mutant(
        "a look before it is sent again",
        "flow/removal.py",
        (("self._sight = None  # whatever else it said: look before anything else", "pass"),),
        "tests/flow/test_removal_answers.py::test_conflict_while_present",
    ),
    Mutant(
        "an end or a send must have been right at the moment of the look",
        "flow/removal.py",
        (("if self._sight is not None and type(decide(", "if not self._sight and type(decide("),),
        "tests/flow/test_removal_zombies.py::test_frozen_after_an_accepted_send",
    ),
    Mutant(
        "a mark that was not sent is taken back",
        "flow/removal.py",
        (("await self._place.store.unsent(self._lease, send.number, self._flush())", "pass"),),
        "tests/flow/test_removal_answers.py::test_throttled_removal",
    ),
    Mutant(
        "Retry-After of a look holds all workers",
        "flow/removal.py",
        (("await self._place.budget.throttle(self._action.org, sight.retry_after_seconds)", "pass"),),
        "tests/flow/test_removal_answers.py::test_throttled_look",
    ),
    Mutant(
        "Retry-After of a removal holds all workers",
        "flow/removal.py",
        (("await place.budget.throttle(action.org, refusal.retry_after_seconds)", "pass"),),
        "tests/flow/test_removal_answers.py::test_throttled_removal",
    ),
    Mutant(
        "what was granted before a Retry-After does not leave in it",
        "genesys/client.py",
        (
            ("        self._limits.hold()\n        answered =", "        answered ="),
            ("            self._limits.hold()\n", ""),
        ),
        "tests/genesys/test_limits.py::test_nothing_leaves_before_retry_after",
    ),
    Mutant(
        "the login's Retry-After holds the process",
        "genesys/client.py",
        (("self._limits.keep(error)", "pass"),),
        "tests/genesys/test_limits.py::test_the_logins_retry_after",
    ),
    Mutant(
        "a number that is none teaches nothing",
        "genesys/limits.py",
        (('[0-9]{1,9}", re.ASCII', '[+-]?\\d+"'),),
        "tests/genesys/test_limits.py::test_odd_headers_teach_nothing",
    ),
    Mutant(
        "no header opens the gate",
        "store/budget.py",
        ((" or not 0 <= told[0] <= MOST_ALLOWED", ""),),
        "tests/store/test_budget.py::test_no_header_opens_the_gate",
    ),
    Mutant(
        "the pin is kept before anything is done about it",
        "flow/removal.py",
        (("await self._place.store.pin(self._lease, self._action.progress, self._flush())", "pass"),),
        "tests/flow/test_removal_trips.py::test_the_pin_is_kept_where_nobody_is_removed",
    ),
    Mutant(
        "the pin is kept with the mark",
        "store/redis.py",
        (("*_progress(progress), terms.of_pin(progress.pin)]", "*_progress(m.Progress()), '']"),),
        "tests/flow/test_removal_trips.py::test_a_mark_keeps_the_pin",
    ),
    Mutant(
        "who stood still after the claim asks the budget anew",
        "flow/removal.py",
        (("return is_paid and self._place.clock.monotonic() - self._asked <= PAID_SECONDS", "return is_paid"),),
        "tests/flow/test_removal_trips.py::test_a_paid_look_gets_old",
    ),
    Mutant(
        "who may not ask takes no call from the budget",
        "flow/workplace.py",
        (("return not any(limits.requesters for limits in (self.terms[org].policy, *narrowings))", "return True"),),
        "tests/flow/test_workplace.py::test_a_look_is_paid_where_everybody_may_ask",
    ),
    Mutant(
        "a note is looked for before it is repeated",
        "flow/reporting.py",
        (("if claim.report.tries > 1 and", "if claim.report.tries > 99 and"),),
        "tests/flow/test_reporting.py::test_a_lost_mark",
    ),
    Mutant(
        "a worker that lost its lease writes no note",
        "flow/reporting.py",
        (("    await place.store.renew_report(claim.lease)\n    try:", "    try:"),),
        "tests/flow/test_reporting.py::test_a_worker_that_woke_up_tells_nothing",
    ),
    Mutant(
        "past the lease of its report no note leaves",
        "flow/reporting.py",
        (("deadline = place.clock.monotonic() + LEASE_SECONDS", "deadline = place.clock.monotonic() + 9e9"),),
        "tests/flow/test_reporting.py::test_a_worker_that_stood_still_right_before_the_note",
    ),
    Mutant(
        "a lease is renewed while it is worked on",
        "flow/workplace.py",
        (("await renew(lease)", "await self.clock.sleep(0)"),),
        "tests/flow/test_workplace.py::test_renewed_while_it_lasts",
    ),
    Mutant(
        "a replay does not revive what was too late",
        "flow/operations.py",
        (("event_at=None if is_fresh else old.clicked_at", "event_at=None"),),
        "tests/flow/test_operations.py::test_a_replay_of_what_was_late",
    ),
    Mutant(
        "a replay joins nothing",
        "flow/operations.py",
        (("        intent_key=None,\n", "        intent_key=hashlib.sha256(terms.org.encode()).hexdigest(),\n"),),
        "tests/flow/test_operations.py::test_replay",
    ),
    Mutant(
        "an action is shown to who has its key",
        "flow/operations.py",
        (("not hmac.compare_digest(account.key.encode(), key.encode())", "not key"),),
        "tests/flow/test_operations.py::test_show",
    ),
)

LEAVING = (
    Mutant(
        "a timeout may have acted (it is no failure)",
        "outbound.py",
        (('httpx.ReadTimeout: (Unclear, "timeout")', 'httpx.ReadTimeout: (Unreachable, "timeout")'),),
        "tests/test_outbound.py::test_only_failures_before_the_hand_over_are_unreachable",
    ),
    Mutant(
        "a call cut by its total time may have acted",
        "outbound.py",
        (('    TimeoutError: (Unclear, "timeout")', '    TimeoutError: (Unreachable, "timeout")'),),
        "tests/test_outbound.py::test_only_failures_before_the_hand_over_are_unreachable",
    ),
    Mutant(
        "an answer that was lost may have acted (no refusal)",
        "genesys/client.py",
        (("return m.Answer(m.AnswerKind.UNCLEAR,", "return m.Answer(m.AnswerKind.REFUSED_FOR_GOOD,"),),
        "tests/genesys/test_client.py::test_a_removal_that_did_not_go_well",
    ),
    Mutant(
        "a 5xx may have acted (no refusal)",
        "genesys/answers.py",
        (
            (
                'Row("unclear", {408, 500, 502, 503, 504}, m.CannotSee, _UNCLEAR)',
                'Row("unclear", {408, 500, 502, 503, 504}, m.CannotSee, _FOR_NOW)',
            ),
        ),
        "tests/flow/test_removal_answers.py::test_unclear_after_the_effect",
    ),
    Mutant(
        "only a 429 is taken for not done",
        "genesys/answers.py",
        (('Row("too_many", {429}, m.CannotSee, Throttled),', 'Row("too_many", {429, 503}, m.CannotSee, Throttled),'),),
        "tests/genesys/test_answers.py::test_each_answer_has_its_meaning",
    ),
    Mutant(
        "the guard's path shapes",
        "outbound.py",
        (("return bool(self.path.fullmatch(path)) and", "return bool(self.path.match(path)) and"),),
        "tests/test_outbound.py::test_what_no_rule_allows_stays",
    ),
    Mutant(
        "the guard's body check",
        "outbound.py",
        (("and is_query_right and is_body_right", "and is_query_right"),),
        "tests/test_outbound.py::test_what_no_rule_allows_stays",
    ),
    Mutant(
        "the guard's check of method and origin",
        "outbound.py",
        (
            (
                "if (request.method, Origin.of(request.url)) != (self.method, self.origin):",
                "if request.method != self.method:",
            ),
        ),
        "tests/test_outbound.py::test_what_no_rule_allows_stays",
    ),
    Mutant(
        "no escaped path leaves",
        "outbound.py",
        (("""if b"%" in url.raw_path.partition(b"?")[0]:""", """if b"%%" in url.raw_path.partition(b"?")[0]:"""),),
        "tests/test_outbound.py::test_what_no_rule_allows_stays",
    ),
    Mutant(
        "past its deadline nothing leaves",
        "outbound.py",
        (("self._hold(deadline := request.extensions.get(DEADLINE))", "deadline = request.extensions.get(DEADLINE)"),),
        "tests/test_outbound.py::test_past_its_deadline_nothing_leaves",
    ),
    Mutant(
        "the deadline is looked at again right before the bytes",
        "outbound.py",
        (
            (
                "                self._hold(deadline)\n\n        return before",
                "                pass\n\n        return before",
            ),
        ),
        "tests/test_outbound_calls.py::test_the_deadline_is_looked_at_again_after_connecting",
    ),
)

ARRIVING = (
    Mutant(
        "a name twice in one object is refused",
        "sources/reading.py",
        (("        if name in fields:\n", "        if name in fields and not name:\n"),),
        "tests/sources/test_reading.py::test_what_is_not_strict_json",
    ),
    Mutant(
        "NaN and Infinity are refused",
        "sources/reading.py",
        (("parse_constant=_constant, ", ""),),
        "tests/sources/test_reading.py::test_what_is_not_strict_json",
    ),
    Mutant(
        "only UTF-8 is JSON",
        "sources/reading.py",
        (('text = body.decode("utf-8")', "text = body.decode(json.detect_encoding(body))"),),
        "tests/sources/test_reading.py::test_what_is_not_strict_json",
    ),
    Mutant(
        "JSON has a bounded depth",
        "sources/reading.py",
        (("        if depth > DEPTH:\n", "        if depth > 99 * DEPTH:\n"),),
        "tests/sources/test_reading.py::test_bounds_of_json",
    ),
    Mutant(
        "a signature must fit in full",
        "sources/signing.py",
        (("if hmac.compare_digest(token, expected):", "if hmac.compare_digest(token[:8], expected[:8]):"),),
        "tests/sources/test_signing.py::test_every_flipped_bit_is_seen",
    ),
    Mutant(
        "a stamp is fresh for five minutes",
        "sources/signing.py",
        (
            (
                "if stamped_at is not None and abs(delivery.received_at - stamped_at) > TOLERANCE_MS:",
                "if delivery.received_at < 0:",
            ),
        ),
        "tests/sources/test_signing.py::test_more_than_five_minutes_are_stale",
    ),
    Mutant(
        "an authentication header stands exactly once",
        "core/model/asking.py",
        (("return found[0] if len(found) == 1 else None", "return found[0] if found else None"),),
        "tests/sources/test_signing.py::test_each_header_stands_once",
    ),
    Mutant(
        "verified before it is parsed",
        "flow/intake.py",
        (
            (
                "        asked = source.parse(delivery, verified)\n",
                "        asked = source.parse(delivery, verified)\n        source.verify(delivery)\n",
            ),
            (
                "        verified = source.verify(delivery)\n",
                '        verified = m.Verified("", None, "")\n',
            ),
        ),
        "tests/flow/test_intake.py::test_refused",
    ),
)

CODE = (*REMOVAL, *LEAVING, *ARRIVING)
