-- In front of what needs a token: the state of the record, if it is this token's. ARGV: owner, fence.
local record = redis.call('HMGET', key, 'state', 'owner', 'fence')
local state = record[2] == ARGV[1] and record[3] == ARGV[2] and record[1]

