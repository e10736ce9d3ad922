-- Takes one call from an org's budget (GCRA), or says how long to wait. A clock that steps back forgives, never locks out.
-- KEYS: [1] budget string [2] floor hash [3] step:<step> string
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3] emission interval µs [4] burst for this call [5] burst for any call [6] life of the step
-- Returns: 0 when taken | microseconds to wait, as a string
expect('string', KEYS[1])
expect('hash', KEYS[2])
expect('string', KEYS[3])
if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
local floor = redis.call('HMGET', KEYS[2], 'until', 'length')
local wait = floor[1] and tonumber(floor[1]) - now or 0
if wait > 0 and wait <= tonumber(floor[2]) then return text(wait * 1000) end

local interval = tonumber(ARGV[3])
local tat = tonumber(redis.call('GET', KEYS[1]) or micros)
if tat - micros > interval * tonumber(ARGV[5]) + 1 then tat = micros end -- further ahead than any call could bring it
if tat < micros then tat = micros end
local new = tat + interval
local allowed = new - interval * tonumber(ARGV[4])
if allowed > micros then return text(allowed - micros) end
redis.call('SET', KEYS[1], text(new))
redis.call('PEXPIREAT', KEYS[1], text(math.ceil(new / 1000) + 1000))
redis.call('SET', KEYS[3], '0')
redis.call('PEXPIREAT', KEYS[3], text(now + tonumber(ARGV[6])))
return 0
