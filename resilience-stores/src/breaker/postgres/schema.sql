-- Circuit breaker states, shared between the processes that use `resilience`. All times are server times. The table is
-- unlogged: after a server crash every process continues with local state.
CREATE UNLOGGED TABLE IF NOT EXISTS resilience_circuit_breakers (
    name       text        NOT NULL PRIMARY KEY,
    entry_id   bigint      NOT NULL, -- random
    open_until timestamptz,          -- null: closed
    expires_at timestamptz NOT NULL
);
