-- Takes back exactly the last mark, if nobody answered it; frees the conversation if nothing of ours may still land.
-- KEYS: [1] action:<id> hash [2] timeline:<id> list
-- derived keys: conversation of the action
-- ARGV: [1] now_ms [2] base [3] token [4] step [5] state it must be in [6] id [7] number of the send
--       [8] life of who owned it last [9] kinds that count as ours, space before and after each
--       [10] entries: n, then verb, line of each
-- Returns: {'ok'} | {'done', ''} | {'lost'} | {'no such send'}
local stop = guard(KEYS[1], ARGV[3], ARGV[4], ARGV[5])
if stop then return stop end
expect('list', KEYS[2])
local n = ARGV[7]
local r = redis.call('HMGET', KEYS[1], 'sends', 'conversation', 'kind_' .. n)
if r[1] ~= n or r[3] ~= '' then return { 'no such send' } end
local conversation = keys.conversation(r[2])
expect('hash', conversation)
local is_ours = false
for i = 1, tonumber(n) - 1 do
  local kind = redis.call('HGET', KEYS[1], 'kind_' .. text(i))
  if kind == '' or string.find(ARGV[9], ' ' .. kind .. ' ', 1, true) then is_ours = true end
end

redis.call('HSET', KEYS[1], 'sends', text(tonumber(n) - 1), 'last_step', ARGV[4], 'last_answer', '')
redis.call('HDEL', KEYS[1], 'marked_' .. n, 'deadline_' .. n, 'kind_' .. n, 'answer_' .. n)
if not is_ours then release(conversation, ARGV[6], ARGV[4], tonumber(ARGV[8])) end
push_entries(KEYS[2], 10)
return { 'ok' }
