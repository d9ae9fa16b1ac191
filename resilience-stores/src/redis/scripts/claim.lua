-- ARGV: owner, fingerprint, lease and retention in milliseconds, whether a lease that is over may be taken over
-- (1 or 0), label. The states: 1 in flight, 2 completed, 3 released.
local owner, fp = ARGV[1], ARGV[2]

local record = redis.call('HMGET', key, 'state', 'fp', 'owner', 'fence', 'attempts', 'lease', 'outcome')
local state, fence, attempts, outcome = record[1], record[4], record[5], record[7]

local function take(new_fence, new_attempts)
  -- This goes first, because it is what a full server refuses.
  redis.call('HSET', key, 'state', '1', 'owner', owner, 'fence', new_fence, 'fp', fp, 'label', ARGV[6],
    'lease', text(now + ARGV[3] * 1000), 'attempts', new_attempts)
  if outcome then
    redis.call('HDEL', key, 'outcome')
  end
  redis.call('PEXPIRE', key, text(math.max(ARGV[3], ARGV[4])))
  return {'acquired', new_fence, new_attempts}
end

local function take_over()
  return take(text(math.max(fence + 1, now)), text(attempts + 1))
end

if not state and not fence then
  return take(text(now), '1')
end
if record[2] ~= fp then
  return {'mismatch'}
end
if state == '2' then
  return {'replay', outcome}
end
if state == '3' then
  return take_over()
end
if state ~= '1' then
  return {'unreadable'}
end
if record[3] == owner then
  return {'acquired', fence, attempts}
end
local left = record[6] - now
if left > 0 then
  return {'in flight', text(left)}
end
if ARGV[5] == '1' then
  return take_over()
end
return {'interrupted', attempts}
