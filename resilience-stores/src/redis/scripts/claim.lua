-- ARGV: owner, fingerprint, lease and retention in milliseconds, whether a lease that is over may be taken over
-- (1 or 0), label. The states: 1 in flight, 2 completed, 3 released.
local owner, fp, takes_over, label = ARGV[1], ARGV[2], ARGV[5], ARGV[6]
local lease, retention = ARGV[3] * 1000, ARGV[4] * 1000

local record = redis.call('HMGET', key, 'state', 'expires', 'fp', 'owner', 'fence', 'attempts', 'lease')
local state, expires, fence, attempts = record[1], record[2], record[5], record[6]

local function take(least_fence, attempt)
  local new_fence, new_expires = text(math.max(least_fence, now)), now + math.max(lease, retention)
  -- This goes first, because it is what a full server refuses.
  redis.call('HSET', key, 'state', '1', 'owner', owner, 'fence', new_fence, 'fp', fp, 'label', label,
    'lease', text(now + lease), 'expires', text(new_expires), 'attempts', text(attempt))
  if attempt == 1 then
    redis.call('HSET', key, 'created', text(now))
  end
  redis.call('HDEL', key, 'outcome')
  drop_at(new_expires)
  return {'acquired', new_fence, text(attempt)}
end

if not state and not fence then
  return take(now, 1)
end
if tonumber(expires) <= now then
  return take(fence + 1, 1)
end
if record[3] ~= fp then
  return {'mismatch'}
end
if state == '2' then
  return {'replay', redis.call('HGET', key, 'outcome')}
end
if state == '3' then
  return take(fence + 1, attempts + 1)
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
if takes_over == '1' then
  return take(fence + 1, attempts + 1)
end
return {'interrupted', attempts}
