"""The safeguards that stand in Redis' scripts, and in how they are asked, each taken out once."""

from __future__ import annotations

from tests.story.mutants.mutant import Mutant

_GUARD = "local stop = guard(KEYS[1], ARGV[3], ARGV[4], ARGV[5])"
# whoever asks is taken for the one who holds the lease
_ANYBODY = "local stop = guard(KEYS[1], redis.call('HGET', KEYS[1], 'token') or '', ARGV[4], ARGV[5])"
_WORDED = "        names, words = self._offering.words_of(offer)\n"
# asked first and written in a second trip, as if nobody could come between
_FORGET_UNLESS_SEEN = """\
        told = [self._keys.delivery(offer.org, offer.delivery_key)]
        told += [self._keys.intent(offer.org, offer.intent_key)] if offer.intent_key else []
        if not await self._runner.ask("EXISTS", *told):
            await self._runner.ask("DEL", *told)
"""


def _unguarded(step: str, caught_by: str) -> Mutant:
    return Mutant(f"the token check of {step}", f"store/scripts/{step}.lua", ((_GUARD, _ANYBODY),), caught_by)


_REPEATS = "tests/store/test_redis_repeats.py::test_a_foreign_token_writes_nothing"
HOLDING = (
    *(_unguarded(step, _REPEATS) for step in ("settle", "answered", "unsent", "put_back", "pin")),
    Mutant(
        "the token check of mark_sent",
        "store/scripts/mark_sent.lua",
        ((_GUARD.replace("ARGV[4]", "step"), _ANYBODY.replace("ARGV[4]", "step")),),
        "tests/store/test_redis_repeats.py::test_a_foreign_token_writes_nothing",
    ),
    _unguarded("end_report", "tests/store/test_redis_repeats.py::test_a_foreign_token_tells_nothing"),
    Mutant(
        "the token check of renew",
        "store/scripts/renew.lua",
        (("r[3] ~= ARGV[3] or ", ""),),
        "tests/store/test_redis_repeats.py::test_a_foreign_token_writes_nothing",
    ),
    Mutant(
        "a step is done once, however often it is asked",
        "store/scripts/prologue.lua",
        (("if r[2] == step then return { 'done', r[3] or '' } end", ""),),
        "tests/store/test_redis_repeats.py::test_a_lost_reply_is_asked_again",
    ),
    Mutant(
        "what a newer version wrote is written by no step",
        "store/scripts/prologue.lua",
        (("if not READS[r[1]] then return { 'lost' } end", ""),),
        "tests/store/test_redis_repeats.py::test_what_is_not_there_cannot_be_held",
    ),
    Mutant(
        "what a newer version wrote is not claimed",
        "store/scripts/claim.lua",
        (("if r[1] and not READS[r[1]] then return 'newer' end", ""),),
        "tests/store/test_redis_claim.py::test_a_newer_versions_action_is_left_alone",
    ),
    Mutant(
        "what a newer version wrote is left due for its own worker",
        "store/scripts/claim.lua",
        (("if 2 * #newer > tonumber(ARGV[8]) then", "if true then"),),
        "tests/store/test_redis_claim.py::test_a_newer_versions_action_is_left_alone",
    ),
    Mutant(
        "an outcome is written once",
        "store/scripts/settle.lua",
        ((_GUARD, "local stop"),),
        "tests/store/test_redis.py::test_an_outcome_is_written_once",
    ),
    Mutant(
        "a lease that is over is not renewed",
        "store/scripts/renew.lua",
        ((" or now >= tonumber(r[5])", ""),),
        "tests/store/test_redis.py::test_a_lease_that_is_over_is_not_renewed",
    ),
    Mutant(
        "nothing is marked under a lease that is over",
        "store/scripts/mark_sent.lua",
        (("if now >= lease_until then return { 'lost' } end", ""),),
        "tests/store/test_redis_sending.py::test_nothing_is_marked_after_the_lease",
    ),
    Mutant(
        "nothing is marked past not-after",
        "store/scripts/mark_sent.lua",
        (("if now >= not_after then return { 'late' } end", ""),),
        "tests/store/test_redis_sending.py::test_nothing_is_marked_past_not_after",
    ),
    Mutant(
        "a send has no longer than its lease and its not-after",
        "store/scripts/mark_sent.lua",
        (("math.min(tonumber(ARGV[8]), lease_until - now, not_after - now)", "tonumber(ARGV[8])"),),
        "tests/store/test_redis_sending.py::test_how_long_a_send_may_take",
    ),
    Mutant(
        "a conversation has one owner (mark_sent)",
        "store/scripts/mark_sent.lua",
        (("if (owner and owner ~= id) or (", "if ("),),
        "tests/store/test_redis_sending.py::test_two_claims_one_mark",
    ),
    Mutant(
        "nobody owned the conversation since the look (mark_sent)",
        "store/scripts/mark_sent.lua",
        ((" or (epoch ~= ARGV[7] and released_by ~= id)", ""),),
        "tests/store/test_redis_sending.py::test_who_looked_before_the_owner_settled_looks_again",
    ),
    Mutant(
        "a conversation has one owner (claim)",
        "store/scripts/claim.lua",
        (("if owner and owner ~= id then return 'busy', now + OWNED_AGAIN end", ""),),
        "tests/store/test_redis_claim.py::test_one_conversation_one_owner",
    ),
    Mutant(
        "the conversation is free when the action is settled",
        "store/scripts/prologue.lua",
        (("release(ending.conversation, id, step, tonumber(ARGV[18]))", ""),),
        "tests/store/test_redis_claim.py::test_one_conversation_one_owner",
    ),
    Mutant(
        "only the last unanswered mark is taken back",
        "store/scripts/unsent.lua",
        (("if r[1] ~= n or r[3] ~= '' then return { 'no such send' } end", ""),),
        "tests/store/test_redis_sending.py::test_only_the_last_open_mark_is_taken_back",
    ),
    Mutant(
        "what may still land keeps the conversation",
        "store/scripts/unsent.lua",
        (("if not is_ours then release(", "if n then release("),),
        "tests/store/test_redis_sending.py::test_what_may_still_land_keeps_the_conversation",
    ),
)

TAKING = (
    Mutant(
        "claims that end by the end of the lease are counted",
        "store/scripts/claim.lua",
        (("if r.token then lapses = lapses + 1 end", ""),),
        "tests/store/test_redis_claim.py::test_what_a_crashed_worker_held_comes_due",
    ),
    Mutant(
        "what was found to kill its workers stays found",
        "store/scripts/put_back.lua",
        (
            (
                "if tonumber(redis.call('HGET', KEYS[1], 'lapses')) < tonumber(ARGV[10]) then redis.call",
                "if KEYS[1] then redis.call",
            ),
        ),
        "tests/store/test_redis_claim.py::test_giving_back_ends_a_row_of_lapses",
    ),
    Mutant(
        "what is claimed is nobody else's until the lease ends",
        "store/scripts/claim.lua",
        (("redis.call('ZADD', KEYS[1], text(lease_until), id)", ""),),
        "tests/store/test_redis_claim.py::test_what_is_held_is_not_taken",
    ),
    Mutant(
        "a pause holds claims",
        "store/scripts/claim.lua",
        (("if now < not_after and (paused[''] or paused[r.source]) then", "if now < not_after and paused['-'] then"),),
        "tests/store/test_redis_claim.py::test_a_pause_holds",
    ),
    Mutant(
        "the late are claimed also while paused",
        "store/scripts/claim.lua",
        (
            ("(now >= not_after or r.is_over_rate == '1')", "r.is_over_rate == '1'"),
            ("if now < not_after and (paused[''] ", "if (paused[''] "),
        ),
        "tests/store/test_redis_claim.py::test_the_late_are_taken_while_paused",
    ),
    Mutant(
        "Retry-After is a floor for claims",
        "store/scripts/claim.lua",
        (("floor_left > 0 and 0 or budget.carries(call)", "budget.carries(call)"),),
        "tests/store/test_redis_claim.py::test_a_floor_holds",
    ),
    Mutant(
        "Retry-After is a floor for calls",
        "store/scripts/prologue.lua",
        (("if wait > 0 and wait <= tonumber(floor[2]) then return wait * 1000 end", ""),),
        "tests/store/test_budget.py::test_a_floor_for_all",
    ),
    Mutant(
        "a Retry-After never shortens another",
        "store/scripts/throttle.lua",
        (("if ends - now > left then", "if ends then"),),
        "tests/store/test_budget.py::test_a_floor_is_never_lowered",
    ),
    Mutant(
        "a call that the budget does not carry is not made",
        "store/scripts/prologue.lua",
        (("if wait > 0 then return wait end", ""),),
        "tests/store/test_budget.py::test_a_burst_then_one_by_one",
    ),
    Mutant(
        "what the budget does not carry is not marked",
        "store/scripts/mark_sent.lua",
        (("if wait > 0 then return { 'wait', text(wait) } end", ""),),
        "tests/store/test_redis_sending.py::test_a_mark_takes_its_call_from_the_budget",
    ),
    Mutant(
        "a look that is handed out with a claim is taken from the budget",
        "store/scripts/claim.lua",
        (("if paid > 0 then budget.take(paid) end", ""),),
        "tests/store/test_redis_claim.py::test_a_look_is_paid_with_the_claim",
    ),
    Mutant(
        "what was begun is ended before more is begun (calls)",
        "store/scripts/prologue.lua",
        (("look = 0.5, disconnect = 0.75, confirm = 1", "look = 1, disconnect = 1, confirm = 1"),),
        "tests/store/test_budget.py::test_what_was_begun_is_ended_first",
    ),
    Mutant(
        "what was begun is ended before more is begun (claims)",
        "store/scripts/claim.lua",
        (("local call = sends > 0 and 'confirm' or 'look'", "local call = 'look'"),),
        "tests/store/test_redis_claim.py::test_what_was_begun_is_claimed_first",
    ),
    Mutant(
        "what Genesys says that a window has is what leaves in one",
        "store/scripts/prologue.lua",
        (("tonumber(redis.call('GET', allowance) or told)", "told"),),
        "tests/store/test_budget.py::test_the_allowance_is_learned",
    ),
    Mutant(
        "what others spend under the same token is left to them",
        "store/scripts/prologue.lua",
        (("seen.used = math.max(seen.used, tonumber(count))", ""),),
        "tests/store/test_budget.py::test_what_others_spend_narrows_it",
    ),
    Mutant(
        "what others will go on to spend is left to them",
        "store/scripts/prologue.lua",
        (("allowed - seen.used - others", "allowed - seen.used"),),
        "tests/store/test_budget.py::test_what_others_will_spend_is_left_to_them",
    ),
    Mutant(
        "what we spent ourselves shuts the window",
        "store/scripts/prologue.lua",
        (("if seen.own >= allowed then shut = seen.ends end", ""),),
        "tests/store/test_budget.py::test_our_own_count_shuts_the_window",
    ),
    Mutant(
        "no header shuts an org out: the trickle",
        "store/scripts/prologue.lua",
        (("local TRICKLE = 30", "local TRICKLE = 1"),),
        "tests/store/test_budget.py::test_no_header_shuts_an_org_out",
    ),
    Mutant(
        "a desk has two calls at a time",
        "store/scripts/claim_reports.lua",
        (("      bears = bears - 1\n", ""),),
        "tests/store/test_redis_reports.py::test_no_more_at_a_desk_than_it_bears",
    ),
)

ACCEPTING = (
    Mutant(
        "check and write are one step (atomic accept)",
        "store/redis.py",
        (
            (
                _WORDED,
                _WORDED + _FORGET_UNLESS_SEEN,
            ),
        ),
        "tests/store/test_redis_sameness.py::test_a_thousand_at_once",
    ),
    Mutant(
        "the same delivery is the same action",
        "store/scripts/accept.lua",
        (("  id, joined = seen.action, 'delivery'\n", ""),),
        "tests/store/test_redis_sameness.py::test_the_same_delivery_is_the_same_action",
    ),
    Mutant(
        "the same delivery with another body is a conflict",
        "store/scripts/accept.lua",
        (("if seen.body_hash ~= string.sub(body, 1, #seen.body_hash) then return { 'conflict' } end", ""),),
        "tests/store/test_redis_sameness.py::test_another_body_under_the_same_id",
    ),
    Mutant(
        "the same wish is the same action",
        "store/scripts/accept.lua",
        (("    id, joined = pointed, 'intent'\n", ""),),
        "tests/store/test_redis_sameness.py::test_the_same_wish",
    ),
    Mutant(
        "a click after the confirming look is a new action",
        "store/scripts/accept.lua",
        (("(r[3] == '1' and tonumber(r[4]) >= latest)", "r[3] == '1'"),),
        "tests/store/test_redis_sameness.py::test_the_same_wish",
    ),
    Mutant(
        "only who was seen gone is joined after the end",
        "store/ending.py",
        (('"1" if outcome.kind in _JOINED_AFTER else "",', '"1",'),),
        "tests/store/test_redis_sameness.py::test_the_same_wish",
    ),
    Mutant(
        "a fresh click does not expire with an old one",
        "store/scripts/accept.lua",
        (("2 * (not_after - now) >= clicked + tonumber(ARGV[19]) - now", "not_after > now"),),
        "tests/store/test_redis_sameness.py::test_a_fresh_click_is_not_late_with_the_old_one",
    ),
    Mutant(
        "a click waits for no other source's pause",
        "store/scripts/accept.lua",
        (("return not is_held and 2 *", "return 2 *"),),
        "tests/store/test_redis_sameness.py::test_a_click_is_not_held_by_another_sources_pause",
    ),
    Mutant(
        "a click after its receipt counts as received then",
        "store/scripts/accept.lua",
        (("clicked = math.min(event, now)", "clicked = event"),),
        "tests/store/test_redis.py::test_the_click",
    ),
    Mutant(
        "our own repeat is known",
        "store/scripts/accept.lua",
        (("if not id and redis.call('EXISTS', KEYS[3]) == 1 then return answer('', offered) end", ""),),
        "tests/store/test_redis_sameness.py::test_an_action_is_never_overwritten",
    ),
    Mutant(
        "one ticket is told once",
        "store/scripts/accept.lua",
        (("if not are_there[report] then", "if report then"),),
        "tests/store/test_redis_sameness.py::test_each_ticket_is_told_once",
    ),
    Mutant(
        "phone numbers go with the end",
        "store/scripts/prologue.lua",
        (("if r.masked and r.masked ~= '' then redis", "if r.masked and r.masked == '-' then redis"),),
        "tests/store/test_redis.py::test_phone_numbers_go_with_the_end",
    ),
    Mutant(
        "a claim asked again is the same claim",
        "store/scripts/claim.lua",
        (("if before then\n", "if before == '-' then\n"),),
        "tests/store/test_redis_repeats.py::test_a_lost_reply_is_asked_again",
    ),
)

SCRIPTS = (*HOLDING, *TAKING, *ACCEPTING)
