-- Remembers refused deliveries of one source; of each only so many, the newest.
-- KEYS: [1] refusals list [2] step:<step> string
-- derived keys: minutes of now
-- ARGV: [1] now_ms [2] base [3] most [4] life [5] life of the step [6] source [7] how many were
--       refused [8..] a line each of the newest of them, the oldest first
-- Returns: 1
expect('list', KEYS[1])
expect('string', KEYS[2])
expect_minutes()
if redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
tally('refused:' .. ARGV[6], ARGV[7])
for i = 8, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[3]), -1)
redis.call('PEXPIREAT', KEYS[1], text(now + tonumber(ARGV[4])))
redis.call('SET', KEYS[2], '0')
redis.call('PEXPIREAT', KEYS[2], text(now + tonumber(ARGV[5])))
return 1
