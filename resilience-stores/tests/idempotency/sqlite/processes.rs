//! Several processes on one file, and some of them killed.

use std::collections::HashSet;

use resilience::stores::SqliteStore;
use resilience::{IdempotencyRejection, RejectedKind};

use crate::child::{self, Process, say};
use crate::folder::Folder;
use crate::payments::{LEASE, Payments, Stays, why};

/// Plays a part, if this process has one: a file, a journal, where to stay, and requests.
async fn plays() -> bool {
    let Some(part) = child::part() else { return false };
    let [database, journal, stays, requests @ ..] = &part[..] else { panic!("{part:?}") };
    let store = SqliteStore::open(database).await.unwrap();
    let mut payments = Payments::new(store, journal);
    payments.stays = match stays.as_str() {
        "before" => Stays::BeforeTheEffect,
        "after" => Stays::AfterTheEffect,
        _ => Stays::Never,
    };
    let calls = requests.iter().map(|request| {
        let (payments, request) = (payments.clone(), request.clone());
        tokio::spawn(async move { payments.rerun(&request, 5).await })
    });
    for call in calls.collect::<Vec<_>>() {
        say(&call.await.unwrap().unwrap());
    }
    true
}

fn start(test: &str, folder: &Folder, stays: &str, requests: &[&str]) -> Process {
    let (database, journal) = (folder.database(), folder.journal());
    let part = [&[child::word(&database), child::word(&journal), stays], requests].concat();
    Process::start(&format!("sqlite::processes::{test}"), &part)
}

#[tokio::test]
async fn duplicates_in_four_processes_run_once() {
    if plays().await {
        return;
    }
    let folder = Folder::new();
    // The file is not there: that they all make it is part of the race.
    let test = "duplicates_in_four_processes_run_once";
    let processes = [(); 4].map(|()| start(test, &folder, "never", &["r-1"; 16]));
    let said: Vec<_> = processes.into_iter().flat_map(Process::ended).collect();
    assert_eq!(said.len(), 64);
    assert_eq!(said.iter().collect::<HashSet<_>>().len(), 1, "{said:?}");
    let store = SqliteStore::open(folder.database()).await.unwrap();
    assert_eq!(Payments::new(store, folder.journal()).lines().len(), 1);
}

#[tokio::test]
async fn executions_are_as_many_as_keys() {
    if plays().await {
        return;
    }
    let folder = Folder::new();
    let keys: Vec<String> = (0..24).map(|key| format!("r-{key}")).collect();
    let requests: Vec<&str> = keys.iter().map(String::as_str).collect();
    let processes =
        [(); 4].map(|()| start("executions_are_as_many_as_keys", &folder, "never", &requests));
    let said: Vec<_> = processes.into_iter().flat_map(Process::ended).collect();
    assert_eq!(said.len(), 4 * keys.len());
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let lines = Payments::new(store, folder.journal()).lines();
    assert_eq!(lines.len(), keys.len());
    assert_eq!(lines.iter().collect::<HashSet<_>>().len(), keys.len());
}

/// The payments after a process was killed in the middle of `r-1`.
async fn after_a_kill(test: &str, folder: &Folder, stays: &str) -> Payments<SqliteStore> {
    let mut process = start(test, folder, stays, &["r-1"]);
    assert_eq!(process.heard().as_deref(), Some("here"));
    process.kill();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    Payments::new(store, folder.journal())
}

/// The text that stands for the payment at the bank, in each line of the journal.
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
    // It waits for the end of the lease.
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
    assert_eq!(
        (lines.len(), child_keys(&lines).len()),
        (2, 1),
        "twice, by the same key: {lines:?}"
    );
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
            why(payments.unknown("r-1", 5).await),
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
    for (stays, lines) in [("before", ["asked", "paid"]), ("after", ["paid", "asked"])] {
        let folder = Folder::new();
        let payments = after_a_kill("killed_and_reconciled", &folder, stays).await;
        let paid = payments.reconcile("r-1", 5).await.unwrap();
        assert_eq!(paid.ends_with(" found"), stays == "after", "{paid}");
        // It is stored, and nobody is asked again.
        assert_eq!(payments.reconcile("r-1", 5).await.unwrap(), paid);
        let noted = payments.lines();
        let noted: Vec<_> = noted.iter().map(|line| &line[..line.len().min(5)]).collect();
        let lines = lines.map(|line| if line == "paid" { "paid " } else { line });
        assert_eq!(noted, lines, "killed {stays} the effect");
    }
}

#[tokio::test]
async fn a_live_process_keeps_its_lease() {
    if plays().await {
        return;
    }
    let folder = Folder::new();
    let mut process = start("a_live_process_keeps_its_lease", &folder, "after", &["r-1"]);
    assert_eq!(process.heard().as_deref(), Some("here"));
    tokio::time::sleep(2 * LEASE).await;
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let payments = Payments::new(store, folder.journal());
    let waiting = tokio::time::timeout(LEASE, payments.rerun("r-1", 5)).await;
    assert!(waiting.is_err(), "{waiting:?}");
    process.kill();
}
