-- In front of what needs the time: that of the server's clock, in microseconds, which Lua's numbers hold exactly
-- until the year 2255. Numbers are stored and answered as text, and in full: by itself Lua would write 1.7e+15.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function text(number)
  return string.format('%.0f', number)
end

