-- Pushes the end of a lease a full lease away; a lease that is over stays over, so that a frozen worker changes nothing.
-- KEYS: [1] action:<id> or report:<id> hash [2] due:removals zset, absent for a report
-- derived keys: of a report the due:reports and the held of its source
-- ARGV: [1] now_ms [2] base [3] token [4] step [5] state it must be in [6] id [7] lease ms
-- Returns: {'ok'} | {'done'} | {'lost'}
expect('hash', KEYS[1])
-- a slot of its own: renewing runs beside the attempt's other steps
local r = redis.call('HMGET', KEYS[1], 'v', 'last_renewal', 'token', 'state', 'until', 'source')
if not READS[r[1]] then return { 'lost' } end
if r[2] == ARGV[4] then return { 'done' } end
if r[3] ~= ARGV[3] or r[4] ~= ARGV[5] or now >= tonumber(r[5]) then return { 'lost' } end
local due = KEYS[2] or keys.due_reports(r[6])
local held = not KEYS[2] and keys.held(r[6])
expect('zset', due)
if held then expect('zset', held) end
local lease_until = text(now + tonumber(ARGV[7]))
redis.call('HSET', KEYS[1], 'until', lease_until, 'last_renewal', ARGV[4])
redis.call('ZADD', due, lease_until, ARGV[6])
if held then
  redis.call('ZADD', held, lease_until, ARGV[6])
  redis.call('PEXPIREAT', held, lease_until)
end
return { 'ok' }
