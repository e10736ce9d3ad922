-- Returns what is remembered of one source's refused deliveries.
-- KEYS: [1] refusals list
-- derived keys: none
-- ARGV: [1] now_ms [2] base
-- Returns: the lines, the oldest first
expect('list', KEYS[1])
return redis.call('LRANGE', KEYS[1], 0, -1)
