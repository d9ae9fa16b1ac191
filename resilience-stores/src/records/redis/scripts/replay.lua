-- ARGV: owner, fingerprint, lease and retention in milliseconds, whether to take over an expired lease (1 or 0),
-- label. States: 1 in flight, 2 completed, 3 released.
local owner, fp = ARGV[1], ARGV[2]

local record = redis.call('HMGET', key, 'state', 'fp', 'owner', 'fence', 'attempts', 'lease', 'outcome')
local state, fence, attempts, outcome = record[1], record[4], record[5], record[7]

-- The most frequent case of a repeated call comes first; the case needs no clock.
if state == '2' and record[2] == fp then
  return {'replay', outcome}
end

