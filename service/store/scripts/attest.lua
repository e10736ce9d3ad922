-- Writes down that something was forgotten: at the end, the oldest given up when there are too many.
-- KEYS: [1] forgettings list
-- derived keys: audit of now
-- ARGV: [1] now_ms [2] base [3] most [4] life [5] the line after its moment, with a nonce of its own
--       [6] who and why, as JSON [7] life of the audit
-- Returns: 1
expect('list', KEYS[1])
expect_audit()
for _, line in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if string.sub(line, -#ARGV[5]) == ARGV[5] then return 1 end
end
redis.call('RPUSH', KEYS[1], '{"at":' .. text(now) .. ',' .. ARGV[5])
audit(ARGV[7], 'forget', '', ARGV[6])
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[3]), -1)
redis.call('PEXPIREAT', KEYS[1], text(now + tonumber(ARGV[4])))
return 1
