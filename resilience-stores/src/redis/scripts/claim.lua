-- ARGV: owner, fingerprint, lease and retention in milliseconds, whether a lease that is over may be taken over
-- (1 or 0), label. The states: 1 in flight, 2 completed, 3 released.
local owner, fp = ARGV[1], ARGV[2]

local record = redis.call('HMGET', key, 'state', 'expires', 'fp', 'owner', 'fence', 'attempts', 'lease',
  'created', 'outcome')
local state, fence, attempts = record[1], record[5], record[6]

local function take(least_fence, attempt, created)
  local lease = now + ARGV[3] * 1000
  local expires = math.max(lease, now + ARGV[4] * 1000)
  local new_fence, new_attempts = text(math.max(least_fence, now)), text(attempt)
  -- This goes first, because it is what a full server refuses.
  redis.call('HSET', key, 'state', '1', 'owner', owner, 'fence', new_fence, 'fp', fp, 'label', ARGV[6],
    'lease', text(lease), 'expires', text(expires), 'attempts', new_attempts, 'created', created)
  if record[9] then
    redis.call('HDEL', key, 'outcome')
  end
  drop_at(expires)
  return {'acquired', new_fence, new_attempts}
end

if not state and not fence then
  return take(now, 1, text(now))
end
if tonumber(record[2]) <= now then
  return take(fence + 1, 1, text(now))
end
if record[3] ~= fp then
  return {'mismatch'}
end
if state == '2' then
  return {'replay', record[9]}
end
if state == '3' then
  return take(fence + 1, attempts + 1, record[8])
end
if state ~= '1' then
  return {'unreadable'}
end
if record[4] == owner then
  return {'acquired', fence, attempts}
end
local left = record[7] - now
if left > 0 then
  return {'in flight', text(left)}
end
if ARGV[5] == '1' then
  return take(fence + 1, attempts + 1, record[8])
end
return {'interrupted', attempts}
