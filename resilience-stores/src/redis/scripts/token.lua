-- In front of what needs a token: the state of the record and its end, if it is live and this token's.
local function held(owner, fence)
  local record = redis.call('HMGET', key, 'state', 'expires', 'owner', 'fence')
  local state, expires = record[1], tonumber(record[2])
  if state and expires > now and record[3] == owner and record[4] == fence then
    return state, expires
  end
end

