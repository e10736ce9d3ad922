-- Reads the newest dead letters, with what they tell of; those whose life is over are taken out on the way.
-- KEYS: [1] dead zset
-- derived keys: report and its action, of each that is looked at
-- ARGV: [1] now_ms [2] base [3] most [4] dead [5] most to look at
-- Returns: {{id, when it died, {field, value, …} of the report, {field, value, …} of its action}, …}
local answer, over = {}, {}
local ids = redis.call('ZREVRANGE', KEYS[1], '0', text(tonumber(ARGV[5]) - 1), 'WITHSCORES')
for i = 1, #ids, 2 do
  if #answer >= tonumber(ARGV[3]) then break end
  local id = ids[i]
  local report, flat_report = record(keys.report(id))
  local _, flat_action = record(keys.action(string.match(id, '^(.+)%.[^.]+$')))
  if report.v and not READS[report.v] then
    -- a newer version's: whether it is over, that one says
  elseif report.state == ARGV[4] and #flat_action > 0 then
    answer[#answer + 1] = { id, ids[i + 1], flat_report, flat_action }
  else
    over[#over + 1] = id
  end
end
for _, id in ipairs(over) do redis.call('ZREM', KEYS[1], id) end
return answer
