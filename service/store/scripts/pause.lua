-- Pauses or resumes an org, or one source of it; as often as asked.
-- KEYS: [1] paused hash [2] step:<step> string
-- derived keys: audit of now
-- ARGV: [1] now_ms [2] base [3] source, '' for the whole org [4] '1' to pause, '' to resume [5] org [6] wake channel
--       [7] who and why, as JSON [8] life of the step [9] of the audit
-- Returns: 1
expect('hash', KEYS[1])
expect('string', KEYS[2])
expect_audit()
if redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
if ARGV[4] == '1' then
  redis.call('HSETNX', KEYS[1], ARGV[3], text(now) .. ' [' .. ARGV[7] .. ']') -- since when; the first pause counts
else
  redis.call('HDEL', KEYS[1], ARGV[3])
  wake(ARGV[6], 'removals:' .. ARGV[5])
end
audit(ARGV[9], ARGV[4] == '1' and 'pause' or 'resume', ARGV[3], ARGV[7], ARGV[3])
redis.call('SET', KEYS[2], '1')
redis.call('PEXPIREAT', KEYS[2], text(now + tonumber(ARGV[8])))
return 1
