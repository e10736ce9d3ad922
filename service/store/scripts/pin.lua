-- Remembers what a look resolved, before anything is done about it.
-- KEYS: [1] action:<id> hash [2] timeline:<id> list
-- derived keys: terms
-- ARGV: [1] now_ms [2] base [3] token [4] step [5] state it must be in [6] progress [7] held_by
--       [8] id [9] digests that it is found by from now on [10] entries: n, then verb, line of each
-- Returns: {'ok'} | {'done', ''} | {'lost'}
local stop = guard(KEYS[1], ARGV[3], ARGV[4], ARGV[5])
if stop then return stop end
expect('list', KEYS[2])
expect_index(ARGV[8])
redis.call('HSET', KEYS[1], 'progress', ARGV[6], 'held_by', ARGV[7], 'last_step', ARGV[4], 'last_answer', '')
index(ARGV[8], (terms_of(ARGV[9])))
push_entries(KEYS[2], 10)
return { 'ok' }
