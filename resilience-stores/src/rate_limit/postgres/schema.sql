-- Rate limits shared between the processes that use `resilience`: the leases of each rate, as arrays with an element per
-- member. One row per rate, because a single statement can change one row without a race. All times are server times.
-- The table is unlogged: after a server crash every process leases its share again.
CREATE UNLOGGED TABLE IF NOT EXISTS resilience_rate_limit_leases (
    name      text          PRIMARY KEY,
    members   bigint[]      NOT NULL,
    shares    bigint[]      NOT NULL, -- billionths of the rate
    demands   bigint[]      NOT NULL,
    starts_at timestamptz[] NOT NULL,
    ends_at   timestamptz[] NOT NULL
);
