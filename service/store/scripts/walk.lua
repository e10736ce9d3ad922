-- One step of a walk through all keys of this server; says which master it is, for a cursor means nothing to another one.
-- KEYS: [1] any key of the org: where the walk is
-- derived keys: none
-- ARGV: [1] now_ms [2] base [3] cursor, '0' first [4] what the names fit [5] keys to look at
-- Returns: {the master's replication id, '' where it may not be asked, cursor, '0' when it is over, {name, …}}
-- pcall: a user who may not ask walks all the same, and is not told of two servers
local info = redis.pcall('INFO', 'replication')
if type(info) == 'table' then info = 'role:master' end
-- as a write would hear it: what this server was the master of has another one, and the next connection leads there
if not string.find(info, 'role:master', 1, true) then
  return redis.error_reply("READONLY You can't walk through a read only replica.")
end
local found = redis.call('SCAN', ARGV[3], 'MATCH', ARGV[4], 'COUNT', ARGV[5])
return { string.match(info, 'master_replid:(%x+)') or '', found[1], found[2] }
