-- Says that a send is about to leave, before it does: takes the conversation, and its call from the org's budget, and keeps
-- whom the look resolved. All in one step: each trip more is a wait of the caller, and a moment in which things change.
-- KEYS: [1] action:<id> hash [2] timeline:<id> list [3] floor hash [4] budget string [5] allowance string
--       [6] window:<process> hash
-- derived keys: conversation of the action; terms
-- ARGV: [1] now_ms [2] base [3] token [4] step [5] state it must be in [6] id [7] epoch [8] most ms to send
--       [9] progress [10] held_by [11] digests that it is found by from now on [12] µs of a window
--       [13] calls of a window, untold [14] burst, untold [15] calls of a window as Genesys said, '' where it said nothing
--       [16] calls counted in the running one [17] ms until it is over [18] life of the allowance
--       [19] entries: n, then verb, line of each
-- Returns: {'ok', answer} | {'done', answer} with answer = `number marked_at deadline_at left_ms`
--          | {'lost'} | {'late'} | {'owned', epoch} | {'wait', microseconds}
local step, id = ARGV[4], ARGV[6]
local stop = guard(KEYS[1], ARGV[3], step, ARGV[5])
if stop then return stop end
expect('list', KEYS[2])
expect_index(id)
expect_spending(3)
local r = redis.call('HMGET', KEYS[1], 'until', 'not_after', 'sends', 'conversation')
local lease_until, not_after, number = tonumber(r[1]), tonumber(r[2]), tonumber(r[3]) + 1
if now >= lease_until then return { 'lost' } end -- over, even if nobody else has taken it yet
if now >= not_after then return { 'late' } end
local conversation = keys.conversation(r[4])
expect('hash', conversation)
local owner, epoch, released_by = ownership(conversation)
-- an epoch that this action itself ended does not count: nobody else has owned the conversation since
if (owner and owner ~= id) or (epoch ~= ARGV[7] and released_by ~= id) then return { 'owned', epoch } end
local wait = spent('disconnect', 3, 12)
if wait > 0 then return { 'wait', text(wait) } end

local left = math.min(tonumber(ARGV[8]), lease_until - now, not_after - now)
local n, marked, deadline = text(number), text(now), text(now + left)
local answer = n .. ' ' .. marked .. ' ' .. deadline .. ' ' .. text(left)
redis.call('HSET', conversation, 'owner', id)
redis.call('PERSIST', conversation)
redis.call('HSET', KEYS[1], 'sends', n, 'marked_' .. n, marked, 'deadline_' .. n, deadline, 'kind_' .. n, '',
  'answer_' .. n, '', 'progress', ARGV[9], 'held_by', ARGV[10], 'last_step', step, 'last_answer', answer)
index(id, (terms_of(ARGV[11])))
push_entries(KEYS[2], 19)
return { 'ok', answer }
