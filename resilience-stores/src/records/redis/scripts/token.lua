-- Prefix of every script that needs a token: `state` is false unless the token owns the record. ARGV: owner, fence.
local record = redis.call('HMGET', key, 'state', 'owner', 'fence')
local state = record[2] == ARGV[1] and record[3] == ARGV[2] and record[1]

