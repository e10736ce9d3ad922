-- Finds actions, the newest first; looks at no more than it was told to, and says where to go on. Writes nothing.
-- KEYS: [1] terms zset
-- derived keys: terms of each span that is looked through; action of each that is looked at
-- ARGV: [1] now_ms [2] base [3] org [4] term or '' [5] the part of the id after the org is lower than this [6] and not
--       lower than this [7] source or '' [8] kind of the outcome, 'open' or '' [9] pending [10] most to find
--       [11] most to look at [12] characters of the index after which no other span is looked through
-- Returns: {'' when all was looked at, else the part of the last id, {id, {field, value, …}}, …}; where a span was the
--          end, the part is its first one
local term, below, lowest, source, kind, pending = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local limit, left, chars = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local STRIDE = '100'
local FIRST = string.rep('0', ID_CHARS - SPAN_CHARS) -- of a span: no id of it is lower
local found, last = {}, ''

-- What stands in each row that may fit, and in few others.
local needle = term ~= '' and ' ' .. term or '.' .. letter_of(kind)
local letter, tag = letter_of(kind), source ~= '' and tag_of(source) or ''
local function parts_in(span)
  local parts, is_there = {}, {}
  local words = is_a('string', keys.terms_in(span)) and redis.call('GET', keys.terms_in(span)) or ''
  chars = chars - #words
  local at = string.find(words, needle, 1, true)
  while at do
    local ends = string.find(words, '\n', at, true)
    local said = ends - ROW_END + 1 -- from here on a row is as long as any other
    local part = span .. string.sub(words, said + 1 + TERM_CHARS, ends - 1)
    local fits = (letter == '' or string.sub(words, said, said) == letter)
      and (tag == '' or string.sub(words, said + 1, said + TERM_CHARS) == tag)
    if fits and part < below and part >= lowest and not is_there[part] then
      is_there[part], parts[#parts + 1] = true, part
    end
    at = string.find(words, needle, ends, true)
  end
  table.sort(parts, function(a, b) return a > b end)
  return parts
end

-- The record says what is so: the index may have what has aged out since, or was written anew by a newer version.
local function fits(key)
  if not is_a('hash', key) then return false end
  local r = redis.call('HMGET', key, 'v', 'source', 'state', 'outcome')
  if not READS[r[1]] or (source ~= '' and r[2] ~= source) then return false end
  return kind == '' or kind == (r[3] == pending and OPEN or kind_of(r[4]))
end

-- Looks at what a span has; the answer, where it is complete.
local function looked_through(span)
  for _, part in ipairs(parts_in(span)) do
    local id = ARGV[3] .. '.' .. part
    if left == 0 then return { last, unpack(found) } end
    left = left - 1
    if fits(keys.action(id)) then
      if #found == limit then return { last, unpack(found) } end -- so there is more
      local _, flat = record(keys.action(id))
      found[#found + 1] = { id, flat }
    end
    last = part
  end
  last = span .. FIRST
  return nil
end

local is_over = string.sub(below, SPAN_CHARS + 1) == FIRST
local highest = (is_over and '(' or '[') .. SPAN .. string.sub(below, 1, SPAN_CHARS)
while true do
  local members = redis.call('ZREVRANGEBYLEX', KEYS[1], highest, '[' .. SPAN .. string.sub(lowest, 1, SPAN_CHARS), 'LIMIT',
    '0', STRIDE)
  for _, member in ipairs(members) do
    if chars <= 0 then return { last, unpack(found) } end
    local answer = looked_through(string.sub(member, #SPAN + 1))
    if answer then return answer end
  end
  if #members < tonumber(STRIDE) then return { '', unpack(found) } end
  highest = '(' .. members[#members]
end
