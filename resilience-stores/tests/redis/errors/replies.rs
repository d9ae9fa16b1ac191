//! Classification of server replies and client errors.

use std::sync::Arc;
use std::{error, fmt, io};

use redis::{Commands, ErrorKind, RedisError, ServerErrorKind};
use resilience::FailureClass;
use resilience::stores::redis::classify;
use resilience::stores::{classify_chain, find_class};

use super::fake_server::server;
use super::{LOST, REFUSED, UNSENT};

const PERMANENT: FailureClass = FailureClass::permanent();

/// Returns the error of a write answered with these lines.
fn error_of(answer: &'static [&'static str]) -> RedisError {
    let mut connection = redis::Client::open(server(answer)).unwrap().get_connection().unwrap();
    connection.set::<_, _, ()>("key", 1).unwrap_err()
}

#[test]
fn server_errors() {
    for (answer, class) in [
        (&["-TRYAGAIN Multiple keys request during rehashing of slot"], REFUSED),
        (&["-CLUSTERDOWN The cluster is down"], REFUSED),
        (&["-LOADING Redis is loading the dataset in memory"], REFUSED),
        (&["-MASTERDOWN Link with MASTER is down"], REFUSED),
        (&["-MOVED 3999 127.0.0.1:6381"], REFUSED),
        (&["-ASK 3999 127.0.0.1:6381"], REFUSED),
        (&["-READONLY You can't write against a read only replica."], REFUSED),
        (&["-NOREPLICAS Not enough good replicas to write."], REFUSED),
        (&["-BUSY Redis is busy running a script."], REFUSED),
        (&["-ERR unknown command"], PERMANENT),
        (&["-WRONGTYPE Operation against a key holding the wrong kind of value"], PERMANENT),
        (&["-OOM command not allowed when used memory > 'maxmemory'"], PERMANENT),
        (&["-NOPERM this user has no permissions"], PERMANENT),
        (&["-EXECABORT Transaction discarded because of previous errors."], PERMANENT),
        (&["-CROSSSLOT Keys in request don't hash to the same slot"], PERMANENT),
        (&["-NOSCRIPT No matching script"], PERMANENT),
    ] {
        let error = error_of(answer);
        assert_eq!(classify(&error), class, "{error}");
    }
}

#[test]
fn a_closed_connection() {
    let error = error_of(&[]);
    assert_eq!(classify(&error), LOST, "{error}");
}

#[test]
fn an_invalid_reply() {
    let error = error_of(&["HTTP/1.1 400 Bad Request"]);
    assert_eq!((error.kind(), classify(&error)), (ErrorKind::Parse, LOST));
}

#[test]
fn a_partly_executed_pipeline() {
    let url = server(&["+OK", "-TRYAGAIN Later"]);
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let error = redis::pipe().set("a", 1).set("b", 2).exec(&mut connection).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server(ServerErrorKind::TryAgain));
    assert_eq!(classify(&error), LOST, "{error}");
}

#[test]
fn a_pipeline_with_a_syntax_error() {
    let url = server(&["+OK", "-ERR syntax error"]);
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let error = redis::pipe().set("a", 1).set("b", 2).exec(&mut connection).unwrap_err();
    assert_eq!(classify(&error), PERMANENT, "{error}");
}

#[test]
fn client_errors() {
    for (kind, class) in [
        (ErrorKind::MasterNameNotFoundBySentinel, REFUSED),
        (ErrorKind::NoValidReplicasFoundBySentinel, REFUSED),
        (ErrorKind::ClusterConnectionNotFound, LOST),
        (ErrorKind::AuthenticationFailed, LOST),
        (ErrorKind::Parse, LOST),
        (ErrorKind::UnexpectedReturnType, PERMANENT),
        (ErrorKind::InvalidClientConfig, PERMANENT),
        (ErrorKind::Client, PERMANENT),
        (ErrorKind::EmptySentinelList, PERMANENT),
        (ErrorKind::RESP3NotSupported, PERMANENT),
        (ErrorKind::Extension, PERMANENT),
    ] {
        assert_eq!(classify(&RedisError::from((kind, "no"))), class, "{kind:?}");
    }
}

#[test]
fn io_errors() {
    for (kind, class) in [
        (io::ErrorKind::ConnectionRefused, UNSENT),
        // The socket file is missing.
        (io::ErrorKind::NotFound, UNSENT),
        (io::ErrorKind::ConnectionReset, LOST),
        (io::ErrorKind::BrokenPipe, LOST),
        (io::ErrorKind::UnexpectedEof, LOST),
        (io::ErrorKind::TimedOut, LOST),
        (io::ErrorKind::WouldBlock, LOST),
        (io::ErrorKind::HostUnreachable, LOST),
        (io::ErrorKind::PermissionDenied, PERMANENT),
        (io::ErrorKind::Unsupported, PERMANENT),
    ] {
        assert_eq!(classify(&RedisError::from(io::Error::from(kind))), class, "{kind}");
    }
}

/// An application error.
#[derive(Debug)]
struct CacheError<S>(S);

impl<S> fmt::Display for CacheError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cache does not answer")
    }
}

impl<S: error::Error + 'static> error::Error for CacheError<S> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn a_wrapped_error() {
    let loading = || RedisError::from((ServerErrorKind::BusyLoading.into(), "loading"));
    assert_eq!(classify_chain(&loading()), REFUSED);
    assert_eq!(classify_chain(&CacheError(loading())), REFUSED);
    assert_eq!(classify_chain(&CacheError(Box::new(loading()))), REFUSED);
    assert_eq!(classify_chain(&CacheError(Arc::new(loading()))), REFUSED);
    assert_eq!(find_class(&CacheError(io::Error::from(io::ErrorKind::TimedOut))), None);
}
