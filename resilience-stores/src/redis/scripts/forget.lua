local expires = redis.call('HGET', key, 'expires')
redis.call('DEL', key)
return expires and tonumber(expires) > now and 1 or 0
