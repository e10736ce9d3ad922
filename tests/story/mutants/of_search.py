"""The safeguards of the search, and of a person's drop, one taken out at a time."""

from __future__ import annotations

from tests.story.mutants.mutant import Mutant

_FINDS, _DROPS = "tests/store/test_archive.py", "tests/store/test_redis_drop.py"

SEARCH = (
    Mutant(
        "the record has the word, not the index",
        "store/archive.py",
        (("return not wanted or wanted == action.id or terms.names(", "return not wanted or True or terms.names("),),
        f"{_FINDS}::test_two_words_that_share_a_digest",
    ),
    Mutant(
        "a search looks through no more than it may",
        "store/scripts/find.lua",
        (("    left = left - 1\n", ""),),
        f"{_FINDS}::test_no_more_is_looked_through_than_may_be",
    ),
    Mutant(
        "a place to go on from is one",
        "store/archive.py",
        (("if after and _PLACE.fullmatch(after) is None:", "if after is None:"),),
        f"{_FINDS}::test_what_cannot_be_asked",
    ),
    Mutant(
        "who ended leaves the open ones",
        "store/scripts/prologue.lua",
        (("redis.call('SETRANGE', key, at, letter_of(kind_of(outcome)))", ""),),
        f"{_FINDS}::test_found_by_how_it_ended",
    ),
    Mutant(
        "what aged out leaves the index",
        "store/scripts/claim.lua",
        (("redis.call('EXISTS', unpack(texts)) < #texts", "redis.call('EXISTS', unpack(texts)) < 0"),),
        f"{_FINDS}::test_what_ages_out_leaves_the_index",
    ),
    Mutant(
        "what is open stays found",
        "store/scripts/prologue.lua",
        (("  redis.call('PERSIST', keys.terms)\n", ""),),
        f"{_FINDS}::test_how_long_the_index_stays",
    ),
    Mutant(
        "the index ends with its last action",
        "store/scripts/prologue.lua",
        (("if redis.call('ZCARD', due) == 0 then redis.call('PEXPIREAT', keys.terms, ends) end", ""),),
        f"{_FINDS}::test_how_long_the_index_stays",
    ),
    Mutant(
        "an action is found by a bounded number of words",
        "store/scripts/prologue.lua",
        ((" and #known < TERMS_MOST * (TERM_CHARS + 1) then", " then"),),
        f"{_FINDS}::test_a_flood_of_tickets",
    ),
    Mutant(
        "what is forgotten is not found",
        "store/scripts/forget.lua",
        (("unindex(id)", ""),),
        f"{_FINDS}::test_what_was_forgotten_is_not_found",
    ),
    Mutant(
        "what comes again leaves no word with the forgotten",
        "store/scripts/accept.lua",
        (("terms_of(joined == 'delivery' and '' or ARGV[33])", "terms_of(ARGV[33])"),),
        f"{_FINDS}::test_what_was_forgotten_is_not_found",
    ),
    Mutant(
        "pages of several orgs are in order of time",
        "flow/finding.py",
        ((" if _part(action) >= seen_to]", "]"),),
        "tests/flow/test_finding.py::test_pages_of_all",
    ),
    Mutant(
        "what was sent is not dropped",
        "store/scripts/drop.lua",
        (("if tonumber(r.sends) > 0 then return { 'sent' } end", ""),),
        f"{_DROPS}::test_what_cannot_be_dropped",
    ),
    Mutant(
        "what has ended is not dropped",
        "store/scripts/drop.lua",
        (("if r.state ~= ARGV[5] then return { 'ended' } end", ""),),
        f"{_DROPS}::test_what_cannot_be_dropped",
    ),
    Mutant(
        "a drop is done once, however often it is asked",
        "store/scripts/drop.lua",
        (("if r.last_step == ARGV[4] then return { 'done' } end", ""),),
        f"{_DROPS}::test_who_dropped_it_stands_in_the_audit",
    ),
    Mutant(
        "a newer version's action is not dropped",
        "store/scripts/drop.lua",
        (("if not READS[r.v] then return { 'unknown' } end", ""),),
        f"{_DROPS}::test_a_newer_version_sees_to_its_own",
    ),
    Mutant(
        "a search that met only another word's action goes on",
        "store/archive.py",
        (("if not last.endswith(_SPAN_ENDS):", "if rows or not last.endswith(_SPAN_ENDS):"),),
        "tests/store/test_archive.py::test_who_only_shares_a_digest_ends_no_search",
    ),
)
