-- Gives an action up for a while; its lease ends now.
-- KEYS: [1] action:<id> hash [2] timeline:<id> list [3] due:removals zset
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3] token [4] step [5] state it must be in [6] id [7] after ms [8] progress [9] held_by
--       [10] lapses that make a poison [11] entries: n, then verb, line of each
-- Returns: {'ok'} | {'done', ''} | {'lost'}
local stop = guard(KEYS[1], ARGV[3], ARGV[4], ARGV[5])
if stop then return stop end
expect('list', KEYS[2])
expect('zset', KEYS[3])
redis.call('HSET', KEYS[1], 'progress', ARGV[8], 'held_by', ARGV[9], 'last_step', ARGV[4], 'last_answer', '')
redis.call('HDEL', KEYS[1], 'token', 'worker', 'until')
-- lapses count in a row; what was found to kill its workers stays found
if tonumber(redis.call('HGET', KEYS[1], 'lapses')) < tonumber(ARGV[10]) then redis.call('HSET', KEYS[1], 'lapses', '0') end
redis.call('ZADD', KEYS[3], text(now + tonumber(ARGV[7])), ARGV[6])
push_entries(KEYS[2], 11)
return { 'ok' }
