-- The dry-run of /readyz: what every script needs (a clock, a write, a life) is done once on a key of no meaning.
-- KEYS: [1] probe string
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3] wake channel to try each command of all scripts too, '' for the dry-run alone
-- Returns: {'ok'} | {'refused', a command that this user may not run, …} | {what is wrong}
local refused = {}
-- pcall: a command that is refused in the middle of a script leaves it half done, so each is tried where that is no harm
local function try(command, ...)
  local answer = redis.pcall(command, ...)
  local fault = type(answer) == 'table' and answer['err']
  if fault and (string.find(fault, 'executing the script can') or string.find(fault, 'ACL failure')) then
    refused[#refused + 1] = command
    return nil
  end
  return fault and answer
end
if ARGV[3] ~= '' then
  local key = KEYS[1]
  local stop = try('SET', key, '') -- first: a Redis that is full, or a replica, refuses a script before it has written
  if stop then return stop end
  for _, read in ipairs({ 'TYPE', 'EXISTS', 'GET', 'HGETALL', 'HKEYS', 'LLEN', 'SMEMBERS', 'PERSIST', 'DEL' }) do
    try(read, key)
  end
  try('APPEND', key, 'x')
  try('GETRANGE', key, '0', '0')
  try('SETRANGE', key, '0', 'y')
  try('DEL', key)
  try('HINCRBY', key, 'n', '1')
  for _, hash in ipairs({ 'HGET', 'HMGET', 'HDEL' }) do try(hash, key, 'f') end
  for _, hash in ipairs({ 'HSET', 'HSETNX' }) do try(hash, key, 'f', 'v') end
  try('DEL', key)
  try('ZADD', key, '1', 'm')
  try('ZRANGE', key, '0', '0')
  try('ZCARD', key)
  try('ZREVRANGE', key, '0', '0')
  try('ZRANGEBYSCORE', key, '0', '1')
  try('ZCOUNT', key, '0', '1')
  for _, lex in ipairs({ { 'ZRANGEBYLEX', '-', '+' }, { 'ZREVRANGEBYLEX', '+', '-' } }) do try(lex[1], key, lex[2], lex[3]) end
  try('ZREM', key, 'm')
  try('ZREMRANGEBYSCORE', key, '0', '1')
  try('RPUSH', key, 'x')
  try('RPUSHX', key, 'x')
  try('LRANGE', key, '0', '0')
  try('LINDEX', key, '0')
  try('LTRIM', key, '0', '0')
  try('LSET', key, '0', 'y')
  try('DEL', key)
  for _, set in ipairs({ 'SADD', 'SREM' }) do try(set, key, 'm') end
  try('PEXPIREAT', key, '1')
  try('PEXPIRE', key, '1000')
  try('SCAN', '0', 'COUNT', '1')
  try('PUBLISH', ARGV[3], 'probe')
  if #refused > 0 then return { 'refused', unpack(refused) } end
end
expect('string', KEYS[1])
redis.call('SET', KEYS[1], text(now))
redis.call('PEXPIRE', KEYS[1], '1000')
return { redis.call('GET', KEYS[1]) == text(now) and 'ok' or 'not what was written' }
