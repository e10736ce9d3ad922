-- Reads on in the audit, over as many days as there are lines of: a day is gone on to when something stands in it.
-- KEYS: [1] paused hash: none of it is read; it says whose slot it is
-- derived keys: audit of each day that is kept
-- ARGV: [1] now_ms [2] base [3] day, '' for the oldest [4] lines of it that were read [5] most [6] life
-- Returns: {day, lines of it that were read, line, …}
local today = math.floor(now / DAY)
local oldest = today - math.ceil(tonumber(ARGV[6]) / DAY) - 1
local day, index, most = tonumber(ARGV[3]) or oldest, tonumber(ARGV[4]), tonumber(ARGV[5])
local answer = { ARGV[3] == '' and text(oldest) or ARGV[3], ARGV[4] }
if day < oldest then day, index = oldest, 0 end
for d = day, today + 1 do
  if d > day then index = 0 end
  local lines = redis.call('LRANGE', keys.audit(text(d)), text(index), text(index + most - (#answer - 2) - 1))
  if #lines > 0 then
    answer[1], answer[2] = text(d), text(index + #lines)
    for _, said in ipairs(lines) do answer[#answer + 1] = said end
  end
  if #answer - 2 >= most then break end
end
return answer
