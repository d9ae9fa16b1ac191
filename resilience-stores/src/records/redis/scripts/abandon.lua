if state ~= '1' then
  return 0
end
redis.call('HSET', key, 'lease', '0')
return 1
