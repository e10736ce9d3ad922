-- Reads who was there within the last minutes.
-- KEYS: [1] workers hash
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3] ms after which one counts no more
-- Returns: {worker, what it said, …}
local answer, there = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #there, 2 do
  local seen = tonumber(string.match(there[i + 1], '^%[(%d+),')) or 0
  if math.abs(now - seen) <= tonumber(ARGV[3]) then
    answer[#answer + 1] = there[i]
    answer[#answer + 1] = there[i + 1]
  end
end
return answer
