-- Returns the label and the attempts of an interrupted claim: in flight, with an expired lease.
local record = redis.call('HMGET', key, 'state', 'lease', 'label', 'attempts')
if record[1] ~= '1' or tonumber(record[2]) > now then
  return {}
end
return {record[3], record[4]}
