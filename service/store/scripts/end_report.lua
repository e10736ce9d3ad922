-- Ends a try to tell a report: told, dead, or due again later. One script, because they differ in three words only.
-- KEYS: [1] report:<id> hash [2] timeline:<its action> list
-- derived keys: its action; desks, the due:reports and the held of its source; dead
-- ARGV: [1] now_ms [2] base [3] token [4] step [5] state it must be in [6] state it gets [7] id
--       [8] ms until it is due again, '' for never [9] error [10] note of a line, as JSON, '' for none
--       [11] most that a dead letter may live, '' when it is none
--       [12] entries: n, then verb, line of each
-- Returns: {'ok'} | {'done', ''} | {'lost'}
local action, told = keys.action(string.match(ARGV[7], '^(.+)%.[^.]+$')), told_in(ARGV[7])
expect('hash', action)
local folded = redis.call('HGET', action, told)
if folded and string.find(folded, ',"' .. ARGV[4] .. '",', 1, true) then return { 'done', '' } end
local stop = guard(KEYS[1], ARGV[3], ARGV[4], ARGV[5])
if stop then return stop end
expect('list', KEYS[2])
local said = redis.call('HMGET', KEYS[1], 'worker', 'source')
local worker, source = said[1], said[2]
expect_desk(source)
expect('zset', keys.held(source))
expect('zset', keys.dead)
redis.call('HSET', KEYS[1], 'state', ARGV[6], 'error', ARGV[9], 'last_step', ARGV[4], 'last_answer', '')
redis.call('HDEL', KEYS[1], 'token', 'worker', 'until', 'last_renewal')
redis.call('ZREM', keys.held(source), ARGV[7])
if ARGV[8] == '' then
  redis.call('ZREM', keys.due_reports(source), ARGV[7])
else
  due_at_desk(source, ARGV[7], now + tonumber(ARGV[8]))
end
if ARGV[11] ~= '' then
  local life = tonumber(ARGV[11])
  redis.call('ZREMRANGEBYSCORE', keys.dead, '-inf', text(now - life)) -- of reports whose life is over
  redis.call('ZADD', keys.dead, text(now), ARGV[7])
  redis.call('PEXPIREAT', keys.dead, text(now + life))
end
if ARGV[10] ~= '' then
  push(KEYS[2], 'report', line(string.match(ARGV[7], '^(.+)%.'), 'report', worker, ARGV[10], true))
end
push_entries(KEYS[2], 12)
-- What was told goes into the record of its action: for a month a key of its own would take as much room again. What
-- stands there already is not said again: its source, the moment of the end, the ticket.
if ARGV[8] == '' and ARGV[11] == '' and redis.call('EXISTS', action) == 1 then
  local r, known = record(KEYS[1]), redis.call('HMGET', action, 'removal', 'source', 'settled_at')
  -- where its click was answered is the last of a ticket, and is needed no more
  local answered = string.find(r.ticket, ',"reply_to":"', 1, true)
  local ticket = answered and string.sub(r.ticket, 1, answered - 1) .. '}' or r.ticket
  if ticket == '' then ticket = 'null' end
  if string.find(known[1], '"ticket":' .. ticket, 1, true) then ticket = '0' end
  local at = r.first_due_at == known[3] and '0' or r.first_due_at
  local whose = source == known[2] and '' or source
  local kept = string.format('["%s","%s",%s,%s,"%s",%s]', whose, r.channel, r.tries, at, ARGV[4], ticket)
  redis.call('HSET', action, told, kept)
  redis.call('DEL', KEYS[1])
end
return { 'ok' }
