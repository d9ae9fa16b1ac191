-- The second part of a claim, after replay.lua: every case except a completed record with the same fingerprint.
local function take(new_fence, new_attempts)
  -- HSET comes first, because a full server rejects HSET before anything has changed.
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
