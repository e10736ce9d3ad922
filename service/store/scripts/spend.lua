-- Takes one call from an org's budget (GCRA), or says how long to wait. A clock that steps back forgives, never locks out.
-- What Genesys said with its last answers comes along, so that it costs no way of its own.
-- KEYS: [1] step:<step> string [2] floor hash [3] budget string [4] allowance string [5] window:<process> hash
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3] call: look, disconnect or confirm [4] life of the step [5] µs of a window
--       [6] calls of a window, untold [7] burst, untold [8] calls of a window as Genesys said, '' where it said nothing
--       [9] calls counted in the running one [10] ms until it is over [11] life of the allowance
-- Returns: 0 when taken | microseconds to wait, as a string
expect('string', KEYS[1])
expect_spending(2)
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local wait = spent(ARGV[3], 2, 5)
if wait > 0 then return text(wait) end
redis.call('SET', KEYS[1], '0')
redis.call('PEXPIREAT', KEYS[1], text(now + tonumber(ARGV[4])))
return 0
