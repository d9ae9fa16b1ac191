//! Whether a server is set up to keep what it is given.

use std::fmt;

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisResult, ServerErrorKind, Value};
use resilience_idempotency::StoreResult;

use super::answer::trouble;
use super::script::Replicas;
use super::store::RedisStore;

/// Something about a server by which records may be lost, and with them the knowledge that a call has run.
/// Its [`Display`](fmt::Display) says it in words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// The server does not say how this is set.
    Unknown {
        /// The name of the setting.
        setting: &'static str,
    },
    /// When its memory is full it drops records to make room: `maxmemory-policy` is not `noeviction`.
    Evicts {
        /// What it is.
        policy: String,
    },
    /// After a restart it has lost what came after the last snapshot: `appendonly` is not `yes`.
    KeepsNoLog,
    /// After a power cut it has lost the last moments: `appendfsync` is not `always`. With `everysec`, which
    /// is Redis' default, it is about a second; a server that is killed loses nothing.
    SyncsLate {
        /// What it is.
        appendfsync: String,
    },
    /// A replica, which takes no claims.
    IsReplica,
    /// Nobody waits for its replicas, so that a failover may lose a claim. See
    /// [`wait_replicas`](RedisStore::wait_replicas).
    WaitsForNoReplica {
        /// How many it has.
        replicas: u32,
    },
    /// Fewer replicas than are waited for: no claim can be made.
    TooFewReplicas {
        /// How many it has.
        replicas: u32,
        /// How many are waited for.
        awaited: u32,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { setting } => write!(f, "`{setting}` is unknown: the server does not tell"),
            Self::Evicts { policy } => write!(
                f,
                "`maxmemory-policy` is `{policy}`: a full server drops records, and calls run again; \
                 set `noeviction`"
            ),
            Self::KeepsNoLog => f.write_str(
                "`appendonly` is `no`: a restart loses the last records, and calls run again; set `yes`",
            ),
            Self::SyncsLate { appendfsync } => write!(
                f,
                "`appendfsync` is `{appendfsync}`: a power cut loses the last records, and calls run \
                 again; set `always` where that matters"
            ),
            Self::IsReplica => f.write_str("the server is a replica: it takes no claims"),
            Self::WaitsForNoReplica { replicas } => write!(
                f,
                "the server has {replicas} replicas and nobody waits for them: a failover loses the last \
                 records, and calls run again; see `wait_replicas`"
            ),
            Self::TooFewReplicas { replicas, awaited } => write!(
                f,
                "the server has {replicas} replicas and {awaited} are waited for: no claim can be made"
            ),
        }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    /// Looks for settings of the server by which records may be lost: to be logged when a process starts.
    ///
    /// What the server does not tell, because `INFO` or `CONFIG` is forbidden, is
    /// [`Unknown`](Warning::Unknown). Of a cluster all servers are asked, and `appendfsync` is unknown, because
    /// `CONFIG` reaches one of them.
    ///
    /// ```no_run
    /// # extern crate resilience_stores as stores;
    /// # async fn start(store: stores::RedisStore<redis::aio::MultiplexedConnection>) {
    /// for warning in store.check().await.into_iter().flatten() {
    ///     eprintln!("idempotency records: {warning}");
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn check(&self) -> StoreResult<Vec<Warning>> {
        let mut connection = self.connection.clone();
        let info = redis::cmd("INFO");
        let info = told(&mut connection, &info).await.map_err(trouble)?;
        let config = if is_of_cluster(info.as_ref()) {
            None
        } else {
            let mut config = redis::cmd("CONFIG");
            config.arg("GET").arg("appendfsync");
            told(&mut connection, &config).await.map_err(trouble)?
        };
        let servers: Vec<String> = info.as_ref().map(texts).unwrap_or_default();
        let servers: Vec<Info<'_>> = servers.iter().filter_map(|text| Info::of(text)).collect();
        let mut warnings = Vec::new();
        if servers.is_empty() {
            let settings = ["maxmemory-policy", "appendonly", "role"];
            warnings.extend(settings.map(|setting| Warning::Unknown { setting }));
        }
        for server in &servers {
            server.warn(self.replicas, servers.len() == 1, &mut warnings);
        }
        let appends = servers.is_empty() || servers.iter().any(Info::appends);
        let config = config.as_ref().map(texts).unwrap_or_default();
        if appends {
            warnings.extend(syncs(&config));
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

/// Whether an INFO is that of all servers of a cluster, each by its name.
pub(super) fn is_of_cluster(info: Option<&Value>) -> bool {
    matches!(info, Some(Value::Map(_)))
}

/// What a server says of itself.
struct Info<'a>(&'a str);

impl<'a> Info<'a> {
    /// The text, if it is one and not the name of the server.
    fn of(text: &'a str) -> Option<Self> {
        text.contains("redis_version").then_some(Self(text))
    }

    fn says(&self, name: &str) -> Option<&'a str> {
        let mut lines = self.0.lines().filter_map(|line| line.trim_end().split_once(':'));
        lines.find_map(|(of, value)| (of == name).then_some(value))
    }

    fn appends(&self) -> bool {
        self.says("aof_enabled") != Some("0")
    }

    fn warn(&self, awaited: Option<Replicas>, is_alone: bool, warnings: &mut Vec<Warning>) {
        match self.says("maxmemory_policy") {
            Some("noeviction") => {}
            Some(policy) => warnings.push(Warning::Evicts { policy: policy.to_owned() }),
            None => warnings.push(Warning::Unknown { setting: "maxmemory-policy" }),
        }
        match self.says("aof_enabled") {
            Some("0") => warnings.push(Warning::KeepsNoLog),
            Some(_) => {}
            None => warnings.push(Warning::Unknown { setting: "appendonly" }),
        }
        let replicas = self.says("connected_slaves").and_then(|count| count.parse().ok());
        match (self.says("role"), replicas, awaited) {
            // In a cluster the client asks the right one.
            (Some("slave"), ..) if is_alone => warnings.push(Warning::IsReplica),
            (Some("slave"), ..) | (Some(_), Some(0), None) => {}
            (Some(_), Some(replicas), None) => {
                warnings.push(Warning::WaitsForNoReplica { replicas });
            }
            (Some(_), Some(replicas), Some(Replicas { count: awaited, .. })) => {
                if replicas < awaited {
                    warnings.push(Warning::TooFewReplicas { replicas, awaited });
                }
            }
            _ => warnings.push(Warning::Unknown { setting: "role" }),
        }
    }
}

/// Every value of `appendfsync` that is not the safest.
fn syncs(config: &[String]) -> Vec<Warning> {
    let values = config.windows(2).filter(|pair| pair[0] == "appendfsync").map(|pair| &pair[1]);
    let values: Vec<&String> = values.collect();
    if values.is_empty() {
        return vec![Warning::Unknown { setting: "appendfsync" }];
    }
    let late = values.into_iter().filter(|value| *value != "always");
    late.map(|value| Warning::SyncsLate { appendfsync: value.clone() }).collect()
}

/// What is answered; none where it is forbidden, or unknown to the server.
async fn told(connection: &mut impl ConnectionLike, command: &Cmd) -> RedisResult<Option<Value>> {
    use ServerErrorKind::{NoPerm, ResponseError};
    match command.query_async(connection).await {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.kind() {
            ErrorKind::Server(NoPerm | ResponseError) => Ok(None),
            _ => Err(error),
        },
    }
}

/// All texts of an answer, in their order.
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
