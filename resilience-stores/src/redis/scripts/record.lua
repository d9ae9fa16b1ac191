-- What all scripts have in common; it stands in front of each.
--
-- The record is the hash KEYS[1], and times are those of the server's clock, in microseconds, which Lua's
-- numbers hold exactly until the year 2255. Numbers are stored and answered as text, and in full: by itself
-- Lua would write 1.7e+15.
local key, time = KEYS[1], redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function text(number)
  return string.format('%.0f', number)
end

-- Redis drops the record when it has expired, and up to a millisecond later.
local function drop_at(expires)
  redis.call('PEXPIREAT', key, text(math.ceil(expires / 1000)))
end

