-- ARGV: owner, fence, outcome, retention in milliseconds.
if state == '2' then
  return 1
end
if state ~= '1' then
  return 0
end
redis.call('HSET', key, 'state', '2', 'outcome', ARGV[3])
redis.call('PEXPIRE', key, ARGV[4])
return 1
