//! Several processes with one file, some of them killed.

use std::collections::HashSet;

use resilience::stores::SqliteStore;
use resilience::{IdempotencyRejection, RejectedKind};

use crate::child::{self, Process, report};
use crate::folder::Folder;
use crate::payments::{HangAt, LEASE, Payments, rejection_kind};

/// Plays the role of this process, if any: a file, a journal, the phase to hang in, and requests.
async fn plays() -> bool {
    let Some(role) = child::role() else { return false };
    let [database, journal, hang_at, requests @ ..] = &role[..] else { panic!("{role:?}") };
    let store = SqliteStore::open(database).await.unwrap();
    let mut payments = Payments::new(store, journal);
    payments.hang_at = match hang_at.as_str() {
        "before" => HangAt::BeforeEffect,
        "after" => HangAt::AfterEffect,
        _ => HangAt::Never,
    };
    let calls = requests.iter().map(|request| {
        let (payments, request) = (payments.clone(), request.clone());
        tokio::spawn(async move {
            // A process that is not killed must keep the lease on any machine.
            match payments.hang_at {
                HangAt::Never => payments.long_lease(&request, 5).await,
                HangAt::BeforeEffect | HangAt::AfterEffect => payments.rerun(&request, 5).await,
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        report(&call.await.unwrap().unwrap());
    }
    true
}

fn start(test: &str, folder: &Folder, hang_at: &str, requests: &[&str]) -> Process {
    let (database, journal) = (folder.database(), folder.journal());
    let role = [&[child::word(&database), child::word(&journal), hang_at], requests].concat();
    Process::start(&format!("sqlite::processes::{test}"), &role)
}

#[tokio::test]
async fn duplicates_in_four_processes_run_once() {
    if plays().await {
        return;
    }
    let folder = Folder::new();
    // The file does not exist yet: creating the file is part of the race.
    let test = "duplicates_in_four_processes_run_once";
    let processes = [(); 4].map(|()| start(test, &folder, "never", &["r-1"; 16]));
    let reports: Vec<_> = processes.into_iter().flat_map(Process::wait).collect();
    assert_eq!(reports.len(), 64);
    assert_eq!(reports.iter().collect::<HashSet<_>>().len(), 1, "{reports:?}");
    let store = SqliteStore::open(folder.database()).await.unwrap();
    assert_eq!(Payments::new(store, folder.journal()).lines().len(), 1);
}

#[tokio::test]
async fn one_execution_per_key() {
    if plays().await {
        return;
    }
    let folder = Folder::new();
    let keys: Vec<String> = (0..24).map(|key| format!("r-{key}")).collect();
    let requests: Vec<&str> = keys.iter().map(String::as_str).collect();
    let processes = [(); 4].map(|()| start("one_execution_per_key", &folder, "never", &requests));
    let reports: Vec<_> = processes.into_iter().flat_map(Process::wait).collect();
    assert_eq!(reports.len(), 4 * keys.len());
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let lines = Payments::new(store, folder.journal()).lines();
    assert_eq!(lines.len(), keys.len());
    assert_eq!(lines.iter().collect::<HashSet<_>>().len(), keys.len());
}

/// Returns the payments after a process was killed in the middle of `r-1`.
async fn after_a_kill(test: &str, folder: &Folder, hang_at: &str) -> Payments<SqliteStore> {
    let mut process = start(test, folder, hang_at, &["r-1"]);
    assert_eq!(process.next_report().as_deref(), Some("here"));
    process.kill();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    Payments::new(store, folder.journal())
}

/// Returns the bank key of each line in the journal.
fn child_keys(lines: &[String]) -> HashSet<&str> {
    lines.iter().map(|line| line.split(' ').nth(1).unwrap()).collect()
}

#[tokio::test]
async fn killed_before_the_effect() {
    if plays().await {
        return;
    }
    let folder = Folder::new();
    let payments = after_a_kill("killed_before_the_effect", &folder, "before").await;
    assert_eq!(payments.lines().len(), 0);
    // The second process waits for the end of the lease.
    let paid = payments.rerun("r-1", 5).await.unwrap();
    assert!(paid.ends_with(" 2"), "the second attempt: {paid}");
    assert_eq!(payments.rerun("r-1", 5).await.unwrap(), paid);
    assert_eq!(payments.lines().len(), 1);
}

#[tokio::test]
async fn killed_after_the_effect_and_rerun() {
    if plays().await {
        return;
    }
    let folder = Folder::new();
    let payments = after_a_kill("killed_after_the_effect_and_rerun", &folder, "after").await;
    payments.rerun("r-1", 5).await.unwrap();
    let lines = payments.lines();
    assert_eq!((lines.len(), child_keys(&lines).len()), (2, 1), "twice, with one key: {lines:?}");
}

#[tokio::test]
async fn killed_after_the_effect_and_unknown() {
    if plays().await {
        return;
    }
    let folder = Folder::new();
    let payments = after_a_kill("killed_after_the_effect_and_unknown", &folder, "after").await;
    for _ in 0..2 {
        assert_eq!(
            rejection_kind(payments.unknown("r-1", 5).await),
            RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown)
        );
    }
    assert_eq!(payments.lines().len(), 1);
}

#[tokio::test]
async fn killed_and_reconciled() {
    if plays().await {
        return;
    }
    for (hang_at, lines) in [("before", ["asked", "paid"]), ("after", ["paid", "asked"])] {
        let folder = Folder::new();
        let payments = after_a_kill("killed_and_reconciled", &folder, hang_at).await;
        let paid = payments.reconcile("r-1", 5).await.unwrap();
        assert_eq!(paid.ends_with(" found"), hang_at == "after", "{paid}");
        // The outcome is stored, and `reconcile` is not called again.
        assert_eq!(payments.reconcile("r-1", 5).await.unwrap(), paid);
        let noted = payments.lines();
        let noted: Vec<_> = noted.iter().map(|line| &line[..line.len().min(5)]).collect();
        let lines = lines.map(|line| if line == "paid" { "paid " } else { line });
        assert_eq!(noted, lines, "killed {hang_at} the side effect");
    }
}

#[tokio::test]
async fn a_live_process_keeps_the_lease() {
    if plays().await {
        return;
    }
    let folder = Folder::new();
    let mut process = start("a_live_process_keeps_the_lease", &folder, "after", &["r-1"]);
    assert_eq!(process.next_report().as_deref(), Some("here"));
    tokio::time::sleep(2 * LEASE).await;
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let payments = Payments::new(store, folder.journal());
    let waiting = tokio::time::timeout(LEASE, payments.rerun("r-1", 5)).await;
    assert!(waiting.is_err(), "{waiting:?}");
    process.kill();
}
