-- Reads all there is to tell about one action, as it stands at one moment.
-- KEYS: [1] action:<id> hash [2] timeline:<id> list
-- derived keys: report of each of its reports; of what was told the record has what there is to tell
-- ARGV: [1] now_ms [2] base
-- Returns: {} | {{field, value, …}, {line, …}, {id, {field, value, …}}, …}
local fields, flat = record(KEYS[1])
if not fields.v then return {} end
local answer = { flat, fields.timeline and lines_in(fields.timeline) or redis.call('LRANGE', KEYS[2], 0, -1) }
for _, id in ipairs(reports_of(string.match(KEYS[1], '[^:]+$'), fields.reports)) do
  local _, report = record(keys.report(id))
  if #report > 0 then answer[#answer + 1] = { id, report } end
end
return answer
