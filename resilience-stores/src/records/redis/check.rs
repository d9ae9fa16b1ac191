//! The check of the durability settings of a server.

use std::fmt;

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisResult, ServerErrorKind, Value};
use resilience_idempotency::StoreResult;

use super::answer::store_error;
use super::script::Replicas;
use super::store::RedisStore;

/// A setting of a server that may lose records.
///
/// A call whose record is lost runs again. [`Display`](fmt::Display) describes the setting and the
/// fix.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// The server does not report the setting.
    Unknown {
        /// The name of the setting.
        setting: &'static str,
    },
    /// The server evicts records when the memory is full: `maxmemory-policy` is not `noeviction`.
    Evicts {
        /// The value of `maxmemory-policy`.
        policy: String,
    },
    /// A restart loses all writes after the last snapshot: `appendonly` is not `yes`.
    NoAppendOnlyFile,
    /// A power failure loses the most recent writes: `appendfsync` is not `always`. With
    /// `everysec`, the default of Redis, the loss is about one second. A killed server process
    /// loses nothing.
    DelayedFsync {
        /// The value of `appendfsync`.
        appendfsync: String,
    },
    /// The server is a replica and accepts no claims.
    IsReplica,
    /// The store does not wait for replicas, so a failover may lose a claim. See
    /// [`wait_replicas`](RedisStore::wait_replicas).
    ReplicasNotAwaited {
        /// The number of connected replicas.
        replicas: u32,
    },
    /// The server has fewer replicas than [`wait_replicas`](RedisStore::wait_replicas) requires:
    /// every claim fails.
    TooFewReplicas {
        /// The number of connected replicas.
        replicas: u32,
        /// The number of required replicas.
        required: u32,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { setting } => write!(f, "`{setting}` is unknown: the server does not report the setting"),
            Self::Evicts { policy } => write!(
                f,
                "`maxmemory-policy` is `{policy}`: a full server evicts records, and calls run again; \
                 set `noeviction`"
            ),
            Self::NoAppendOnlyFile => f.write_str(
                "`appendonly` is `no`: a restart loses the last records, and calls run again; set `yes`",
            ),
            Self::DelayedFsync { appendfsync } => write!(
                f,
                "`appendfsync` is `{appendfsync}`: a power failure loses the last records, and calls \
                 run again; set `always` to prevent the loss"
            ),
            Self::IsReplica => f.write_str("the server is a replica and accepts no claims; connect to the primary"),
            Self::ReplicasNotAwaited { replicas } => write!(
                f,
                "the server has {replicas} replicas, but the store waits for none: a failover loses the \
                 last records, and calls run again; set `wait_replicas`"
            ),
            Self::TooFewReplicas { replicas, required } => write!(
                f,
                "the server has {replicas} replicas, but `wait_replicas` requires {required}: every claim \
                 fails; add replicas or lower `wait_replicas`"
            ),
        }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    /// Returns the settings of the server that may lose records. Log the warnings at startup.
    ///
    /// A setting that the server does not report, because `INFO` or `CONFIG` is forbidden, is
    /// [`Unknown`](Warning::Unknown). For a cluster, the check covers all servers. `appendfsync`
    /// is unknown for a cluster, because `CONFIG` reaches only one server.
    ///
    /// ```no_run
    /// # async fn start(store: resilience::stores::RedisStore<redis::aio::MultiplexedConnection>) {
    /// for warning in store.check().await.into_iter().flatten() {
    ///     eprintln!("idempotency records: {warning}");
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns a [`StoreError`](resilience_idempotency::StoreError) if the server does not answer.
    pub async fn check(&self) -> StoreResult<Vec<Warning>> {
        let mut connection = self.connection.clone();
        let info = redis::cmd("INFO");
        let info = query(&mut connection, &info).await.map_err(store_error)?;
        let config = if is_of_cluster(info.as_ref()) {
            None
        } else {
            let mut config = redis::cmd("CONFIG");
            config.arg("GET").arg("appendfsync");
            query(&mut connection, &config).await.map_err(store_error)?
        };
        let servers: Vec<String> = info.as_ref().map(texts).unwrap_or_default();
        let servers: Vec<Info<'_>> = servers.iter().filter_map(|text| Info::of(text)).collect();
        let mut warnings = Vec::new();
        if servers.is_empty() {
            let settings = ["maxmemory-policy", "appendonly", "role"];
            warnings.extend(settings.map(|setting| Warning::Unknown { setting }));
        }
        for server in &servers {
            server.add_warnings(self.replicas, servers.len() == 1, &mut warnings);
        }
        let uses_append_only_file =
            servers.is_empty() || servers.iter().any(Info::uses_append_only_file);
        let config = config.as_ref().map(texts).unwrap_or_default();
        if uses_append_only_file {
            warnings.extend(fsync_warnings(&config));
        }
        let mut once = Vec::new();
        for warning in warnings {
            if !once.contains(&warning) {
                once.push(warning);
            }
        }
        Ok(once)
    }
}

/// Returns whether a reply to `INFO` covers all servers of a cluster, by server name.
pub(super) fn is_of_cluster(info: Option<&Value>) -> bool {
    matches!(info, Some(Value::Map(_)))
}

/// The reply of one server to `INFO`.
struct Info<'a>(&'a str);

impl<'a> Info<'a> {
    /// Returns `None` for the name of a server, which a cluster reply contains as well.
    fn of(text: &'a str) -> Option<Self> {
        text.contains("redis_version").then_some(Self(text))
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        let mut lines = self.0.lines().filter_map(|line| line.trim_end().split_once(':'));
        lines.find_map(|(of, value)| (of == name).then_some(value))
    }

    fn uses_append_only_file(&self) -> bool {
        self.get("aof_enabled") != Some("0")
    }

    fn add_warnings(
        &self,
        required: Option<Replicas>,
        is_single: bool,
        warnings: &mut Vec<Warning>,
    ) {
        match self.get("maxmemory_policy") {
            Some("noeviction") => {}
            Some(policy) => warnings.push(Warning::Evicts { policy: policy.to_owned() }),
            None => warnings.push(Warning::Unknown { setting: "maxmemory-policy" }),
        }
        match self.get("aof_enabled") {
            Some("0") => warnings.push(Warning::NoAppendOnlyFile),
            Some(_) => {}
            None => warnings.push(Warning::Unknown { setting: "appendonly" }),
        }
        let replicas = self.get("connected_slaves").and_then(|count| count.parse().ok());
        match (self.get("role"), replicas, required) {
            // In a cluster the client selects the primary.
            (Some("slave"), ..) if is_single => warnings.push(Warning::IsReplica),
            (Some("slave"), ..) | (Some(_), Some(0), None) => {}
            (Some(_), Some(replicas), None) => {
                warnings.push(Warning::ReplicasNotAwaited { replicas });
            }
            (Some(_), Some(replicas), Some(Replicas { count: required, .. })) => {
                if replicas < required {
                    warnings.push(Warning::TooFewReplicas { replicas, required });
                }
            }
            _ => warnings.push(Warning::Unknown { setting: "role" }),
        }
    }
}

/// Returns a warning for each value of `appendfsync` other than `always`.
fn fsync_warnings(config: &[String]) -> Vec<Warning> {
    let values = config.windows(2).filter(|pair| pair[0] == "appendfsync").map(|pair| &pair[1]);
    let values: Vec<&String> = values.collect();
    if values.is_empty() {
        return vec![Warning::Unknown { setting: "appendfsync" }];
    }
    let late = values.into_iter().filter(|value| *value != "always");
    late.map(|value| Warning::DelayedFsync { appendfsync: value.clone() }).collect()
}

/// Returns the reply; `None` if the command is forbidden or unknown to the server.
async fn query(connection: &mut impl ConnectionLike, command: &Cmd) -> RedisResult<Option<Value>> {
    use ServerErrorKind::{NoPerm, ResponseError};
    match command.query_async(connection).await {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.kind() {
            ErrorKind::Server(NoPerm | ResponseError) => Ok(None),
            _ => Err(error),
        },
    }
}

/// Returns all texts of a reply, in order.
fn texts(answer: &Value) -> Vec<String> {
    match answer {
        Value::BulkString(bytes) => vec![String::from_utf8_lossy(bytes).into_owned()],
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => vec![text.clone()],
        Value::Array(values) | Value::Set(values) => values.iter().flat_map(texts).collect(),
        Value::Map(pairs) => {
            pairs.iter().flat_map(|(name, value)| [texts(name), texts(value)].concat()).collect()
        }
        _ => Vec::new(),
    }
}
