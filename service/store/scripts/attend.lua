-- Says that a worker is there; who was not for two minutes is taken out.
-- KEYS: [1] workers hash
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3] worker [4] ms since it asked for work, '' for never [5] removals in hand
--       [6] ms until its token ends, '' for none [7] why it has none, as JSON [8] life [9] ms after which one is taken out
-- Returns: {'ok'}
expect('hash', KEYS[1])
local there = redis.call('HGETALL', KEYS[1])
for i = 1, #there, 2 do
  local seen = tonumber(string.match(there[i + 1], '^%[(%d+),'))
  -- ahead of now: the clock stepped back, and who is there says so again
  if not seen or math.abs(now - seen) > tonumber(ARGV[9]) then redis.call('HDEL', KEYS[1], there[i]) end
end
local claimed = ARGV[4] == '' and 0 or now - tonumber(ARGV[4])
local ends = ARGV[6] == '' and 0 or now + tonumber(ARGV[6])
redis.call('HSET', KEYS[1], ARGV[3], string.format('[%.0f,%.0f,%s,%.0f,%s]', now, claimed, ARGV[5], ends, ARGV[7]))
redis.call('PEXPIREAT', KEYS[1], text(now + tonumber(ARGV[8])))
return { 'ok' }
