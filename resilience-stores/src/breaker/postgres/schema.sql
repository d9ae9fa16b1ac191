-- Circuit breakers shared between the processes that use `resilience`: the members of each breaker name, and their votes.
-- All times are server times. The table is unlogged: after a server crash every process continues with local state.
CREATE UNLOGGED TABLE IF NOT EXISTS resilience_circuit_breaker_votes (
    name       text        NOT NULL,
    process    bigint      NOT NULL,
    seen_at    timestamptz NOT NULL, -- of the last read; written every few seconds
    vote_id    bigint,               -- random; null: no vote
    voted_at   timestamptz,
    open_until timestamptz,          -- null: closed
    expires_at timestamptz,          -- of the vote
    PRIMARY KEY (name, process)
);
