-- Takes due reports of settled actions under leases: of each desk the earliest, and no more at once than it bears.
-- Idempotent by its token.
-- KEYS: [1] desks set [2] claim:<token> string
-- derived keys: the due:reports and the held of each desk; report and its action, of each that is looked at
-- ARGV: [1] now_ms [2] base [3] token [4] worker [5] limit [6] lease ms [7] due [8] settled [9] most to look at
--       [10] ms to leave an odd key alone, or very many of a newer version
--       [11] most at one desk at once, of all workers
-- Returns: {now, lease end, {id, {field, value, …} of the report, {field, value, …} of its action}, …}
local token, limit = ARGV[3], tonumber(ARGV[5])

local function action_of(report) return keys.action(string.match(report, '^(.+)%.[^.]+$')) end

local function claimed(id)
  local _, report = record(keys.report(id))
  local _, action = record(action_of(id))
  return { id, report, action }
end

expect('set', KEYS[1])
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

-- Who has waited longest comes first; a desk with nothing due is none any more.
local desks = {}
for _, source in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if is_a('zset', keys.due_reports(source)) and is_a('zset', keys.held(source)) then
    local first = redis.call('ZRANGE', keys.due_reports(source), 0, 0, 'WITHSCORES')
    if not first[1] then
      redis.call('SREM', KEYS[1], source)
    elseif tonumber(first[2]) <= now then
      desks[#desks + 1] = { source = source, first = tonumber(first[2]) }
    end
  end
end
table.sort(desks, function(a, b) return a.first < b.first or (a.first == b.first and a.source < b.source) end)

local lease_until = now + tonumber(ARGV[6])
local ids = {}
for _, desk in ipairs(desks) do
  local due, held = keys.due_reports(desk.source), keys.held(desk.source)
  local bears = tonumber(ARGV[11]) - redis.call('ZCOUNT', held, '(' .. text(now), '+inf')
  local newer = {} -- left due as they were, but for very many: see claim
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', text(now), 'LIMIT', '0', ARGV[9])) do
    if #ids >= limit or bears <= 0 then break end
    local key = keys.report(id)
    local is_ours = is_a('hash', key) and is_a('hash', action_of(id))
    local r = is_ours and redis.call('HMGET', key, 'v', 'state', 'tries') or {}
    local action = is_ours and redis.call('HMGET', action_of(id), 'v', 'state') or {}
    if (r[1] and not READS[r[1]]) or (action[1] and not READS[action[1]]) then
      newer[#newer + 1] = id
    elseif not is_ours then
      redis.call('ZADD', due, text(now + tonumber(ARGV[10])), id)
    elseif r[2] ~= ARGV[7] or action[2] ~= ARGV[8] then
      redis.call('ZREM', due, id) -- told, dead, or its life is over
    else
      redis.call('HSET', key, 'token', token, 'worker', ARGV[4], 'until', text(lease_until),
        'tries', text(tonumber(r[3]) + 1))
      redis.call('ZADD', due, text(lease_until), id)
      redis.call('ZADD', held, text(lease_until), id)
      bears = bears - 1
      ids[#ids + 1] = id
    end
  end
  if 2 * #newer > tonumber(ARGV[9]) then
    for _, id in ipairs(newer) do redis.call('ZADD', due, text(now + tonumber(ARGV[10])), id) end
  end
  redis.call('ZREMRANGEBYSCORE', held, '-inf', text(now)) -- of who died at the desk
  redis.call('PEXPIREAT', held, text(lease_until))
end
local answer = { text(now), text(lease_until) }
if #ids > 0 then
  local index = text(now) .. ' ' .. text(lease_until) .. ' ' .. table.concat(ids, ' ')
  redis.call('SET', KEYS[2], index)
  redis.call('PEXPIREAT', KEYS[2], text(lease_until))
end
for _, id in ipairs(ids) do answer[#answer + 1] = claimed(id) end
return answer
