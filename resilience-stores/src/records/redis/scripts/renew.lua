-- ARGV: owner, fence, lease in milliseconds.
if state ~= '1' then
  return 0
end
redis.call('HSET', key, 'lease', text(now + ARGV[3] * 1000))
if redis.call('PTTL', key) < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', key, ARGV[3])
end
return 1
