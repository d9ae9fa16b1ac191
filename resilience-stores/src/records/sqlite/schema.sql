-- Idempotency records of `resilience`. Times are milliseconds since 1970, by the clock of the machine.
CREATE TABLE IF NOT EXISTS resilience_idempotency (
    k           BLOB    NOT NULL PRIMARY KEY, -- a keyed hash
    state       INTEGER NOT NULL,             -- 1 in flight, 2 completed, 3 released
    fence       INTEGER NOT NULL,             -- increases with every claim of a key
    owner       BLOB    NOT NULL,             -- a random number of the claiming call
    fp          BLOB    NOT NULL,             -- a keyed hash of the arguments
    lease_until INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 1,
    outcome     BLOB,
    label       TEXT    NOT NULL,             -- the name of the function
    created_at  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS resilience_idempotency_expires_at ON resilience_idempotency (expires_at);
