-- Makes a dead letter due again: only a person asks for it.
-- KEYS: [1] report:<id> hash
-- derived keys: desks, the due:reports of its source; dead; audit of now
-- ARGV: [1] now_ms [2] base [3] step [4] dead [5] due [6] id [7] org [8] wake channel
--       [9] who and why, as JSON [10] life of the audit
-- Returns: 1 | 0 when it is no dead letter, was forgotten, or a newer version wrote it
expect('hash', KEYS[1])
local r = redis.call('HMGET', KEYS[1], 'v', 'state', 'last_step', 'source', 'forgotten')
if not READS[r[1]] then return 0 end
if r[3] == ARGV[3] then return 1 end
if r[2] ~= ARGV[4] or r[5] then return 0 end -- forgotten: nobody knows any more whom to tell
expect_desk(r[4])
expect('zset', keys.dead)
expect_audit()
redis.call('HSET', KEYS[1], 'state', ARGV[5], 'first_due_at', text(now), 'last_step', ARGV[3], 'last_answer', '')
due_at_desk(r[4], ARGV[6], now)
redis.call('ZREM', keys.dead, ARGV[6])
audit(ARGV[10], 'retell', ARGV[6], ARGV[9], r[4])
wake(ARGV[8], 'reports:' .. ARGV[7])
return 1
