-- Says in which of some orgs something is due, so that a worker of many need not ask each of them for work.
-- KEYS: for each org [1] due:removals zset [2] desks set; those of several orgs only where one server has them all
-- derived keys: due:reports of each desk
-- ARGV: [1] now_ms [2] '': there is no one base
-- Returns: {number of the key in KEYS of which something is due, …}
local function is_due(key)
  if not is_a('zset', key) then return true end -- who claims says what is wrong with it
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return first[2] and tonumber(first[2]) <= now
end

local function is_due_at_a_desk(desks)
  if not is_a('set', desks) then return true end
  for _, source in ipairs(redis.call('SMEMBERS', desks)) do
    if is_due(string.gsub(desks, 'desks$', 'due:reports:' .. source)) then return true end
  end
  return false
end

local answer = {}
for i = 1, #KEYS, 2 do
  if is_due(KEYS[i]) then answer[#answer + 1] = i end
  if is_due_at_a_desk(KEYS[i + 1]) then answer[#answer + 1] = i + 1 end
end
return answer
