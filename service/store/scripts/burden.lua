-- Reads what is open in an org and how long it has waited for a worker, what is paused, and what the budget carries.
-- KEYS: [1] due:removals zset [2] desks set [3] paused hash [4] floor hash [5] budget string
--       [6] allowance string [7] window:<process> hash
-- derived keys: due:reports of each desk; dead, and report of each of the newest in it; of the first that are due, action
--       and report
-- ARGV: [1] now_ms [2] base [3] µs of a window [4] calls of a window, untold [5] burst, untold
-- Returns: {open actions, ms overdue, first looks carried, {paused source, …, '' for the whole org},
--           {source of a dead letter, …}, how many of the open a newer version wrote,
--           {source, open reports, ms overdue}, …}
expect('zset', KEYS[1])
expect('set', KEYS[2])
expect_purse(KEYS[5], KEYS[6], KEYS[7])

local function overdue(key)
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return text(math.max(0, now - tonumber(first[2] or now)))
end

local budget = budget_of(KEYS[5], KEYS[6], KEYS[7], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]))
local floor = redis.call('HMGET', KEYS[4], 'until', 'length')
local floor_left = floor[1] and tonumber(floor[1]) - now or 0
if floor_left > tonumber(floor[2] or 0) then floor_left = 0 end -- the clock stepped back: as in claim
local carried = floor_left > 0 and 0 or budget.carries('look')

-- What a newer version wrote stays due as it was, so it is among the first.
local NEWER_MOST = '999'
local function newer(due, key_of)
  local number = 0
  for _, id in ipairs(redis.call('ZRANGE', due, '0', NEWER_MOST)) do
    local v = is_a('hash', key_of(id)) and redis.call('HGET', key_of(id), 'v')
    if v and not READS[v] then number = number + 1 end
  end
  return number
end

local left = newer(KEYS[1], keys.action)
local answer = { text(redis.call('ZCARD', KEYS[1])), overdue(KEYS[1]), text(carried), redis.call('HKEYS', KEYS[3]), {} }
local DEAD_MOST = '999'
expect('zset', keys.dead)
for _, id in ipairs(redis.call('ZREVRANGE', keys.dead, '0', DEAD_MOST)) do
  -- one whose life is over has no source any more
  answer[5][#answer[5] + 1] = redis.call('HGET', keys.report(id), 'source') or nil
end
answer[6] = ''
for _, source in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local due = keys.due_reports(source)
  if is_a('zset', due) then
    answer[#answer + 1] = { source, text(redis.call('ZCARD', due)), overdue(due) }
    left = left + newer(due, keys.report)
  end
end
answer[6] = text(left)
return answer
