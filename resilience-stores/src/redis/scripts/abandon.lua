-- ARGV: owner, fence.
if held(ARGV[1], ARGV[2]) ~= '1' then
  return 0
end
local lease = tonumber(redis.call('HGET', key, 'lease'))
redis.call('HSET', key, 'lease', text(math.min(lease, now)))
return 1
