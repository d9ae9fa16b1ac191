-- What all scripts have in common; it stands in front of each. The record is the hash KEYS[1]. Redis drops it when
-- it has expired, so one that is found is live.
local key = KEYS[1]

