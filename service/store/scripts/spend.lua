-- Takes one call from an org's budget (GCRA), or says how long to wait. A clock that steps back forgives, never locks out.
-- What Genesys said with its last answers comes along, so that it costs no way of its own.
-- KEYS: [1] floor hash [2] step:<step> string [3] budget string [4] allowance string [5] window:<process> hash
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3] call: look, disconnect or confirm [4] µs of a window [5] calls of a window, untold
--       [6] burst, untold [7] life of the step, and where Genesys said something: [8] calls of a window
--       [9] calls counted in the running one [10] ms until it is over [11] life of the allowance
-- Returns: 0 when taken | microseconds to wait, as a string
local bucket, allowance, window = KEYS[3], KEYS[4], KEYS[5]
local length = tonumber(ARGV[4])
local SAME = 2000 -- ms: a reset comes in whole seconds, and took its time to get here
expect('hash', KEYS[1])
expect('string', KEYS[2])
expect_purse(bucket, allowance, window)
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end

local function keep(seen)
  redis.call('HSET', window, 'ends', text(seen.ends), 'used', text(seen.used), 'own', text(seen.own),
    'is_told', seen.is_told, 'at', text(now))
  redis.call('PEXPIREAT', window, text(seen.ends))
end

if ARGV[8] then
  redis.call('SET', allowance, ARGV[8])
  redis.call('PEXPIREAT', allowance, text(now + tonumber(ARGV[11])))
  local seen, count, ends = window_of(window, length), tonumber(ARGV[9]), now + tonumber(ARGV[10])
  local is_told = seen.is_told == '1'
  if not is_told or ends <= seen.ends + SAME then
    -- ours that are still under way are not counted there yet; others' under the same token are not counted here
    seen.used = math.max(seen.used, count)
    seen.ends = is_told and math.max(seen.ends, ends) or ends
  else
    seen = { ends = ends, used = count, own = 0 } -- a new one has begun
  end
  seen.is_told = '1'
  if not is_told or ends >= seen.ends - SAME then keep(seen) end -- else it is of a window that is over
end

local floor = redis.call('HMGET', KEYS[1], 'until', 'length')
local wait = floor[1] and tonumber(floor[1]) - now or 0
if wait > 0 and wait <= tonumber(floor[2]) then return text(wait * 1000) end

local budget = budget_of(bucket, allowance, window, length, tonumber(ARGV[5]), tonumber(ARGV[6]))
wait = budget.wait(ARGV[3])
if wait > 0 then return text(wait) end
local new, seen = budget.tat + budget.pace, budget.seen
redis.call('SET', bucket, text(new))
redis.call('PEXPIREAT', bucket, text(math.ceil(new / 1000) + 1000))
seen.used, seen.own = seen.used + 1, seen.own + 1
keep(seen)
redis.call('SET', KEYS[2], '0')
redis.call('PEXPIREAT', KEYS[2], text(now + tonumber(ARGV[7])))
return 0
