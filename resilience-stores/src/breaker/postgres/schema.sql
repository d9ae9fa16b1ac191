-- What the circuit breakers of `resilience` tell each other. Times are those of the server. What a crash of
-- the server loses is not missed: every process goes by its own.
CREATE UNLOGGED TABLE IF NOT EXISTS resilience_circuit_breakers (
    name       text        NOT NULL PRIMARY KEY,
    tag        bigint      NOT NULL, -- random
    open_until timestamptz,          -- null: closed
    expires_at timestamptz NOT NULL
);
