if state ~= '1' and state ~= '3' then
  return 0
end
redis.call('HSET', key, 'state', '3', 'lease', '0')
return 1
