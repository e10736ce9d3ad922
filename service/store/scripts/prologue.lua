-- Stands before every script: the clock, the type check, the timeline, ownership. Writes nothing by itself.
-- KEYS: none of its own
-- derived keys: see `keys` below; all begin with the base, so all are in the slot of the org
-- ARGV: [1] now_ms, '' outside simulation = Redis TIME   [2] base `<prefix>:{<org>}:`
-- Returns: nothing
-- The schema that new records are written in, and those that are read. Any other is of a newer version of this service,
-- and is left alone. A record stays in its own for life, and what joins an action is of the action's: then whoever wrote
-- it can still end it, and tell of it.
local V = '1'
local READS = { [V] = true }
local base = ARGV[2]
local micros
if ARGV[1] ~= '' then
  micros = tonumber(ARGV[1]) * 1000
else
  local t = redis.call('TIME')
  micros = tonumber(t[1]) * 1000000 + tonumber(t[2])
end
local now = math.floor(micros / 1000)

local function text(number) return string.format('%.0f', number) end

local keys = {
  action = function(id) return base .. 'action:' .. id end,
  timeline = function(id) return base .. 'timeline:' .. id end,
  deliveries = function(id) return base .. 'deliveries:' .. id end,
  report = function(id) return base .. 'report:' .. id end,
  delivery = function(digest) return base .. 'delivery:' .. digest end,
  intent = function(digest) return base .. 'intent:' .. digest end,
  conversation = function(uuid) return base .. 'conversation:' .. uuid end,
  requester = function(digest) return base .. 'requester:' .. digest end,
  rate = function(source) return base .. 'rate:' .. source end,
  clicks = function(digest) return base .. 'clicks:' .. digest end,
  paused = base .. 'paused',
  due_reports = function(source) return base .. 'due:reports:' .. source end,
  held = function(source) return base .. 'held:' .. source end,
  desks = base .. 'desks',
  terms = base .. 'terms',
  terms_in = function(span) return base .. 'terms:' .. span end,
  dead = base .. 'dead',
  audit = function(day) return base .. 'audit:' .. day end,
  minutes = function(hour) return base .. 'minutes:' .. hour end,
}

-- The reports of an action by their whole ids; the first version wrote them whole.
local function reports_of(id, words)
  local found = {}
  for word in string.gmatch(words or '', '%S+') do
    found[#found + 1] = string.find(word, '.', 1, true) and word or id .. '.' .. word
  end
  return found
end

-- The field of its action's record into which a report goes that was told.
local function told_in(report) return 'told_' .. string.match(report, '[^.]+$') end

-- Lua has no rollback: what a script is going to write is looked at first.
local function is_a(kind, key)
  local found = redis.call('TYPE', key)['ok']
  return found == 'none' or found == kind
end
local function expect(kind, key)
  if not is_a(kind, key) then error('WRONGTYPE ' .. key .. ' is not a ' .. kind) end
end

local function record(key)
  local flat, fields = redis.call('HGETALL', key), {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields, flat
end

-- A report is due at its desk: each has a due set of its own, so that one desk's thousands are not before another's one.
local function expect_desk(source)
  expect('zset', keys.due_reports(source))
  expect('set', keys.desks)
end
local function due_at_desk(source, report, at)
  redis.call('ZADD', keys.due_reports(source), text(at), report)
  redis.call('SADD', keys.desks, source)
end

-- pcall: a user without the right to publish must not end a script half-way; a lost wake costs a second
local function wake(channel, payload) redis.pcall('PUBLISH', channel, payload) end

-- A line of the timeline from words that were checked before they became arguments, or a note that is JSON of the
-- caller's. Its values stand in the order that records.py has, and its moment is counted from the one in the id.
local CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz'
local function moment_of(id)
  local at = 0
  for char in string.gmatch(string.sub(id, -26, -17), '.') do
    at = at * 32 + (string.find(CROCKFORD, char, 1, true) or 1) - 1
  end
  return at
end
local function line(id, verb, worker, note, is_json)
  local said = string.format('["%s",%s,%.0f', verb, is_json and note or '"' .. note .. '"', now - moment_of(id))
  return said .. (worker == '' and ']' or ',0,"' .. worker .. '"]')
end

local ENTRIES_MOST = 400 -- an action that was looked at for 15 minutes every 2.4 s has 375 looks
local JOINS_MOST = 100 -- a flood of duplicates must not push the looks out
local KEPT = { settle = true, report = true } -- what a person asks for first is written however long the timeline is

-- What has ended keeps its timeline in its record, a line a line: a key of its own takes as much room as five of them. A
-- very long one stays what it was.
local FOLDED_MOST = 960 -- characters; with a thousand a record would be packed no more
local function fold(key, action)
  local said = table.concat(redis.call('LRANGE', key, '0', '-1'), '\n')
  if said == '' or #said > FOLDED_MOST then return end
  redis.call('HSET', action, 'timeline', said)
  redis.call('DEL', key)
end
local function lines_in(folded)
  local lines = {}
  for one in string.gmatch(folded or '', '[^\n]+') do lines[#lines + 1] = one end
  return lines
end

-- RPUSHX: a timeline whose life is over is not begun again.
local function push(key, verb, json, most)
  local many, action = redis.call('LLEN', key), keys.action(string.match(key, '[^:]+$'))
  local folded = many == 0 and redis.call('HGET', action, 'timeline')
  if folded then many = #lines_in(folded) end
  if not KEPT[verb] and many >= (most or ENTRIES_MOST) then return end
  if folded then redis.call('HSET', action, 'timeline', folded .. '\n' .. json) else redis.call('RPUSHX', key, json) end
end

-- The audit: a list a day, which is only ever added to. Where the clock stepped back over midnight the newer day goes on:
-- who reads on is there already.
local DAY, HOUR, MINUTE = 86400000, 3600000, 60000
local NOBODY = '"",""'
local function audit_day()
  local day = math.floor(now / DAY)
  return redis.call('EXISTS', keys.audit(text(day + 1))) == 1 and day + 1 or day
end
local function expect_audit() expect('list', keys.audit(text(audit_day()))) end
-- Deed, subject and source are words that were checked; `by` (who, why) and `ending` (outcome, reason) are JSON of the
-- caller's, NOBODY for none; `since` is when that began which has ended.
local function audit(life, deed, subject, by, source, ending, since)
  local day, seconds = audit_day(), since and math.max(0, now - since) / 1000 or 0
  local said = '[%.0f,"%s","%s",%s,"%s",%s,%.3f]'
  local key = keys.audit(text(day))
  redis.call('RPUSH', key, string.format(said, now, deed, subject, by, source or '', ending or NOBODY, seconds))
  redis.call('PEXPIREAT', key, text((day + 1) * DAY + tonumber(life)))
end

-- What happened in which minute: a hash an hour, with as many fields as there are minutes, sources and ways to end.
local function expect_minutes() expect('hash', keys.minutes(text(math.floor(now / HOUR)))) end
local function tally(what, number)
  local hour = math.floor(now / HOUR)
  local key = keys.minutes(text(hour))
  redis.call('HINCRBY', key, text(math.floor(now / MINUTE) % 60) .. ':' .. what, number or 1)
  redis.call('PEXPIREAT', key, text((hour + 26) * HOUR)) -- 25 hours after its end: a day can be shown to its minute
end

-- The index: a text for each span of time in which ids were made, and in it a row an action: the terms that it is found by,
-- a full stop, the first letter of how it ended, a tag of its source, and what its id has behind the span. A text is
-- searched in one go; a member of a set for each term would take twenty times the room. `terms` lists the spans.
local ID_CHARS, SPAN_CHARS, TERM_CHARS = 26, 6, 7
local ROW_END = 1 + TERM_CHARS + ID_CHARS - SPAN_CHARS + 1 -- characters of a row from the letter on
local TERMS_MOST = 60 -- a flood of duplicates, each of another ticket, must not fill the index
local ROW_MOST = 2 * TERMS_MOST * (TERM_CHARS + 1) -- characters that no row has: of one delivery there are a few terms
local OPEN, SPAN = 'open', 'in:'
local OLDER, OLDER_LIFE = 'all:', 30 * DAY
-- how it ended; our own JSON, whose first field that is
local function kind_of(outcome) return string.match(outcome or '', '^{"kind":"([a-z_]+)"') or '' end
local function letter_of(kind) return string.sub(kind, 1, 1) end
local function tag_of(source) return string.sub(redis.sha1hex(source), 1, TERM_CHARS) end
local function span_of(id) return string.sub(id, -ID_CHARS, SPAN_CHARS - ID_CHARS - 1) end
local function rest_of(id) return string.sub(id, SPAN_CHARS - ID_CHARS) end
local function expect_index(id)
  expect('zset', keys.terms)
  expect('string', keys.terms_in(span_of(id)))
end

-- Adds a row, and returns where its letter stands.
local function add_row(id, source, kind, terms)
  local words = #terms > 0 and ' ' .. table.concat(terms, ' ') or ''
  local row = words .. '.' .. letter_of(kind) .. tag_of(source) .. rest_of(id) .. '\n'
  return redis.call('APPEND', keys.terms_in(span_of(id)), row) - ROW_END
end
-- A text that grew has room for as much again. When a span begins, the last but one has seen what it will: its text is
-- written anew, and takes what it needs.
local function trim(span)
  local above, lowest = '(' .. SPAN .. span, '[' .. SPAN
  local member = redis.call('ZREVRANGEBYLEX', keys.terms, above, lowest, 'LIMIT', '1', '1')[1]
  local key = member and keys.terms_in(string.sub(member, #SPAN + 1))
  local words = key and is_a('string', key) and redis.call('GET', key)
  if words then redis.call('SET', key, words, 'KEEPTTL') end
end
-- Lets a new action be found by terms.
local function begin_index(id, source, terms)
  local at = add_row(id, source, OPEN, terms)
  redis.call('HSET', keys.action(id), 'terms', ' ' .. table.concat(terms, ' '), 'rows', text(at))
  if redis.call('ZADD', keys.terms, '0', SPAN .. span_of(id)) == 1 then trim(span_of(id)) end
  redis.call('PERSIST', keys.terms)
  redis.call('PERSIST', keys.terms_in(span_of(id)))
end
-- What the first version indexed, a member of `terms` for each term of an action, is taken over action by action.
local function take_over(id)
  local part = string.sub(id, -ID_CHARS)
  local lowest, above = '[' .. OLDER .. part, '(' .. OLDER .. part .. '!'
  local member = redis.call('ZRANGEBYLEX', keys.terms, lowest, above, 'LIMIT', '0', '1')[1]
  if not member then return end
  local r, terms = redis.call('HMGET', keys.action(id), 'source', 'outcome'), {}
  redis.call('ZREM', keys.terms, member)
  for term in string.gmatch(string.sub(member, #OLDER + ID_CHARS + 1), '%S+') do
    redis.call('ZREM', keys.terms, term .. part)
    if not string.find(term, ':', 1, true) then terms[#terms + 1] = string.sub(term, 1, TERM_CHARS) end
  end
  if not r[1] then return end -- it aged out
  local at = add_row(id, r[1], r[2] and kind_of(r[2]) or OPEN, terms)
  redis.call('ZADD', keys.terms, '0', SPAN .. span_of(id))
  redis.call('PEXPIREAT', keys.terms_in(span_of(id)), text(now + OLDER_LIFE))
  if not r[2] then redis.call('HSET', keys.action(id), 'terms', ' ' .. table.concat(terms, ' '), 'rows', text(at)) end
end
-- Where in a text the terms of an action stand, from the first to the last character of them; a few rows at most. A text
-- may have a hundred thousand rows, so what is looked for is the end of those that are meant, and not each.
local function rows_of(words, id)
  local found, tail = {}, rest_of(id) .. '\n'
  local at, ends = string.find(words, tail, 1, true)
  while at do
    local before, from = string.sub(words, math.max(1, at - ROW_MOST), at), 0
    for stands in string.gmatch(before, '()\n') do from = stands end
    found[#found + 1] = { at - #before + from + 1, ends - ROW_END - 1 }
    at, ends = string.find(words, tail, ends, true)
  end
  return found
end
-- Lets an action be found by more terms; returns which were new. One from before there was an index, or whose span aged
-- out, is not found by more.
local function index(id, more)
  local key, fresh, new = keys.terms_in(span_of(id)), {}, {}
  if #more == 0 then return fresh end -- to look for nothing, a text of megabytes might be read
  local r = redis.call('HMGET', keys.action(id), 'terms', 'rows', 'source', 'outcome')
  local known = r[1]
  if not known then
    take_over(id)
    local words, said = redis.call('GET', key) or '', {}
    local rows = rows_of(words, id)
    if #rows == 0 then return fresh end
    for _, row in ipairs(rows) do said[#said + 1] = string.sub(words, row[1], row[2]) end
    known, r[2] = table.concat(said), redis.call('HGET', keys.action(id), 'rows')
  end
  for _, term in ipairs(more) do
    if not string.find(known, ' ' .. term, 1, true) and #known < TERMS_MOST * (TERM_CHARS + 1) then
      known, fresh[term], new[#new + 1] = known .. ' ' .. term, true, term
    end
  end
  if #new == 0 then return fresh end
  local at = add_row(id, r[3], r[4] and kind_of(r[4]) or OPEN, new)
  if not r[4] then redis.call('HSET', keys.action(id), 'terms', known, 'rows', r[2] .. ' ' .. text(at)) end
  return fresh
end
-- The terms of whole digests, and of each the digest.
local function terms_of(digests)
  local terms, whole = {}, {}
  for digest in string.gmatch(digests, '%S+') do
    local term = string.sub(digest, 1, TERM_CHARS)
    terms[#terms + 1], whole[term] = term, digest
  end
  return terms, whole
end
-- An action has ended: it is found by how. What it stands in lives as long as what ended last in it; when it was the last
-- one open, so does the list.
local function index_end(id, r, outcome, due, ends)
  if not r.rows then take_over(id) end
  local key, tail = keys.terms_in(span_of(id)), tag_of(r.source) .. rest_of(id) .. '\n'
  for at in string.gmatch(r.rows or redis.call('HGET', keys.action(id), 'rows') or '', '%d+') do
    -- the row may be gone with its span
    if redis.call('GETRANGE', key, text(at + 1), text(at + #tail)) == tail then
      redis.call('SETRANGE', key, at, letter_of(kind_of(outcome)))
    end
  end
  redis.call('HDEL', keys.action(id), 'terms', 'rows')
  redis.call('PEXPIREAT', key, ends)
  if redis.call('ZCARD', due) == 0 then redis.call('PEXPIREAT', keys.terms, ends) end
end
-- An action is found by no word any more: what is left to find it by is its source, and how it ended.
local function unindex(id)
  take_over(id)
  local key = keys.terms_in(span_of(id))
  for _, row in ipairs(rows_of(redis.call('GET', key) or '', id)) do
    if row[2] >= row[1] then redis.call('SETRANGE', key, text(row[1] - 1), string.rep('-', row[2] - row[1] + 1)) end
  end
end

-- The caller's entries: ARGV[first] is their number, then verb and line of each.
local function push_entries(key, first)
  for i = 1, tonumber(ARGV[first]) do push(key, ARGV[first + 2 * i - 1], ARGV[first + 2 * i]) end
end

-- What every write of an attempt asks first: done already, not this worker's, or nil for go on.
local function guard(key, token, step, state)
  expect('hash', key)
  local r = redis.call('HMGET', key, 'v', 'last_step', 'last_answer', 'token', 'state')
  if not READS[r[1]] then return { 'lost' } end
  if r[2] == step then return { 'done', r[3] or '' } end
  if r[4] ~= token or r[5] ~= state then return { 'lost' } end
  return nil
end

-- Who owns the conversation (nil: nobody), and the epoch: who owned it last, and until when.
local function ownership(key)
  local r = redis.call('HMGET', key, 'owner', 'epoch', 'released_by')
  local owner = r[1]
  if not owner or owner == '' or redis.call('EXISTS', keys.action(owner)) == 0 then owner = nil end
  return owner, r[2] or '', r[3] or ''
end

-- Ends the ownership of `id`, if it is the owner; the step makes the epoch unique within a millisecond.
local function release(key, id, step, life)
  if redis.call('HGET', key, 'owner') ~= id then return end
  local epoch = text(now) .. '-' .. id .. '-' .. step
  redis.call('HSET', key, 'owner', '', 'epoch', epoch, 'released_by', id)
  redis.call('PEXPIREAT', key, text(now + life))
end

-- How an action ends, by its worker (settle) or by a person (drop). KEYS are the same four for both, and so is ARGV from
-- [6] on: see settle. First all is looked at that is going to be written.
local function expect_ending(r)
  local ending = { conversation = keys.conversation(r.conversation), reports = {} }
  expect('list', KEYS[2])
  expect('zset', KEYS[3])
  expect('set', KEYS[4])
  expect('hash', ending.conversation)
  expect_index(ARGV[7])
  expect_audit()
  expect_minutes()
  if r.intent ~= '' then expect('string', keys.intent(r.intent)) end
  ending.digests = redis.call('SMEMBERS', KEYS[4])
  for _, digest in ipairs(ending.digests) do expect('hash', keys.delivery(digest)) end
  for _, report in ipairs(reports_of(ARGV[7], r.reports)) do
    expect('hash', keys.report(report))
    local said = redis.call('HMGET', keys.report(report), 'state', 'source')
    if said[2] then expect_desk(said[2]) end
    ending.reports[#ending.reports + 1] = { id = report, state = said[1], source = said[2] }
  end
  return ending
end
-- The outcome is written once, reports are due, the conversation is free, and everything of the action gets a life.
local function finish(r, ending, deed, by)
  local id, step, ends = ARGV[7], ARGV[4], text(now + tonumber(ARGV[15]))
  local seen_at = ARGV[12] == '' and 0 or now - tonumber(ARGV[12])
  redis.call('HSET', KEYS[1], 'state', ARGV[6], 'outcome', ARGV[10], 'joins', ARGV[11], 'settled_at', text(now),
    'seen_at', text(seen_at), 'last_step', step)
  if r.masked and r.masked ~= '' then redis.call('HSET', KEYS[1], 'removal', r.masked) end
  -- what is not needed any more is not kept for a month
  redis.call('HDEL', KEYS[1], 'token', 'worker', 'until', 'masked', 'held_by', 'conversation', 'last_renewal', 'last_answer')
  for n = 1, tonumber(r.sends) do redis.call('HDEL', KEYS[1], 'kind_' .. text(n)) end -- its answer says it too
  local pinned, others = string.match(r.progress or '', '^([^\n]*)(\n?)') -- who stood by, each by an id, ends the text
  if others ~= '' then redis.call('HSET', KEYS[1], 'progress', pinned) end
  if r.lapses == '0' then redis.call('HDEL', KEYS[1], 'lapses') end
  redis.call('ZREM', KEYS[3], id)
  index_end(id, r, ARGV[10], KEYS[3], ends)
  push_entries(KEYS[2], 23)
  fold(KEYS[2], KEYS[1])
  redis.call('PEXPIREAT', KEYS[1], ends)
  redis.call('PEXPIREAT', KEYS[2], ends)
  release(ending.conversation, id, step, tonumber(ARGV[18]))

  if r.intent ~= '' and redis.call('GET', keys.intent(r.intent)) == id then
    redis.call('PEXPIREAT', keys.intent(r.intent), ends)
  end
  redis.call('HDEL', KEYS[1], 'intent') -- who must take it away again finds it by where it leads (forgetting.py)
  for _, digest in ipairs(ending.digests) do
    local key = keys.delivery(digest)
    local life = redis.call('HGET', key, 'hash_only') == '1' and ARGV[17] or ARGV[16]
    local until_at = text(now + tonumber(life))
    redis.call('HSET', key, 'until', until_at)
    redis.call('PEXPIREAT', key, until_at)
  end
  redis.call('DEL', KEYS[4])
  for _, report in ipairs(ending.reports) do
    local key = keys.report(report.id)
    if report.state == ARGV[13] then
      redis.call('HSET', key, 'state', ARGV[14], 'first_due_at', text(now))
      due_at_desk(report.source, report.id, now)
    end
    redis.call('PEXPIREAT', key, ends)
  end
  audit(ARGV[19], deed, id, by, r.source, ARGV[21], tonumber(r.clicked_at))
  tally('outcome:' .. ARGV[20])
  if ARGV[22] ~= '' then
    local took, bound = math.max(0, seen_at - tonumber(r.clicked_at)) / 1000, 0
    for most in string.gmatch(ARGV[22], '%S+') do if took > tonumber(most) then bound = bound + 1 end end
    tally('gone:' .. text(bound))
  end
  wake(ARGV[9], 'settled:' .. id)
  if #ending.reports > 0 then wake(ARGV[9], 'reports:' .. ARGV[8]) end
end

-- An org's purse: a bucket of all workers (GCRA), the calls that Genesys allows a window, and what the running window
-- of our token has seen. Where Genesys told nothing, `told` calls a `length` µs, and `burst` at once.
local SHARE = { look = 0.5, disconnect = 0.75, confirm = 1 } -- of the burst: what was begun is ended first
local TRICKLE = 30 -- calls a window: a count that says that all is spent holds us to this; only a 429 stops us
local function expect_purse(bucket, allowance, window)
  expect('string', bucket)
  expect('string', allowance)
  expect('hash', window)
end
local function window_of(key, length)
  local w = redis.call('HMGET', key, 'ends', 'used', 'own', 'is_told', 'at')
  local ends, at = tonumber(w[1]), tonumber(w[5])
  -- over, or from a clock that stepped back since
  if not ends or now >= ends or now < at then return { ends = now + length / 1000, used = 0, own = 0, is_told = '' } end
  return { ends = ends, used = tonumber(w[2]), own = tonumber(w[3]), is_told = w[4] }
end
local function keep_window(key, seen)
  redis.call('HSET', key, 'ends', text(seen.ends), 'used', text(seen.used), 'own', text(seen.own),
    'is_told', seen.is_told, 'at', text(now))
  redis.call('PEXPIREAT', key, text(seen.ends))
end
local function budget_of(bucket, allowance, window, length, told, burst)
  local allowed = tonumber(redis.call('GET', allowance) or told)
  local interval, seen = length / allowed, window_of(window, length)
  burst = math.max(1, math.floor(burst * allowed / told))
  local pace, slowest, shut = interval, math.max(interval, length / TRICKLE), 0
  if seen.is_told == '1' then
    -- what is left is spread over the rest of the window, so that at its end there is something left to confirm with;
    -- others under the same token go on as they began
    local rest = math.min((seen.ends - now) * 1000, length)
    local others = (seen.used - seen.own) * rest / math.max(length - rest, length / 10)
    local left = allowed - seen.used - others
    pace = left > 0 and math.min(math.max(interval, rest / left), slowest) or slowest
    if seen.own >= allowed then shut = seen.ends end -- our own count needs no header to be believed
  end
  local tat = math.max(tonumber(redis.call('GET', bucket) or micros), micros)
  if tat - micros > interval * burst + slowest + 1 then tat = micros end -- further ahead than any call could bring it
  local self = { tat = tat, pace = pace, seen = seen }
  -- microseconds until a call of this kind may be made, and how many may be made now
  function self.wait(call)
    local wait = tat - interval * (math.ceil(burst * SHARE[call]) - 1) - micros
    return math.ceil(math.max(0, wait, (shut - now) * 1000))
  end
  function self.carries(call)
    local room = micros + interval * (math.ceil(burst * SHARE[call]) - 1) - tat
    return (room < 0 or shut > now) and 0 or math.floor(room / pace) + 1
  end
  function self.take(count)
    local new = tat + pace * count
    redis.call('SET', bucket, text(new))
    redis.call('PEXPIREAT', bucket, text(math.ceil(new / 1000) + 1000))
    seen.used, seen.own = seen.used + count, seen.own + count
    keep_window(window, seen)
  end
  return self
end
-- Learns what Genesys said with its last answers, as it came along: calls of a window, '' where nothing was said; calls
-- counted in the running one; ms until it is over; and the life of the allowance.
local SAME = 2000 -- ms: a reset comes in whole seconds, and took its time to get here
local function learn(allowance, window, length, allowed, count, left, life)
  if allowed == '' then return end
  redis.call('SET', allowance, allowed)
  redis.call('PEXPIREAT', allowance, text(now + tonumber(life)))
  local seen, ends = window_of(window, length), now + tonumber(left)
  local is_told = seen.is_told == '1'
  if not is_told or ends <= seen.ends + SAME then
    -- ours that are still under way are not counted there yet; others' under the same token are not counted here
    seen.used = math.max(seen.used, tonumber(count))
    seen.ends = is_told and math.max(seen.ends, ends) or ends
  else
    seen = { ends = ends, used = tonumber(count), own = 0 } -- a new one has begun
  end
  seen.is_told = '1'
  if not is_told or ends >= seen.ends - SAME then keep_window(window, seen) end -- else it is of a window that is over
end
-- Takes one call, or says in microseconds how long to wait; 0 when taken. KEYS from `first` on: floor, budget, allowance,
-- window; ARGV from `told` on: µs of a window, calls of a window and burst where untold, and what `learn` takes.
local function expect_spending(first)
  expect('hash', KEYS[first])
  expect_purse(KEYS[first + 1], KEYS[first + 2], KEYS[first + 3])
end
local function spent(call, first, told)
  local bucket, allowance, window, length = KEYS[first + 1], KEYS[first + 2], KEYS[first + 3], tonumber(ARGV[told])
  learn(allowance, window, length, ARGV[told + 3], ARGV[told + 4], ARGV[told + 5], ARGV[told + 6])
  local floor = redis.call('HMGET', KEYS[first], 'until', 'length')
  local wait = floor[1] and tonumber(floor[1]) - now or 0
  if wait > 0 and wait <= tonumber(floor[2]) then return wait * 1000 end
  local budget = budget_of(bucket, allowance, window, length, tonumber(ARGV[told + 1]), tonumber(ARGV[told + 2]))
  wait = budget.wait(call)
  if wait > 0 then return wait end
  budget.take(1)
  return 0
end
