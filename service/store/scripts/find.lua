-- Finds actions, the newest first; looks at no more than it was told to, and says where to go on. Writes nothing.
-- KEYS: [1] terms zset
-- derived keys: action of each that is looked at
-- ARGV: [1] now_ms [2] base [3] org [4] what the members begin with [5] the part of the id after the org is lower than
--       this [6] and not lower than this [7] source or '' [8] kind of the outcome, 'open' or '' [9] pending
--       [10] most to find [11] most to look at
-- Returns: {'' when all was looked at, else the part of the last id, {id, {field, value, …}}, …}
local prefix, source, kind, pending = ARGV[4], ARGV[7], ARGV[8], ARGV[9]
local limit, left = tonumber(ARGV[10]), tonumber(ARGV[11])
local highest, lowest, last = '(' .. prefix .. ARGV[5], '[' .. prefix .. ARGV[6], ''
local STRIDE = 100 -- most searches end within the first
local found = {}

-- What else it is to be found by: most do not fit, and the index says so in a tenth of the time of a record.
local more = {}
if source ~= '' then more[#more + 1] = by_source(source) end
if kind ~= '' then more[#more + 1] = by_kind(kind) end

-- The record has the word: the index may have what has aged out since, or was written anew by a newer version.
local function fits(key, part)
  for _, term in ipairs(more) do
    local member = '[' .. term .. part
    if term ~= prefix and #redis.call('ZRANGEBYLEX', KEYS[1], member, member) == 0 then return false end
  end
  if not is_a('hash', key) then return false end
  local r = redis.call('HMGET', key, 'v', 'source', 'state', 'outcome')
  if not READS[r[1]] or (source ~= '' and r[2] ~= source) then return false end
  return kind == '' or kind == (r[3] == pending and OPEN or kind_of(r[4]))
end

while true do
  local most = math.min(STRIDE, left)
  local members = redis.call('ZREVRANGEBYLEX', KEYS[1], highest, lowest, 'LIMIT', '0', text(most))
  for place, member in ipairs(members) do
    last = string.sub(member, #prefix + 1, #prefix + ID_CHARS)
    local id = ARGV[3] .. '.' .. last
    if fits(keys.action(id), last) then
      local _, flat = record(keys.action(id))
      found[#found + 1] = { id, flat }
    end
    if #found == limit and (place < #members or #members == most) then return { last, unpack(found) } end
  end
  left = left - #members
  if #members < most then return { '', unpack(found) } end
  if left == 0 then return { last, unpack(found) } end
  highest = '(' .. prefix .. last
end
