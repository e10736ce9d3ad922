-- Forgets whom a settled action was about, and which ticket asked. What is open is kept: a promise is kept first.
-- As often as asked: nothing of it needs to be there still.
-- KEYS: [1] action:<id> hash [2] timeline:<id> list [3..] delivery:<digest> hash or intent:<digest> string, each that may
--       lead to it
-- derived keys: intent of the action, report of each of its reports; dead; audit of now; terms
-- ARGV: [1] now_ms [2] base [3] id [4] settled [5] waiting [6] due [7] '1' to say only whether it may be
--       [8] the removal as it was read [9] the removal without the person
--       [10] who and why, as JSON [11] life of the audit
--       [12..] field, value of what else is written over
-- Returns: {'ok'} | {'open', why: action, report, fresh, changed}
local id = ARGV[3]
expect('hash', KEYS[1])
local r = record(KEYS[1])
if not r.v then return { 'ok' } end -- its life is over
if not READS[r.v] then return { 'open', 'changed' } end
if r.state ~= ARGV[4] then return { 'open', 'action' } end
-- a click of the same wish may still be on its way, and must find that it was done
if now < tonumber(r.settled_at) + tonumber(r.not_after) - tonumber(r.clicked_at) then return { 'open', 'fresh' } end
local reports = {}
for _, report in ipairs(reports_of(id, r.reports)) do
  local key = keys.report(report)
  expect('hash', key)
  local state = redis.call('HGET', key, 'state')
  if state == ARGV[5] or state == ARGV[6] then return { 'open', 'report' } end
  if state then reports[#reports + 1] = key end
end
if r.removal ~= ARGV[8] and r.removal ~= ARGV[9] then return { 'open', 'changed' } end
if ARGV[7] == '1' then return { 'ok' } end
expect('list', KEYS[2])
for i = 3, #KEYS do
  if not is_a('string', KEYS[i]) then expect('hash', KEYS[i]) end
end
local intent = r.intent and r.intent ~= '' and keys.intent(r.intent)
if intent then expect('string', intent) end
expect('zset', keys.dead)
expect_audit()
expect_index(id)

redis.call('HSET', KEYS[1], 'removal', ARGV[9], 'masked', '', 'tags', '', 'joins', '', 'progress', '', 'also', '',
  'forgotten', '1')
redis.call('HDEL', KEYS[1], 'conversation', 'intent') -- the first version kept them
unindex(id)
for i = 12, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if intent and redis.call('GET', intent) == id then redis.call('DEL', intent) end
-- The note is the second value of each line, and ends at its first quote that has no backslash before it. In a line of
-- the first version, an object, it is the last field.
local NOTE = ',"note":"'
local function without_note(said)
  local old = string.find(said, NOTE, 1, true)
  if old then return string.sub(said, 1, old - 1) .. NOTE .. '"}' end
  local _, at = string.find(said, '^%["%a+","')
  if not at then return said end
  local ends = at + 1
  while string.sub(said, ends, ends) ~= '"' do
    ends = ends + (string.sub(said, ends, ends) == '\\' and 2 or 1)
  end
  return string.sub(said, 1, at) .. string.sub(said, ends)
end
for i, said in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do redis.call('LSET', KEYS[2], i - 1, without_note(said)) end
local folded = lines_in(r.timeline)
for i, said in ipairs(folded) do folded[i] = without_note(said) end
if r.timeline then redis.call('HSET', KEYS[1], 'timeline', table.concat(folded, '\n')) end
for _, report in ipairs(reports_of(id, r.reports)) do
  local field = told_in(report)
  -- the ticket is the last of it
  if r[field] then redis.call('HSET', KEYS[1], field, string.match(r[field], '^(%["[^"]*","[^"]*",%d+,%d+,"[^"]*",)') .. 'null]') end
end
for _, report in ipairs(reports_of(id, r.reports)) do redis.call('ZREM', keys.dead, report) end -- told to nobody any more
for _, key in ipairs(reports) do redis.call('HSET', key, 'ticket', '', 'error', '', 'forgotten', '1') end
if r.removal ~= ARGV[9] then audit(ARGV[11], 'forget', id, ARGV[10], r.source) end
for i = 3, #KEYS do
  -- the hash of a body of which all but the number is known can be undone; that it came is remembered as before
  if is_a('string', KEYS[i]) then
    if redis.call('GET', KEYS[i]) == id then redis.call('DEL', KEYS[i]) end
  elseif redis.call('HGET', KEYS[i], 'action') == id then redis.call('HSET', KEYS[i], 'body_hash', '') end
end
return { 'ok' }
