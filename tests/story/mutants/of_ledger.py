"""The safeguards of what is written down beside the promises: each taken out once."""

from __future__ import annotations

from tests.story.mutants.mutant import Mutant

_LEDGER = "tests/store/test_ledger.py::"
_SCRIPTS = "store/scripts/"

LEDGER = (
    Mutant(
        "an end and its line in the audit are one step",
        _SCRIPTS + "prologue.lua",
        (("  audit(ARGV[19], deed, id, by, r.source, ARGV[21], tonumber(r.clicked_at))\n", ""),),
        _LEDGER + "test_an_end_is_a_line",
    ),
    Mutant(
        "a replay and its line in the audit are one step",
        _SCRIPTS + "accept.lua",
        (("  if by ~= '' then audit(audit_life, ", "  if not by then audit(audit_life, "),),
        _LEDGER + "test_what_a_person_does_is_a_line",
    ),
    Mutant(
        "a note told again and its line in the audit are one step",
        _SCRIPTS + "retell.lua",
        (("audit(ARGV[10], 'retell', ARGV[6], ARGV[9], r[4])", ""),),
        _LEDGER + "test_what_a_person_does_is_a_line",
    ),
    Mutant(
        "a pause that is asked for again is one, and one line",
        _SCRIPTS + "pause.lua",
        (("if redis.call('EXISTS', KEYS[2]) == 1 then return 1 end", ""),),
        _LEDGER + "test_a_repeat_does_not_pause_again",
    ),
    Mutant(
        "what was forgotten already is no second line",
        _SCRIPTS + "forget.lua",
        (("if r.removal ~= ARGV[9] then audit(", "if r then audit("),),
        _LEDGER + "test_what_is_forgotten_is_a_line",
    ),
    Mutant(
        "the runaway guard's pause is a line",
        _SCRIPTS + "accept.lua",
        (("      audit(audit_life, 'pause', ARGV[14], NOBODY, ARGV[14], '\"\",\"runaway\"')\n", ""),),
        _LEDGER + "test_a_runaway_is_nobodys_pause",
    ),
    Mutant(
        "the words of a person's pause do not make it the guard's",
        _SCRIPTS + "claim.lua",
        (("string.find(paused[source], '^%d+ runaway$')", "string.find(paused[source], 'runaway', 1, true)"),),
        _LEDGER + "test_a_pause_says_whose_it_is",
    ),
    Mutant(
        "nobody who reads on misses what a clock that stepped back brings",
        _SCRIPTS + "prologue.lua",
        (("return redis.call('EXISTS', keys.audit(text(day + 1))) == 1 and day + 1 or day", "return day"),),
        _LEDGER + "test_a_clock_that_steps_back_over_midnight",
    ),
    Mutant(
        "a day of the audit ends",
        _SCRIPTS + "prologue.lua",
        (("  redis.call('PEXPIREAT', key, text((day + 1) * DAY + tonumber(life)))\n", ""),),
        _LEDGER + "test_a_day_of_the_audit_ages_out",
    ),
    Mutant(
        "an hour of minutes ends",
        _SCRIPTS + "prologue.lua",
        (("  redis.call('PEXPIREAT', key, text((hour + 26) * HOUR))", "  local _ = hour"),),
        _LEDGER + "test_minutes_are_of_bounded_size",
    ),
    Mutant(
        "nothing that a person writes hides in the audit, or ends its line",
        "store/records.py",
        (('"".join(filter(str.isprintable, text)).strip()', "text.strip()"),),
        _LEDGER + "test_words_of_a_person",
    ),
    Mutant(
        "no number stands in a person's reason",
        "store/records.py",
        (("without_numbers(why)[:WHY_CHARS]", "why[:WHY_CHARS]"),),
        _LEDGER + "test_words_of_a_person",
    ),
    Mutant(
        "what is told again is no dead letter any more",
        _SCRIPTS + "retell.lua",
        (("redis.call('ZREM', keys.dead, ARGV[6])", ""),),
        _LEDGER + "test_dead_letters",
    ),
    Mutant(
        "a dead letter ends with its report",
        _SCRIPTS + "dead.lua",
        (("for _, id in ipairs(over) do redis.call('ZREM', KEYS[1], id) end", ""),),
        _LEDGER + "test_dead_letters",
    ),
    Mutant(
        "a dead letter of what was forgotten is told to nobody",
        _SCRIPTS + "forget.lua",
        (("do redis.call('ZREM', keys.dead, report) end", "do local _ = report end"),),
        _LEDGER + "test_a_forgotten_letter_is_told_to_nobody",
    ),
    Mutant(
        "a worker that says nothing any more is gone",
        _SCRIPTS + "workers.lua",
        (("if math.abs(now - seen) <= tonumber(ARGV[3]) then", "if seen then"),),
        _LEDGER + "test_workers",
    ),
    Mutant(
        "what only watches ends no work",
        "flow/worker.py",
        (
            (
                "        except Exception as fault:  # noqa: BLE001 - who only watches must not end the work\n",
                "        except LeaseLost as fault:\n",
            ),
        ),
        "tests/flow/test_worker_attendance.py::test_nobody_waits_for_it",
    ),
)
