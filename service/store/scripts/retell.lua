-- Makes a dead letter due again: only a person asks for it.
-- KEYS: [1] report:<id> hash [2] due:reports zset
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3] step [4] dead [5] due [6] id [7] org [8] wake channel
-- Returns: 1 | 0 when it is no dead letter
expect('hash', KEYS[1])
expect('zset', KEYS[2])
local r = redis.call('HMGET', KEYS[1], 'v', 'state', 'last_step')
if r[1] == V and r[3] == ARGV[3] then return 1 end
if r[1] ~= V or r[2] ~= ARGV[4] then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[5], 'first_due_at', text(now), 'last_step', ARGV[3], 'last_answer', '')
redis.call('ZADD', KEYS[2], text(now), ARGV[6])
wake(ARGV[8], 'reports:' .. ARGV[7])
return 1
