-- Stores an offer as a new action, or joins it to the action it belongs to. Our own repeat is known by the action id.
-- KEYS: [1] due:removals zset [2] delivery:<digest> hash [3] action:<offered> hash [4] timeline:<offered> list
--       [5] deliveries:<offered> set [6] intent:<digest> string, absent when not shared
-- derived keys: action, timeline, deliveries, report of the action that is joined; report of the new one; desks and the
--       due:reports of the source; requester; paused
-- ARGV: [1] now_ms [2] base [3] org [4] wake channel [5] pending [6] settled [7] waiting [8] due
--       [9] life of an action [10] of a delivery [11] of a hash-only delivery
--       [12] action id [13] link key [14] source [15] conversation [16] removal [17] removal masked, '' when the same
--       [18] event_at or '' [19] max age ms [20] delivery digest [21] body hash [22] '1' when hash-only
--       [23] intent digest or '' [24] replayed action or '' [25] '1' when in shadow
--       [26] requester digest, '' when nobody counts [27] his new actions a minute
--       [28] tags of its numbers or ''
--       [29] reports: n, then suffix, channel, ticket of each; entries: n, then verb, line of each
-- Returns: {'ok', joined, action id, link key, outcome or ''} | {'conflict'} | {'unknown'}
local org, channel, pending, settled = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local offered, digest, body, hash_only = ARGV[12], ARGV[20], ARGV[21], ARGV[22]
local requester, rate = ARGV[26], tonumber(ARGV[27])
local REPORTS = 29
local clicked = now
local latest = now -- the click may have been then: most stamps are cut to whole seconds
if ARGV[18] ~= '' then
  local event = tonumber(ARGV[18])
  clicked = math.min(event, now)
  latest = math.min(event % 1000 == 0 and event + 999 or event, now)
end

expect('zset', KEYS[1])
expect_desk(ARGV[14])
expect('hash', KEYS[2])
expect('hash', KEYS[3])
expect('list', KEYS[4])
expect('set', KEYS[5])
if KEYS[6] then expect('string', KEYS[6]) end
expect('hash', base .. 'paused')

local function answer(joined, id)
  local r = redis.call('HMGET', keys.action(id), 'key', 'outcome')
  return { 'ok', joined, id, r[1] or '', r[2] or '' }
end

-- Whether an open action that sent nothing yet will last for this click: one that has not half of the time that the click
-- has, or that waits because another source is paused, would take it along when it expires.
local function lasts(not_after, source)
  local is_held = source ~= ARGV[14] and redis.call('HGET', base .. 'paused', source)
  return not is_held and 2 * (not_after - now) >= clicked + tonumber(ARGV[19]) - now
end

-- Which action is it? The same delivery first, then the same wish.
local id, joined
local seen = record(KEYS[2])
if seen.v and seen['until'] and tonumber(seen['until']) <= now then seen = {} end
if seen.v and seen.v ~= V then return { 'unknown' } end
if seen.v and redis.call('EXISTS', keys.action(seen.action)) == 1 then
  if seen.body_hash ~= body and seen.body_hash ~= '' then return { 'conflict' } end -- '': it was forgotten
  if seen.offer == offered then return answer(seen.joined, seen.action) end
  if seen.last_offer == offered then return answer('delivery', seen.action) end
  id, joined = seen.action, 'delivery'
end
if not id and redis.call('EXISTS', KEYS[3]) == 1 then return answer('', offered) end
if not id and KEYS[6] then
  local pointed = redis.call('GET', KEYS[6])
  local fields = { 'v', 'state', 'joins', 'seen_at', 'not_after', 'sends', 'source' }
  local r = pointed and redis.call('HMGET', keys.action(pointed), unpack(fields))
  local is_open = r and r[2] == pending and (tonumber(r[6]) > 0 or lasts(tonumber(r[5]), r[7]))
  if r and r[1] == V and (is_open or (r[3] == '1' and tonumber(r[4]) >= latest)) then
    id, joined = pointed, 'intent'
  end
end

local is_new = not id
if is_new then id, joined = offered, '' end
local action = redis.call('HMGET', keys.action(id), 'v', 'state', 'settled_at', 'reports')
if not is_new and action[1] ~= V then return { 'unknown' } end
local is_settled = action[2] == settled
local reports = action[4] or ''

-- The reports that are not there yet.
local fresh = {}
for i = 1, tonumber(ARGV[REPORTS]) do
  local at = REPORTS + 1 + (i - 1) * 3
  local report = id .. '.' .. ARGV[at]
  if not string.find(' ' .. reports .. ' ', ' ' .. report .. ' ', 1, true) then
    expect('hash', keys.report(report))
    fresh[#fresh + 1] = { report, ARGV[at + 1], ARGV[at + 2] }
    reports = reports == '' and report or reports .. ' ' .. report
  end
end
expect('list', keys.timeline(id))
expect('set', keys.deliveries(id))

-- Has he asked for more than his rate (GCRA)? So many at once, then one more each time that the minute has room for one.
local counted
if is_new and requester ~= '' then
  local key, interval = keys.requester(requester), math.ceil(60000000 / rate)
  expect('string', key)
  local tat = math.max(tonumber(redis.call('GET', key) or micros), micros)
  if tat - micros > interval * rate + 1 then tat = micros end -- the clock stepped back: forgive, never lock out
  if tat + interval - micros <= interval * rate then counted = { key = key, tat = tat + interval } end
end
local is_over = is_new and requester ~= '' and not counted

-- From here on it is written.
if is_new then
  redis.call('HSET', KEYS[3], 'v', V, 'key', ARGV[13], 'source', ARGV[14], 'conversation', ARGV[15],
    'removal', ARGV[16], 'masked', ARGV[17], 'intent', ARGV[23], 'received_at', text(now), 'clicked_at', text(clicked),
    'not_after', text(clicked + tonumber(ARGV[19])), 'state', pending, 'sends', '0', 'lapses', '0')
  if ARGV[24] ~= '' then redis.call('HSET', KEYS[3], 'replay_of', ARGV[24]) end
  if ARGV[25] == '1' then redis.call('HSET', KEYS[3], 'is_shadow', '1') end
  if ARGV[28] ~= '' then redis.call('HSET', KEYS[3], 'tags', ARGV[28]) end
  if is_over then redis.call('HSET', KEYS[3], 'is_over_rate', '1', 'intent', '') end
  if counted then
    redis.call('SET', counted.key, text(counted.tat))
    redis.call('PEXPIREAT', counted.key, text(math.ceil(counted.tat / 1000) + 1000))
  end
  redis.call('ZADD', KEYS[1], text(now), id)
  local first = REPORTS + 1 + 3 * tonumber(ARGV[REPORTS])
  for i = 1, tonumber(ARGV[first]) do redis.call('RPUSH', KEYS[4], ARGV[first + 2 * i]) end
  redis.call('RPUSH', KEYS[4], line('accept', '', ''))
  -- what is refused is no action that a real wish may join
  if KEYS[6] and not is_over then redis.call('SET', KEYS[6], id) end
else
  push(keys.timeline(id), 'accept', line('accept', '', 'joined by ' .. joined), JOINS_MOST)
end

if joined == 'delivery' then
  redis.call('HSET', KEYS[2], 'last_offer', offered)
else
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], 'v', V, 'action', id, 'body_hash', body, 'hash_only', hash_only, 'offer', offered,
    'joined', joined)
  if is_settled then
    -- a minute at least, so that our own repeat is known
    local life = tonumber(hash_only == '1' and ARGV[11] or ARGV[10])
    local ends = text(math.max(tonumber(action[3]) + life, now + 60000))
    redis.call('HSET', KEYS[2], 'until', ends)
    redis.call('PEXPIREAT', KEYS[2], ends)
  else
    redis.call('SADD', keys.deliveries(id), digest)
  end
end

for _, report in ipairs(fresh) do
  local key = keys.report(report[1])
  redis.call('HSET', key, 'v', V, 'source', ARGV[14], 'channel', report[2], 'ticket', report[3], 'tries', '0',
    'state', is_settled and ARGV[8] or ARGV[7], 'first_due_at', is_settled and text(now) or '0')
  if is_settled then
    redis.call('PEXPIREAT', key, text(tonumber(action[3]) + tonumber(ARGV[9])))
    due_at_desk(ARGV[14], report[1], now)
  end
end
if #fresh > 0 then redis.call('HSET', keys.action(id), 'reports', reports) end

if is_new then wake(channel, 'removals:' .. org) end
if is_settled and #fresh > 0 then wake(channel, 'reports:' .. org) end
return answer(joined, id)
