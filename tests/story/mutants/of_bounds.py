"""The bounds of what is taken in, and the guard against who runs away, one taken out at a time."""

from __future__ import annotations

from tests.story.mutants.mutant import Mutant

_STORE = "tests/store/test_redis_bounds.py"

BOUNDS = (
    Mutant(
        "a source over its rate is refused",
        "store/scripts/accept.lua",
        (("if taken and taken.wait > 0 then return { 'too many', text(taken.wait) } end", ""),),
        f"{_STORE}::test_one_rate_for_all_receivers",
    ),
    Mutant(
        "what is taken is counted by the rate",
        "store/scripts/accept.lua",
        (("if taken then count(taken) end", ""),),
        f"{_STORE}::test_so_many_at_once_and_then_one_each",
    ),
    Mutant(
        "what is refused takes nothing from the rate",
        "store/scripts/accept.lua",
        (("if taken and taken.wait > 0 then return", "if taken and taken.wait > 0 then count(taken) return"),),
        f"{_STORE}::test_what_is_refused_leaves_nothing",
    ),
    Mutant(
        "what comes again counts by the rate too",
        "store/scripts/accept.lua",
        (("local taken = source_rate > 0 and", "local taken = is_new and source_rate > 0 and"),),
        f"{_STORE}::test_what_comes_again_counts_too",
    ),
    Mutant(
        "a source's rate is its own",
        "store/scripts/accept.lua",
        (("room(keys.rate(ARGV[14]), source_rate)", "room(keys.rate('all'), source_rate)"),),
        f"{_STORE}::test_a_neighbour_is_not_refused",
    ),
    Mutant(
        "Retry-After is long enough",
        "store/offering.py",
        (("seconds = -(-int(micros) // 1_000_000)", "seconds = max(int(micros) // 1_000_000, 1)"),),
        f"{_STORE}::test_who_waits_so_long_is_taken",
    ),
    Mutant(
        "a full backlog takes nothing new",
        "store/scripts/accept.lua",
        ((">= backlog then return { 'full' } end", ">= backlog then is_new = true end"),),
        f"{_STORE}::test_a_full_backlog_takes_nothing_new",
    ),
    Mutant(
        "a duplicate is answered though the backlog is full",
        "store/scripts/accept.lua",
        (("if is_new and backlog > 0 and", "if backlog > 0 and"),),
        f"{_STORE}::test_a_duplicate_is_answered_though_it_is_full",
    ),
    Mutant(
        "who runs away pauses the source",
        "store/scripts/accept.lua",
        (("if is_runaway and redis.call('HSETNX'", "if is_runaway == 0 and redis.call('HSETNX'"),),
        f"{_STORE}::test_who_runs_away_is_stopped",
    ),
    Mutant(
        "a runaway is told once",
        "store/scripts/accept.lua",
        (("id == offered and r[3] or ''", "r[3] or ''"),),
        f"{_STORE}::test_who_runs_away_is_stopped",
    ),
    Mutant(
        "only the clicks of a minute make a runaway",
        "store/scripts/accept.lua",
        ((" and now - tonumber(redis.call('LINDEX', clicks, 0)) < MINUTE", ""),),
        f"{_STORE}::test_a_minute_is_a_minute",
    ),
    Mutant(
        "what is over a requester's rate makes no runaway",
        "store/scripts/accept.lua",
        (("is_new and not is_over and runaway > 0", "is_new and runaway > 0"),),
        f"{_STORE}::test_only_new_removals_are_counted",
    ),
    Mutant(
        "clicks by a clock that was ahead make no runaway",
        "store/scripts/accept.lua",
        (("> now then redis.call('DEL', clicks) end", "< 0 then redis.call('DEL', clicks) end"),),
        f"{_STORE}::test_who_ran_away_by_another_clock_is_forgiven",
    ),
    Mutant(
        "who removes nobody makes no runaway",
        "core/policy.py",
        (("terms.runaway > 0 and offer.intent_key is not None", "terms.runaway > 0"),),
        "tests/core/test_policy_bounds.py::test_who_removes_nobody_does_not_run_away",
    ),
    Mutant(
        "a ticket is told that somebody ran away",
        "store/scripts/claim.lua",
        (("then return why_paused(r.source), now", "then return 'paused', now"),),
        "tests/flow/test_runaway.py::test_who_runs_away_pauses_the_source",
    ),
    Mutant(
        "an operator is told that somebody ran away",
        "flow/intake.py",
        (("if receipt.is_runaway:", "if receipt.is_runaway and receipt.joined:"),),
        "tests/flow/test_runaway.py::test_who_runs_away_pauses_the_source",
    ),
    Mutant(
        "the backlog's bound is the operator's",
        "wiring/processes.py",
        (("place.terms_of, backlog, place.spans", "place.terms_of, 0, place.spans"),),
        "tests/story/test_admission.py::test_a_full_backlog",
    ),
    Mutant(
        "the rounds wake whom they found work for",
        "flow/rounds.py",
        (("                bell.set()\n", ""),),
        "tests/flow/test_rounds.py::test_a_lost_wake_costs_a_second",
    ),
    Mutant(
        "the rounds say nothing of one that hangs",
        "flow/rounds.py",
        (("            del self._resting[org, kind]\n", ""),),
        "tests/flow/test_rounds.py::test_who_hangs_is_seen",
    ),
    Mutant(
        "a Redis that would not read its file is said",
        "store/health.py",
        (('if answer == "OK":', "if answer:"),),
        "tests/store/test_health.py::test_a_file_that_would_not_be_read",
    ),
    Mutant(
        "so many requests wait behind one on a connection",
        "web/protocol.py",
        (("if len(self.pipeline) >= self.limits.pipelined:", "if len(self.pipeline) >= 1_000_000:"),),
        "tests/web/test_protocol_crowd.py::test_so_many_requests_behind_one",
    ),
    Mutant(
        "half a body behind another request keeps out nobody",
        "web/protocol.py",
        (
            (
                "            self.receiving.add(self)\n        self._answered()\n",
                "            pass\n        self._answered()\n",
            ),
        ),
        "tests/web/test_protocol_crowd.py::test_half_a_body_behind_another_keeps_out_nobody",
    ),
    Mutant(
        "pipelines that are stuck leave connections to who asks alone",
        "store/client.py",
        ((" and self._unanswered[place] < PIPELINES_MOST", ""),),
        "tests/store/test_client.py::test_what_is_stuck_leaves_connections_to_others",
    ),
)
