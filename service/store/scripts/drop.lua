-- Ends an open action of which nothing was sent, because a person will not have it: as if its worker had settled it.
-- Whoever holds it is told that the lease is lost before it could send anything: `mark_sent` asks who holds it.
-- KEYS: [1] action:<id> hash [2] timeline:<id> list [3] due:removals zset [4] deliveries:<id> set
-- derived keys: as settle
-- ARGV: [1] now_ms [2] base [3] who and why, as JSON [4] step [5] state it must be in [6..] as settle, and the note of its
--       timeline's line, as JSON [24]
-- Returns: {'ok'} | {'done'} | {'none'} | {'ended'} | {'sent'} | {'unknown'}
expect('hash', KEYS[1])
local r = record(KEYS[1])
if not r.v then return { 'none' } end
if not READS[r.v] then return { 'unknown' } end
if r.last_step == ARGV[4] then return { 'done' } end
if r.state ~= ARGV[5] then return { 'ended' } end
if tonumber(r.sends) > 0 then return { 'sent' } end -- it may have taken effect, or may still: its worker sees to it
local ending = expect_ending(r)
push(KEYS[2], 'settle', line(ARGV[7], 'settle', '', ARGV[24], true))
finish(r, ending, 'drop', ARGV[3])
return { 'ok' }
