//! Several processes, each with a separate connection: this test binary, started again.

use std::env;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::{AsyncCommands, Commands};
use resilience::stores::RedisStore;
use resilience::{Rejected, idempotent};

use super::{TestStore, admin, connected};
use crate::servers::Redis;

/// The environment variable with the address of the server, for child processes.
const SERVER: &str = "RESILIENCE_TEST_REDIS";

fn start(test: &str, server: &Redis) -> Child {
    let arguments = [test, "--exact", "--nocapture", "--test-threads=1"];
    let mut process = Command::new(env::current_exe().unwrap());
    process.args(arguments).env(SERVER, server.url()).stdout(Stdio::null()).spawn().unwrap()
}

#[idempotent(
    store = *store, key = request, scope = "global", fingerprint(), name = "count",
    concurrent = wait("20s"), store_timeout = "10s"
)]
async fn count(store: &TestStore, request: u32) -> Result<u32, Rejected> {
    let counted = store.connection().clone().incr("counted", 1).await.unwrap();
    // Enough time for all concurrent calls to arrive.
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(counted)
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_in_two_processes_run_once() {
    if let Ok(url) = env::var(SERVER) {
        let store = RedisStore::new(connected(url).await);
        // Both processes start at the same time.
        let begun: i32 = store.connection().clone().incr("begun", 1).await.unwrap();
        while begun < 2 && store.connection().clone().get::<_, i32>("begun").await.unwrap() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let calls = (0..32).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { count(&store, 7).await })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), Ok(1));
        }
        store.connection().clone().incr::<_, _, ()>("ended", 1).await.unwrap();
        return;
    }
    let Some(server) = Redis::start(&[]) else { return };
    let test = "store::processes::duplicates_in_two_processes_run_once";
    let processes = [start(test, &server), start(test, &server)];
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    let mut admin = admin(&server);
    assert_eq!(admin.mget::<_, Vec<u32>>(&["begun", "counted", "ended"]).unwrap(), [2, 1, 2]);
}

#[idempotent(
    store = *store, key = request, scope = "global", fingerprint(), name = "die",
    lease = "200ms", concurrent = wait("20s"), store_timeout = "10s"
)]
async fn may_die(store: &TestStore, request: u32, dies: bool) -> Result<u32, Rejected> {
    let counted = store.connection().clone().incr("counted", 1).await.unwrap();
    if dies {
        std::process::abort();
    }
    Ok(counted)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_process_is_taken_over_after_the_lease() {
    if let Ok(url) = env::var(SERVER) {
        let store = RedisStore::new(connected(url).await);
        let _ = may_die(&store, 7, true).await;
        return;
    }
    let Some(server) = Redis::start(&[]) else { return };
    let test = "store::processes::a_dead_process_is_taken_over_after_the_lease";
    assert!(!start(test, &server).wait().unwrap().success());
    let store = RedisStore::new(connected(server.url()).await);
    assert_eq!(may_die(&store, 7, false).await, Ok(2));
    assert_eq!(may_die(&store, 7, false).await, Ok(2));
}
