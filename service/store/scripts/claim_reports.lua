-- Takes due reports of settled actions under leases, earliest first. Idempotent by its token.
-- KEYS: [1] due:reports zset [2] claim:<token> string
-- derived keys: report and its action, of each that is looked at
-- ARGV: [1] now_ms [2] base [3] token [4] worker [5] limit [6] lease ms [7] due [8] settled [9] most to look at
--       [10] ms to leave an unknown version alone
-- Returns: {now, lease end, {id, {field, value, …} of the report, {field, value, …} of its action}, …}
local token, limit = ARGV[3], tonumber(ARGV[5])

local function action_of(report) return keys.action(string.match(report, '^(.+)%.[^.]+$')) end

local function claimed(id)
  local _, report = record(keys.report(id))
  local _, action = record(action_of(id))
  return { id, report, action }
end

expect('zset', KEYS[1])
expect('string', KEYS[2])
local before = redis.call('GET', KEYS[2])
if before then
  local words = {}
  for word in string.gmatch(before, '%S+') do words[#words + 1] = word end
  local answer = { words[1], words[2] }
  for i = 3, #words do
    if redis.call('HGET', keys.report(words[i]), 'token') == token then answer[#answer + 1] = claimed(words[i]) end
  end
  return answer
end

local lease_until = now + tonumber(ARGV[6])
local ids = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', '0', ARGV[9])) do
  if #ids >= limit then break end
  local key = keys.report(id)
  local is_ours = is_a('hash', key) and is_a('hash', action_of(id))
  local r = is_ours and redis.call('HMGET', key, 'v', 'state', 'tries') or {}
  local action = is_ours and redis.call('HMGET', action_of(id), 'v', 'state') or {}
  if not is_ours or (r[1] and r[1] ~= V) or (action[1] and action[1] ~= V) then
    redis.call('ZADD', KEYS[1], text(now + tonumber(ARGV[10])), id)
  elseif r[2] ~= ARGV[7] or action[2] ~= ARGV[8] then
    redis.call('ZREM', KEYS[1], id) -- told, dead, or its life is over
  else
    redis.call('HSET', key, 'token', token, 'worker', ARGV[4], 'until', text(lease_until),
      'tries', text(tonumber(r[3]) + 1))
    redis.call('ZADD', KEYS[1], text(lease_until), id)
    ids[#ids + 1] = id
  end
end
local answer = { text(now), text(lease_until) }
if #ids > 0 then
  local index = text(now) .. ' ' .. text(lease_until) .. ' ' .. table.concat(ids, ' ')
  redis.call('SET', KEYS[2], index)
  redis.call('PEXPIREAT', KEYS[2], text(lease_until))
end
for _, id in ipairs(ids) do answer[#answer + 1] = claimed(id) end
return answer
