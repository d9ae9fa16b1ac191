//! Data on the server and on the wire: no key, no scope, no argument, and no local time.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use redis::{Commands, Connection};
use resilience::idempotent::{Claim, KeyParts, Store};
use resilience::stores::RedisStore;
use resilience::{IdempotencyRejection, Rejected, RejectedKind, idempotent};

use super::{ClaimSpec, DAY, MINUTE, TestStore, admin, connected, count, store_of};
use crate::servers::Redis;

/// Charges, with a key of any type.
#[idempotent(store = *store, key = key, scope = scope, fingerprint(payload), name = "test.keys")]
async fn charge<K: KeyParts + Send + Sync>(
    store: &TestStore,
    key: K,
    scope: &str,
    payload: &str,
) -> Result<usize, Rejected> {
    Ok(payload.len())
}

/// Returns everything on the server: the names, and the fields with values.
fn everything(server: &mut Connection) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let names: Vec<Vec<u8>> = server.keys("*").unwrap();
    names.into_iter().map(|name| (name.clone(), server.hgetall(name).unwrap())).collect()
}

#[tokio::test]
async fn the_server_stores_no_plain_text() {
    let Some(server) = Redis::start(&[]) else { return };
    let (store, mut admin) = (store_of(&server).await, admin(&server));
    let marks = [
        "",
        "{tag}",
        "{",
        "}",
        "*",
        "\"",
        "\\",
        "'",
        "\0",
        "\r\nSET x 1\r\n",
        "\r\n*1\r\n$8\r\nFLUSHALL",
    ];
    let mut records = 0;
    for mark in marks {
        let key = format!("raw-key{mark}");
        if mark.bytes().all(|byte| byte.is_ascii_graphic()) {
            records += 1;
            for _ in 0..2 {
                assert_eq!(
                    charge(&store, &key, "raw-scope", "raw-payload").await,
                    Ok(11),
                    "{key:?}"
                );
            }
        } else {
            let rejected = charge(&store, &key, "raw-scope", "raw-payload").await.unwrap_err();
            assert_eq!(
                rejected.kind(),
                RejectedKind::Idempotency(IdempotencyRejection::InvalidKey)
            );
        }
        // Keys, scopes and payloads may contain arbitrary bytes.
        let (mut bytes, scope) = ([b' '; 32], format!("raw-scope{mark}"));
        bytes[..key.len()].copy_from_slice(key.as_bytes());
        records += 1;
        for _ in 0..2 {
            assert_eq!(charge(&store, bytes, &scope, &key).await, Ok(key.len()), "{key:?}");
        }
        assert_eq!(count(&mut admin), records, "{key:?}");
    }
    for (name, values) in everything(&mut admin) {
        let text = std::str::from_utf8(&name).unwrap();
        let digits = text.strip_prefix("resilience:idem:{").and_then(|rest| rest.strip_suffix('}'));
        let digits = digits.unwrap_or_else(|| panic!("{text}"));
        assert!(
            digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
            "{text}"
        );
        for bytes in values.iter().chain([&name]) {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains("raw-"), "{text}");
        }
    }
}

/// The store needs exactly the commands listed in the guide.
#[tokio::test]
async fn the_required_commands() {
    const COMMANDS: [&str; 9] =
        ["+evalsha", "+eval", "+del", "+time", "+hmget", "+hset", "+hdel", "+pexpire", "+pttl"];
    let Some(server) = Redis::start(&[]) else { return };
    let mut acl = redis::cmd("ACL");
    acl.arg(&["SETUSER", "app", "on", ">word", "~resilience:idem:*"]).arg(&COMMANDS);
    acl.exec(&mut admin(&server)).unwrap();
    let url = format!("redis://app:word@127.0.0.1:{}", server.port());
    let store = RedisStore::new(connected(url).await);
    let spec = ClaimSpec::of(1);
    for round in 0..3 {
        let token = spec.by(round).acquire(&store).await;
        let _ = store.renew(&spec.key, token, MINUTE).await.unwrap();
        let _ = match round {
            0 => store.release(&spec.key, token).await.unwrap(),
            1 => store.complete(&spec.key, token, b"done", DAY).await.unwrap(),
            _ => store.abandon(&spec.key, token).await.unwrap(),
        };
        if round == 1 {
            assert!(store.forget(&spec.key).await.unwrap());
        }
    }
    let after = spec.by(9).claim(&store).await.unwrap();
    assert_eq!(after, Claim::Interrupted { attempt: 1 });
    store.interrupted(1).await.unwrap_err();
}

/// Claims at different times send identical requests, so a wrong local clock has no influence.
#[tokio::test]
async fn no_request_contains_a_time() {
    let Some(server) = Redis::start(&[]) else { return };
    let mut monitor = BufReader::new(TcpStream::connect(("127.0.0.1", server.port())).unwrap());
    monitor.get_mut().write_all(b"MONITOR\r\n").unwrap();
    let mut line = String::new();
    monitor.read_line(&mut line).unwrap();
    assert_eq!(line, "+OK\r\n");

    let spec = ClaimSpec::of(1);
    let mut rounds = Vec::new();
    for round in 0..2 {
        let store = RedisStore::new(connected(server.url()).await);
        let token = spec.acquire(&store).await;
        let _ = store.renew(&spec.key, token, MINUTE).await.unwrap();
        let _ = store.complete(&spec.key, token, b"done", DAY).await.unwrap();
        let _ = store.forget(&spec.key).await.unwrap();
        let mark = format!("end-of-{round}");
        admin(&server).set::<_, _, ()>(&mark, 1).unwrap();
        let mut requests = Vec::new();
        loop {
            let mut line = String::new();
            monitor.read_line(&mut line).unwrap();
            if line.contains(&mark) {
                break;
            }
            // The server time, and the client or the script.
            let (by, words) = line.split_once("] ").unwrap();
            // The fence was issued by the server.
            let words = words.replace(&token.fence.to_string(), "<fence>");
            let is_ours = words.contains("\"EVAL") || words.contains("\"DEL\"");
            if !by.ends_with(" lua") && is_ours {
                requests.push(words);
            }
        }
        rounds.push(requests);
    }
    // The first round repeats each script with the source code, because the server does not know
    // the hash.
    let (first, second) = (&rounds[0], &rounds[1]);
    assert_eq!(second.len(), 4, "{second:?}");
    let known: Vec<&String> =
        first.iter().filter(|request| !request.contains("\"EVAL\"")).collect();
    assert!(known.into_iter().eq(second), "{rounds:#?}");
}
