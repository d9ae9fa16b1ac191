-- The idempotency records of `resilience`. Times are those of the server.
CREATE TABLE IF NOT EXISTS resilience_idempotency (
    k           bytea       NOT NULL PRIMARY KEY, -- a keyed hash
    state       smallint    NOT NULL,             -- 1 in flight, 2 completed, 3 released
    fence       bigint      NOT NULL,             -- rises with every claim of a key
    owner       bytea       NOT NULL,             -- the random number of the claimant
    fp          bytea       NOT NULL,             -- a keyed hash of what the call is about
    lease_until timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    attempts    integer     NOT NULL DEFAULT 1,
    outcome     bytea,
    label       text        NOT NULL,             -- the name of the function
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX IF NOT EXISTS resilience_idempotency_expires_at ON resilience_idempotency (expires_at);
