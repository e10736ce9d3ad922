-- Remembers what became of a send.
-- KEYS: [1] action:<id> hash [2] timeline:<id> list
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3] token [4] step [5] state it must be in [6] number of the send [7] kind [8] answer
--       [9] entries: n, then verb, line of each
-- Returns: {'ok'} | {'done', ''} | {'lost'} | {'no such send'}
local stop = guard(KEYS[1], ARGV[3], ARGV[4], ARGV[5])
if stop then return stop end
expect('list', KEYS[2])
local number = tonumber(ARGV[6])
if number < 1 or number > tonumber(redis.call('HGET', KEYS[1], 'sends')) then return { 'no such send' } end
redis.call('HSET', KEYS[1], 'kind_' .. ARGV[6], ARGV[7], 'answer_' .. ARGV[6], ARGV[8],
  'last_step', ARGV[4], 'last_answer', '')
push_entries(KEYS[2], 9)
return { 'ok' }
