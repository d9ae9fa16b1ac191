-- ARGV: owner, fence, outcome, retention in milliseconds.
local state = held(ARGV[1], ARGV[2])
if state == '2' then
  return 1
end
if state ~= '1' then
  return 0
end
local expires = now + ARGV[4] * 1000
redis.call('HSET', key, 'state', '2', 'outcome', ARGV[3], 'expires', text(expires))
drop_at(expires)
return 1
