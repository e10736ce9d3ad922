-- Stores an offer as a new action, or joins it to the action it belongs to. Our own repeat is known by the action id.
-- KEYS: [1] due:removals zset [2] delivery:<digest> hash [3] action:<offered> hash [4] timeline:<offered> list
--       [5] deliveries:<offered> set [6] intent:<digest> string, absent when not shared
-- derived keys: action, timeline, deliveries, report of the action that is joined; report of the new one; desks and the
--       due:reports of the source; requester; rate of the source; clicks; paused; audit and minutes of now; terms
-- ARGV: [1] now_ms [2] base [3] org [4] wake channel [5] pending [6] settled [7] waiting [8] due
--       [9] life of an action [10] of a delivery [11] of a hash-only delivery
--       [12] action id [13] link key [14] source [15] conversation [16] removal [17] removal masked, '' when the same
--       [18] event_at or '' [19] max age ms [20] delivery digest [21] body hash [22] '1' when hash-only
--       [23] intent digest or '' [24] replayed action or '' [25] '1' when in shadow
--       [26] requester digest, '' when nobody counts [27] his new actions a minute
--       [28] tags of its numbers or ''
--       [29] deliveries a minute of the source [30] open actions of the org [31] new actions of one requester within
--       a minute that pause the source; 0 for any number [32] digest to count those by, or ''
--       [33] digests that it is found by [34] of those the ones that the record has no word for
--       [35] the span that accepts it, where its sender named the trace, or ''
--       [36] reports: n, then suffix, channel, ticket of each; entries: n, then verb, line of each;
--       life of the audit; who asks and why, as JSON, '' for a webhook
-- Returns: {'ok', joined, action id, link key, outcome or '', '1' when it paused the source} | {'conflict'}
--       | {'unknown'} | {'too many', microseconds to wait} | {'full'}
local org, channel, pending, settled = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local offered, digest, body, hash_only = ARGV[12], ARGV[20], ARGV[21], ARGV[22]
local requester, rate = ARGV[26], tonumber(ARGV[27])
local source_rate, backlog, runaway = tonumber(ARGV[29]), tonumber(ARGV[30]), tonumber(ARGV[31])
local REPORTS = 36
local BODY_CHARS, ALSO_CHARS = 32, 16 -- of a digest: that no two bodies of one delivery meet, and no two words of an action
local audit_life, by = ARGV[#ARGV - 1], ARGV[#ARGV]
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
expect('hash', keys.paused)
expect_audit()
expect_minutes()
expect_index(offered)

local function answer(joined, id)
  local r = redis.call('HMGET', keys.action(id), 'key', 'outcome', 'is_runaway')
  return { 'ok', joined, id, r[1] or '', r[2] or '', id == offered and r[3] or '' }
end

-- Whether an open action that sent nothing yet will last for this click: one that has not half of the time that the click
-- has, or that waits because another source is paused, would take it along when it expires.
local function lasts(not_after, source)
  local is_held = source ~= ARGV[14] and redis.call('HGET', keys.paused, source)
  return not is_held and 2 * (not_after - now) >= clicked + tonumber(ARGV[19]) - now
end

-- Which action is it? The same delivery first, then the same wish.
local id, joined
local seen = record(KEYS[2])
if seen.v and seen['until'] and tonumber(seen['until']) <= now then seen = {} end
if seen.v and not READS[seen.v] then return { 'unknown' } end
if seen.v and redis.call('EXISTS', keys.action(seen.action)) == 1 then
  -- half of it is kept, the first version kept it whole; '': it was forgotten
  if seen.body_hash ~= string.sub(body, 1, #seen.body_hash) then return { 'conflict' } end
  if (seen.offer or seen.action) == offered then return answer(seen.joined or '', seen.action) end
  if seen.last_offer == offered then return answer('delivery', seen.action) end
  id, joined = seen.action, 'delivery'
end
if not id and redis.call('EXISTS', KEYS[3]) == 1 then return answer('', offered) end
if not id and KEYS[6] then
  local pointed = redis.call('GET', KEYS[6])
  local fields = { 'v', 'state', 'joins', 'seen_at', 'not_after', 'sends', 'source' }
  local r = pointed and redis.call('HMGET', keys.action(pointed), unpack(fields))
  local is_known = r and READS[r[1]] -- of a newer version's nothing more is looked at: the wish is one of its own
  local is_open = is_known and r[2] == pending and (tonumber(r[6]) > 0 or lasts(tonumber(r[5]), r[7]))
  if is_known and (is_open or (r[3] == '1' and tonumber(r[4]) >= latest)) then
    id, joined = pointed, 'intent'
  end
end

-- What a rate has room for (GCRA): so many at once, then one more each time that the minute has room for one. How long
-- to wait for that, and what is to be kept when it is taken.
local function room(key, rate)
  local interval = math.ceil(60000000 / rate)
  expect('string', key)
  local tat = math.max(tonumber(redis.call('GET', key) or micros), micros)
  if tat - micros > interval * rate + 1 then tat = micros end -- the clock stepped back: forgive, never lock out
  return { key = key, tat = tat + interval, wait = tat + interval - micros - interval * rate }
end
local function count(taken)
  redis.call('SET', taken.key, text(taken.tat))
  redis.call('PEXPIREAT', taken.key, text(math.ceil(taken.tat / 1000) + 1000))
end

-- May it come in? What comes again counts as well; what is open already may always be asked for again.
local is_new = not id
local taken = source_rate > 0 and room(keys.rate(ARGV[14]), source_rate)
if taken and taken.wait > 0 then return { 'too many', text(taken.wait) } end
if is_new and backlog > 0 and redis.call('ZCARD', KEYS[1]) >= backlog then return { 'full' } end

if is_new then id, joined = offered, '' end
local action = redis.call('HMGET', keys.action(id), 'v', 'state', 'settled_at', 'reports')
if not is_new and not READS[action[1]] then return { 'unknown' } end
local version = is_new and V or action[1]
local is_settled = action[2] == settled
local reports, are_there = action[4] or '', {}
for _, report in ipairs(reports_of(id, reports)) do are_there[report] = true end

-- The reports that are not there yet.
local fresh = {}
for i = 1, tonumber(ARGV[REPORTS]) do
  local at = REPORTS + 1 + (i - 1) * 3
  local report = id .. '.' .. ARGV[at]
  if not are_there[report] then
    expect('hash', keys.report(report))
    fresh[#fresh + 1] = { report, ARGV[at + 1], ARGV[at + 2] }
    reports = reports == '' and ARGV[at] or reports .. ' ' .. ARGV[at]
    are_there[report] = true
  end
end
expect('list', keys.timeline(id))
expect('set', keys.deliveries(id))
if not is_new then expect_index(id) end

-- Has he asked for more than his rate?
local counted = is_new and requester ~= '' and room(keys.requester(requester), rate)
local is_over = counted and counted.wait > 0

-- Does he run away? What is over his own rate removes nobody, so it is not counted here.
local clicks = is_new and not is_over and runaway > 0 and keys.clicks(ARGV[32])
if clicks then expect('list', clicks) end

-- From here on it is written.
if taken then count(taken) end
tally('accepted:' .. ARGV[14])
if is_new then
  redis.call('HSET', KEYS[3], 'v', V, 'key', ARGV[13], 'source', ARGV[14], 'conversation', ARGV[15],
    'removal', ARGV[16], 'intent', ARGV[23], 'received_at', text(now), 'clicked_at', text(clicked),
    'not_after', text(clicked + tonumber(ARGV[19])), 'state', pending, 'sends', '0', 'lapses', '0')
  if ARGV[17] ~= '' then redis.call('HSET', KEYS[3], 'masked', ARGV[17]) end
  if ARGV[24] ~= '' then redis.call('HSET', KEYS[3], 'replay_of', ARGV[24]) end
  if ARGV[25] == '1' then redis.call('HSET', KEYS[3], 'is_shadow', '1') end
  if ARGV[28] ~= '' then redis.call('HSET', KEYS[3], 'tags', ARGV[28]) end
  if is_over then redis.call('HSET', KEYS[3], 'is_over_rate', '1', 'intent', '') end
  if counted and not is_over then count(counted) end
  if ARGV[34] ~= '' then redis.call('HSET', KEYS[3], 'also', ARGV[34]) end
  if ARGV[35] ~= '' then redis.call('HSET', KEYS[3], 'trace', ARGV[35]) end
  local terms = terms_of(ARGV[33])
  begin_index(id, ARGV[14], terms)
  redis.call('ZADD', KEYS[1], text(now), id)
  local first = REPORTS + 1 + 3 * tonumber(ARGV[REPORTS])
  for i = 1, tonumber(ARGV[first]) do redis.call('RPUSH', KEYS[4], ARGV[first + 2 * i]) end
  redis.call('RPUSH', KEYS[4], line(id, 'accept', '', ''))
  if by ~= '' then audit(audit_life, ARGV[24] ~= '' and 'replay' or 'preview', id, by, ARGV[14]) end
  -- what is refused is no action that a real wish may join
  if KEYS[6] and not is_over then redis.call('SET', KEYS[6], id) end
  if clicks then
    if tonumber(redis.call('LINDEX', clicks, -1) or '0') > now then redis.call('DEL', clicks) end -- forgiven, as above
    redis.call('RPUSH', clicks, text(now))
    redis.call('LTRIM', clicks, text(-runaway), -1)
    redis.call('PEXPIREAT', clicks, text(now + MINUTE))
    local is_runaway = redis.call('LLEN', clicks) == runaway and now - tonumber(redis.call('LINDEX', clicks, 0)) < MINUTE
    -- since when, and by whom: a pause that is there stays as it is
    if is_runaway and redis.call('HSETNX', keys.paused, ARGV[14], text(now) .. ' runaway') == 1 then
      redis.call('HSET', KEYS[3], 'is_runaway', '1')
      audit(audit_life, 'pause', ARGV[14], NOBODY, ARGV[14], '"","runaway"')
    end
  end
else
  push(keys.timeline(id), 'accept', line(id, 'accept', '', 'joined by ' .. joined), JOINS_MOST)
  -- whoever joined asked as well, and his ticket is told: the action is found by them too. What comes again says what it
  -- said, and of a forgotten action it must not be said again
  local terms, whole = terms_of(joined == 'delivery' and '' or ARGV[33])
  local also = {}
  for term in pairs(index(id, terms)) do also[#also + 1] = string.sub(whole[term], 1, ALSO_CHARS) end
  table.sort(also)
  if #also > 0 then
    local before = redis.call('HGET', keys.action(id), 'also') or ''
    redis.call('HSET', keys.action(id), 'also', (before == '' and '' or before .. ' ') .. table.concat(also, ' '))
  end
end

if joined == 'delivery' then
  redis.call('HSET', KEYS[2], 'last_offer', offered)
else
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], 'v', version, 'action', id, 'body_hash', string.sub(body, 1, BODY_CHARS))
  if hash_only ~= '' then redis.call('HSET', KEYS[2], 'hash_only', hash_only) end
  if joined ~= '' then redis.call('HSET', KEYS[2], 'offer', offered, 'joined', joined) end
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
  redis.call('HSET', key, 'v', version, 'source', ARGV[14], 'channel', report[2], 'ticket', report[3], 'tries', '0',
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
