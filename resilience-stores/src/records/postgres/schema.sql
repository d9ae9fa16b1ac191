-- Idempotency records of `resilience`. All times are server times.
CREATE TABLE IF NOT EXISTS resilience_idempotency (
    k           bytea       NOT NULL PRIMARY KEY, -- a keyed hash
    state       smallint    NOT NULL,             -- 1 in flight, 2 completed, 3 released
    fence       bigint      NOT NULL,             -- increases with every claim of a key
    owner       bytea       NOT NULL,             -- a random number of the claiming call
    fp          bytea       NOT NULL,             -- a keyed hash of the arguments
    lease_until timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    attempts    integer     NOT NULL DEFAULT 1,
    outcome     bytea,
    label       text        NOT NULL,             -- the name of the function
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX IF NOT EXISTS resilience_idempotency_expires_at ON resilience_idempotency (expires_at);
-- For the list of interrupted calls. Completed records are not in this index.
CREATE INDEX IF NOT EXISTS resilience_idempotency_in_flight ON resilience_idempotency (lease_until) WHERE state = 1;
