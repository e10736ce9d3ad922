-- The dry-run of /readyz: what every script needs (a clock, a write, a life) is done once on a key of no meaning.
-- KEYS: [1] probe string
-- derived keys: none
-- ARGV: [1] now_ms [2] base
-- Returns: 'ok'
expect('string', KEYS[1])
redis.call('SET', KEYS[1], text(now))
redis.call('PEXPIRE', KEYS[1], 1000)
return redis.call('GET', KEYS[1]) == text(now) and 'ok' or 'not what was written'
