-- ARGV: owner, fence, outcome, retention in milliseconds.
local state, expires = held(ARGV[1], ARGV[2])
if state == '1' then
  expires = now + ARGV[4] * 1000
  redis.call('HSET', key, 'state', '2', 'outcome', ARGV[3], 'expires', text(expires))
elseif state ~= '2' then
  return 0
end
-- Also where it was complete already: a write, so that a WAIT behind it waits for that of the first time.
drop_at(expires)
return 1
