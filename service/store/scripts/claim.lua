-- Takes due actions under leases, earliest first; puts off what may not be touched now. Idempotent by its token.
-- KEYS: [1] due:removals zset [2] claim:<token> string [3] paused hash [4] floor hash [5] budget string
--       [6] allowance string [7] window:<process> hash
-- derived keys: action, timeline, conversation of each that is looked at; terms, and those of its oldest spans
-- ARGV: [1] now_ms [2] base [3] token [4] worker [5] limit [6] lease ms [7] pending [8] most to look at
--       [9] ms to leave an odd key alone, or very many of a newer version
--       [10] µs of a window [11] calls of a window, untold [12] burst, untold
--       [13] calls of a window as Genesys said, '' where it said nothing [14] calls counted in the running one
--       [15] ms until it is over [16] life of the allowance
--       [17] '1' when the first look of what is claimed is taken from the budget here: else it costs a trip of its own
-- Returns: {now, lease end, {id, epoch, {field, value, …}, '1' when its look is paid for, or ''}, …}
local token, worker, limit, pending = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[7]
local PAUSED_AGAIN = 1000 -- the one-second re-check: a resume is noticed then
local OWNED_AGAIN = 500 -- the owner confirms within a few of these
local AGED_MOST = '20' -- of the index' oldest that a claim looks at

local PAID = '+' -- behind an id, in the answer that is kept

local function claimed(id, is_paid)
  local fields, flat = record(keys.action(id))
  local _, epoch = ownership(keys.conversation(fields.conversation))
  return { id, epoch, flat, is_paid and '1' or '' }
end

expect('zset', KEYS[1])
expect('string', KEYS[2])
local before = redis.call('GET', KEYS[2])
if before then
  local words = {}
  for word in string.gmatch(before, '%S+') do words[#words + 1] = word end
  local answer = { words[1], words[2] }
  for i = 3, #words do
    local id, paid = string.match(words[i], '^([^+]+)(.?)$')
    if redis.call('HGET', keys.action(id), 'token') == token then answer[#answer + 1] = claimed(id, paid == PAID) end
  end
  return answer
end

-- What the budget carries: how many of what is begun and of what is not, and when the next one. Where each action ends at
-- its first look, nobody else would hear what Genesys said.
expect_purse(KEYS[5], KEYS[6], KEYS[7])
expect('zset', keys.terms)
learn(KEYS[6], KEYS[7], tonumber(ARGV[10]), ARGV[13], ARGV[14], ARGV[15], ARGV[16])
local budget = budget_of(KEYS[5], KEYS[6], KEYS[7], tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]))
local taken, carries, ready, paid, is_paid = 0, {}, {}, 0, {}
local floor = redis.call('HMGET', KEYS[4], 'until', 'length')
local floor_left = floor[1] and tonumber(floor[1]) - now or 0
if floor_left > tonumber(floor[2] or 0) then floor_left = 0 end -- the clock stepped back: forgive
for _, call in ipairs({ 'look', 'confirm' }) do
  carries[call] = floor_left > 0 and 0 or budget.carries(call)
  local left = carries[call] > 0 and budget.pace or budget.wait(call)
  ready[call] = now + math.max(1, floor_left, math.ceil(left / 1000))
end
local paused = record(KEYS[3])
local lease_until = now + tonumber(ARGV[6])

-- Whose record it is: 'newer' when a newer version wrote it, 'odd' when something of it is not of the type we write.
local function whose(id)
  if not is_a('hash', keys.action(id)) then return 'odd' end
  local r = redis.call('HMGET', keys.action(id), 'v', 'conversation')
  if r[1] and not READS[r[1]] then return 'newer' end
  local is_fine = is_a('list', keys.timeline(id)) and (not r[2] or is_a('hash', keys.conversation(r[2])))
  return is_fine and 'ours' or 'odd'
end

-- A pause is a person's, unless `accept` wrote beside its moment that a requester ran away.
local function why_paused(source)
  return not paused[''] and string.find(paused[source], '^%d+ runaway$') and 'runaway' or 'paused'
end

-- Why it may not be touched now, and until when; nil when it may.
local function obstacle(id, r)
  local not_after, sends = tonumber(r.not_after), tonumber(r.sends)
  -- late, or asked too often: settled without a look
  if sends == 0 and (now >= not_after or r.is_over_rate == '1') then return nil end
  -- past not-after nothing can be sent, so what was sent is looked after also while paused
  if now < not_after and (paused[''] or paused[r.source]) then return why_paused(r.source), now + PAUSED_AGAIN end
  local call = sends > 0 and 'confirm' or 'look'
  if taken >= carries[call] then return 'busy', ready[call] end
  local owner = ownership(keys.conversation(r.conversation))
  if owner and owner ~= id then return 'busy', now + OWNED_AGAIN end
  taken = taken + 1
  if call == 'look' and ARGV[17] == '1' then paid, is_paid[id] = paid + 1, true end
  return nil
end

-- First all is looked at, then it is written: an odd key in the middle must not leave half a claim.
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', '0', ARGV[8])
local plan, ids, newer = {}, {}, {}
for _, id in ipairs(due) do
  if #ids >= limit then break end
  local of = whose(id)
  if of == 'newer' then
    newer[#newer + 1] = id
  elseif of == 'odd' then
    plan[#plan + 1] = { id = id, again = now + tonumber(ARGV[9]) }
  else
    local r = record(keys.action(id))
    if r.state ~= pending then
      plan[#plan + 1] = { id = id }
    else
      local held_by, again = obstacle(id, r)
      if held_by and tonumber(r.not_after) > now then again = math.min(again, tonumber(r.not_after)) end
      plan[#plan + 1] = { id = id, held_by = held_by, again = again, r = r }
      if not held_by then ids[#ids + 1] = id end
    end
  end
end
-- What a newer version wrote is left due as it was, so that its worker, if there is one, takes it at once. But for very
-- many of them, which would hide ours behind them.
if 2 * #newer > tonumber(ARGV[8]) then
  for _, id in ipairs(newer) do plan[#plan + 1] = { id = id, again = now + tonumber(ARGV[9]) } end
end

if paid > 0 then budget.take(paid) end
for _, item in ipairs(plan) do
  local id, r = item.id, item.r
  local key = keys.action(id)
  if item.again then
    redis.call('ZADD', KEYS[1], text(item.again), id)
    if item.held_by and r.held_by ~= item.held_by then redis.call('HSET', key, 'held_by', item.held_by) end
  elseif not r then
    redis.call('ZREM', KEYS[1], id) -- no record, or settled: nothing is left to do
  else
    local lapses = tonumber(r.lapses)
    if r.token then lapses = lapses + 1 end -- put_back and settle take the token away, so this lease ran out
    redis.call('HSET', key, 'token', token, 'worker', worker, 'until', text(lease_until), 'lapses', text(lapses))
    redis.call('ZADD', KEYS[1], text(lease_until), id)
    push(keys.timeline(id), 'claim', line(id, 'claim', worker, lapses > 0 and 'lapses ' .. text(lapses) or ''))
  end
end
-- What aged out leaves the index: here, since whoever works claims each second, whether anything comes in or not.
local function oldest(what)
  return redis.call('ZRANGEBYLEX', keys.terms, '[' .. what, '(' .. what .. '{', 'LIMIT', '0', AGED_MOST)
end
local spans, texts = oldest(SPAN), {}
for i, member in ipairs(spans) do texts[i] = keys.terms_in(string.sub(member, #SPAN + 1)) end
if #texts > 0 and redis.call('EXISTS', unpack(texts)) < #texts then
  for i, member in ipairs(spans) do
    if redis.call('EXISTS', texts[i]) == 0 then redis.call('ZREM', keys.terms, member) end
  end
end
local org = string.match(base, '{(.+)}')
for _, member in ipairs(oldest(OLDER)) do take_over(org .. '.' .. string.sub(member, #OLDER + 1, #OLDER + ID_CHARS)) end
local answer = { text(now), text(lease_until) }
if #ids > 0 then
  local words = { text(now), text(lease_until) }
  for _, id in ipairs(ids) do words[#words + 1] = is_paid[id] and id .. PAID or id end
  redis.call('SET', KEYS[2], table.concat(words, ' '))
  redis.call('PEXPIREAT', KEYS[2], text(lease_until))
end
for _, id in ipairs(ids) do answer[#answer + 1] = claimed(id, is_paid[id]) end
return answer
