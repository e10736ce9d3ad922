-- Ends an action: outcome written once, reports due, conversation free, and everything of it gets a life.
-- KEYS: [1] action:<id> hash [2] timeline:<id> list [3] due:removals zset [4] deliveries:<id> set
-- derived keys: conversation and intent of the action, delivery of each of its digests, report of each of its reports;
--       desks and the due:reports of their sources; audit and minutes of now; terms
-- ARGV: [1] now_ms [2] base [3] token [4] step [5] state it must be in [6] state it gets [7] id [8] org [9] wake channel
--       [10] outcome [11] '1' when a later delivery of the same wish may join [12] ms since the look, '' for none
--       [13] waiting [14] due [15] life of an action [16] of a delivery [17] of a hash-only delivery
--       [18] of who owned the conversation last [19] of the audit [20] kind of the outcome [21] kind and reason as JSON
--       [22] seconds from the click that a removal is counted under, '' when it was none
--       [23] entries: n, then verb, line of each
-- Returns: {'ok'} | {'done', ''} | {'lost'}
local stop = guard(KEYS[1], ARGV[3], ARGV[4], ARGV[5])
if stop then return stop end
local r = record(KEYS[1])
finish(r, expect_ending(r), 'settle', NOBODY)
return { 'ok' }
