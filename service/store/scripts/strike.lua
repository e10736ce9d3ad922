-- Writes what was refused of one source without its reason, where that names who is to be forgotten.
-- KEYS: [1] refusals list
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3..] a line as it was read, and what is to stand there
-- Returns: 1
expect('list', KEYS[1])
local instead = {}
for i = 3, #ARGV, 2 do instead[ARGV[i]] = ARGV[i + 1] end
for i, line in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if instead[line] then redis.call('LSET', KEYS[1], i - 1, instead[line]) end
end
return 1
