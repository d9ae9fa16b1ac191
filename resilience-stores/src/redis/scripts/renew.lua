-- ARGV: owner, fence, lease in milliseconds.
local state, expires = held(ARGV[1], ARGV[2])
if state ~= '1' then
  return 0
end
local lease = now + ARGV[3] * 1000
expires = math.max(expires, lease)
redis.call('HSET', key, 'lease', text(lease), 'expires', text(expires))
drop_at(expires)
return 1
