//! A separate server, with the tables of the test program.

use crate::servers::{Postgres, Redis, Signal};
use crate::store::postgres;

/// The kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Redis,
    Postgres,
}

/// A separate server.
pub(crate) enum Store {
    Redis(Redis),
    Postgres(Postgres),
}

impl Store {
    /// Returns `None` if the server is not installed.
    pub(crate) fn start(kind: Kind) -> Option<Self> {
        let store = match kind {
            Kind::Redis => Self::Redis(Redis::start(&[])?),
            Kind::Postgres => Self::Postgres(Postgres::start(&[])?),
        };
        if kind == Kind::Postgres {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                postgres(&store.url()).migrate().await.unwrap();
            });
        }
        Some(store)
    }

    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Redis(server) => server.port(),
            Self::Postgres(server) => server.port(),
        }
    }

    pub(crate) fn url(&self) -> String {
        self.url_at(self.port())
    }

    pub(crate) fn url_at(&self, port: u16) -> String {
        match self {
            Self::Redis(_) => Redis::url_at(port),
            Self::Postgres(_) => Postgres::url_at(port),
        }
    }

    pub(crate) fn stop(&self) {
        match self {
            Self::Redis(server) => server.stop(Signal::Kill),
            Self::Postgres(server) => server.stop(Signal::Kill),
        }
    }

    pub(crate) fn start_again(&self) {
        match self {
            Self::Redis(server) => server.start_again(),
            Self::Postgres(server) => server.start_again(),
        }
    }
}
