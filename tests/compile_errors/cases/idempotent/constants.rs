// Constants that break a rule. The compiler evaluates the rule after the expansion.

mod constant_lease {
    use std::time::Duration;

    use resilience::{Rejected, idempotent};

    const SHORT: Duration = Duration::from_secs(10);
    const LONG: Duration = Duration::from_secs(60);

    #[idempotent(key = id, scope = "global", ttl = SHORT, lease = LONG)]
    //~ error at `LONG`: `lease` is not shorter than `ttl`, so the record of a running call could expire; raise `ttl` or lower `lease`
    fn call(id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

mod constant_lease_zero {
    use std::time::Duration;

    use resilience::{Rejected, idempotent};

    const NONE: Duration = Duration::ZERO;

    #[idempotent(key = id, scope = "global", lease = NONE)]
    //~ error at `NONE`: `lease` is zero, so every call would count as dead; write a longer time, like `"30s"`
    fn call(id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

mod constant_max_renewal {
    use std::time::Duration;

    use resilience::{Rejected, idempotent};

    const SHORT: Duration = Duration::from_secs(10);

    #[idempotent(key = id, scope = "global", max_renewal = SHORT)]
    //~ error at `SHORT`: `lease` is longer than `max_renewal`, so the lease could not end on time; raise `max_renewal` or lower `lease`
    fn call(id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

mod constant_store_timeout {
    use std::time::Duration;

    use resilience::{Rejected, idempotent};

    const NONE: Duration = Duration::ZERO;

    #[idempotent(key = id, scope = "global", store_timeout = NONE)]
    //~ error at `NONE`: `store_timeout` is zero, so the store could never answer; write a longer time, like `"500ms"`
    fn call(id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

mod constant_ttl {
    use std::time::Duration;

    use resilience::{Rejected, idempotent};

    const SHORT: Duration = Duration::from_secs(10);

    #[idempotent(key = id, scope = "global", ttl = SHORT)]
    //~ error at `SHORT`: `lease` is not shorter than `ttl`, so the record of a running call could expire; raise `ttl` or lower `lease`
    fn call(id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

mod constant_ttl_zero {
    use std::time::Duration;

    use resilience::{Rejected, idempotent};

    const NONE: Duration = Duration::ZERO;

    #[idempotent(key = id, scope = "global", ttl = NONE)]
    //~ error at `NONE`: `ttl` is zero, so no outcome would be kept; write a longer time, like `"24h"`
    fn call(id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}
