-- Prefix of every script that needs the time: the clock of the server, in microseconds. Lua numbers represent
-- microseconds exactly until the year 2255. Scripts store and return numbers as text, because Lua would format
-- a large number as 1.7e+15.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function text(number)
  return string.format('%.0f', number)
end

