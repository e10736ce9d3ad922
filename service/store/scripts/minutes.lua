-- Reads what happened in which minute of one hour.
-- KEYS: [1] minutes:<hour> hash
-- derived keys: none
-- ARGV: [1] now_ms [2] base
-- Returns: {now, {field, number, …}}
return { text(now), redis.call('HGETALL', KEYS[1]) }
