-- Pauses or resumes an org, or one source of it; as often as asked.
-- KEYS: [1] paused hash
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3] source, '' for the whole org [4] '1' to pause, '' to resume [5] org [6] wake channel
-- Returns: 1
expect('hash', KEYS[1])
if ARGV[4] == '1' then
  redis.call('HSETNX', KEYS[1], ARGV[3], text(now)) -- since when; the first pause counts
else
  redis.call('HDEL', KEYS[1], ARGV[3])
  wake(ARGV[6], 'removals:' .. ARGV[5])
end
return 1
