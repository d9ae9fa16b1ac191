-- Prefix of every script. The record is the hash KEYS[1]. Redis deletes expired records, so an existing record is
-- live.
local key = KEYS[1]

