-- The label and the attempts of a claim whose lease is over and that nobody ended.
local record = redis.call('HMGET', key, 'state', 'lease', 'label', 'attempts')
if record[1] ~= '1' or tonumber(record[2]) > now then
  return {}
end
return {record[3], record[4]}
