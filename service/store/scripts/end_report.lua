-- Ends a try to tell a report: told, dead, or due again later. One script, because they differ in three words only.
-- KEYS: [1] report:<id> hash [2] due:reports zset [3] timeline:<its action> list
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3] token [4] step [5] state it must be in [6] state it gets [7] id
--       [8] ms until it is due again, '' for never [9] error [10] tail of a line after its moment and worker, '' for none
--       [11] entries: n, then verb, line of each
-- Returns: {'ok'} | {'done', ''} | {'lost'}
local stop = guard(KEYS[1], ARGV[3], ARGV[4], ARGV[5])
if stop then return stop end
expect('zset', KEYS[2])
expect('list', KEYS[3])
local worker = redis.call('HGET', KEYS[1], 'worker')
redis.call('HSET', KEYS[1], 'state', ARGV[6], 'error', ARGV[9], 'last_step', ARGV[4], 'last_answer', '')
redis.call('HDEL', KEYS[1], 'token', 'worker', 'until')
if ARGV[8] == '' then
  redis.call('ZREM', KEYS[2], ARGV[7])
else
  redis.call('ZADD', KEYS[2], text(now + tonumber(ARGV[8])), ARGV[7])
end
if ARGV[10] ~= '' then
  push(KEYS[3], 'report', string.format('{"verb":"report","at":%.0f,"worker":"%s",', now, worker) .. ARGV[10])
end
push_entries(KEYS[3], 11)
return { 'ok' }
