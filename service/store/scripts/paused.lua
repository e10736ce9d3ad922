-- Reads what is paused in an org.
-- KEYS: [1] paused hash
-- derived keys: none
-- ARGV: [1] now_ms [2] base
-- Returns: {source, …}, '' for the whole org
return redis.call('HKEYS', KEYS[1])
