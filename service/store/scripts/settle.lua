-- Ends an action: outcome written once, reports due, conversation free, and everything of it gets a life.
-- KEYS: [1] action:<id> hash [2] timeline:<id> list [3] due:removals zset [4] deliveries:<id> set
-- derived keys: conversation and intent of the action, delivery of each of its digests, report of each of its reports;
--       desks and the due:reports of their sources; audit and minutes of now; terms
-- ARGV: [1] now_ms [2] base [3] token [4] step [5] state it must be in [6] state it gets [7] id [8] org [9] wake channel
--       [10] outcome [11] '1' when a later delivery of the same wish may join [12] ms since the look, '' for none
--       [13] waiting [14] due [15] life of an action [16] of a delivery [17] of a hash-only delivery
--       [18] of who owned the conversation last [19] of the audit [20] kind of the outcome [21] kind and reason as JSON
--       [22] seconds from the click that a removal is counted under, '' when it was none
--       [23] entries: n, then verb, line of each
-- Returns: {'ok'} | {'done', ''} | {'lost'}
local stop = guard(KEYS[1], ARGV[3], ARGV[4], ARGV[5])
if stop then return stop end
local id = ARGV[7]
local r = record(KEYS[1])
local conversation = keys.conversation(r.conversation)
expect('list', KEYS[2])
expect('zset', KEYS[3])
expect('set', KEYS[4])
expect('hash', conversation)
expect_audit()
expect_minutes()
expect('zset', keys.terms)
if r.intent ~= '' then expect('string', keys.intent(r.intent)) end
local digests = redis.call('SMEMBERS', KEYS[4])
for _, digest in ipairs(digests) do expect('hash', keys.delivery(digest)) end
local reports = {}
for report in string.gmatch(r.reports or '', '%S+') do
  expect('hash', keys.report(report))
  local said = redis.call('HMGET', keys.report(report), 'state', 'source')
  if said[2] then expect_desk(said[2]) end
  reports[#reports + 1] = { id = report, state = said[1], source = said[2] }
end

local ends = text(now + tonumber(ARGV[15]))
local seen_at = ARGV[12] == '' and 0 or now - tonumber(ARGV[12])
redis.call('HSET', KEYS[1], 'state', ARGV[6], 'outcome', ARGV[10], 'joins', ARGV[11], 'settled_at', text(now),
  'seen_at', text(seen_at), 'last_step', ARGV[4], 'last_answer', '')
if r.masked ~= '' then redis.call('HSET', KEYS[1], 'removal', r.masked, 'masked', '') end
redis.call('HDEL', KEYS[1], 'token', 'worker', 'until')
redis.call('ZREM', KEYS[3], id)
index_end(id, ARGV[10], KEYS[3], ends)
push_entries(KEYS[2], 23)
redis.call('PEXPIREAT', KEYS[1], ends)
redis.call('PEXPIREAT', KEYS[2], ends)
release(conversation, id, ARGV[4], tonumber(ARGV[18]))

if r.intent ~= '' and redis.call('GET', keys.intent(r.intent)) == id then
  redis.call('PEXPIREAT', keys.intent(r.intent), ends)
end
for _, digest in ipairs(digests) do
  local key = keys.delivery(digest)
  local life = redis.call('HGET', key, 'hash_only') == '1' and ARGV[17] or ARGV[16]
  local until_at = text(now + tonumber(life))
  redis.call('HSET', key, 'until', until_at)
  redis.call('PEXPIREAT', key, until_at)
end
redis.call('DEL', KEYS[4])
for _, report in ipairs(reports) do
  local key = keys.report(report.id)
  if report.state == ARGV[13] then
    redis.call('HSET', key, 'state', ARGV[14], 'first_due_at', text(now))
    due_at_desk(report.source, report.id, now)
  end
  redis.call('PEXPIREAT', key, ends)
end
audit(ARGV[19], 'settle', id, NOBODY, r.source, ARGV[21], tonumber(r.clicked_at))
tally('outcome:' .. ARGV[20])
if ARGV[22] ~= '' then
  local took, bound = math.max(0, seen_at - tonumber(r.clicked_at)) / 1000, 0
  for most in string.gmatch(ARGV[22], '%S+') do if took > tonumber(most) then bound = bound + 1 end end
  tally('gone:' .. text(bound))
end
wake(ARGV[9], 'settled:' .. id)
if #reports > 0 then wake(ARGV[9], 'reports:' .. ARGV[8]) end
return { 'ok' }
