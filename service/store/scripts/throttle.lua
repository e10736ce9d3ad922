-- Lets nobody of an org call Genesys for a while: a Retry-After is a floor for all workers, and never shortens another.
-- KEYS: [1] floor hash [2] step:<step> string
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3] ms [4] life of the step
-- Returns: 1
expect('hash', KEYS[1])
expect('string', KEYS[2])
if redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
local ends = now + tonumber(ARGV[3])
local floor = redis.call('HMGET', KEYS[1], 'until', 'length')
local left = floor[1] and tonumber(floor[1]) - now or 0
if left > tonumber(floor[2] or 0) then left = 0 end -- the clock stepped back: forgive
if ends - now > left then
  -- the length tells a floor that is far away from a clock that stepped back
  redis.call('HSET', KEYS[1], 'until', text(ends), 'length', ARGV[3])
  redis.call('PEXPIREAT', KEYS[1], text(ends))
end
redis.call('SET', KEYS[2], '0')
redis.call('PEXPIREAT', KEYS[2], text(now + tonumber(ARGV[4])))
return 1
