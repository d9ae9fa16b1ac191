-- ARGV: owner, fingerprint, lease and retention in milliseconds, whether a lease that is over may be taken over
-- (1 or 0), label. The states: 1 in flight, 2 completed, 3 released.
local owner, fp = ARGV[1], ARGV[2]

local record = redis.call('HMGET', key, 'state', 'fp', 'owner', 'fence', 'attempts', 'lease', 'outcome')
local state, fence, attempts, outcome = record[1], record[4], record[5], record[7]

-- This is what a repeated call mostly finds, and it needs no time.
if state == '2' and record[2] == fp then
  return {'replay', outcome}
end

