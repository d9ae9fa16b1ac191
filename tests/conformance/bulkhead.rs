//! The area `bulkhead`: named calls acquire and release permits, as tasks that are polled once per
//! event.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use resilience::{Bulkhead, BulkheadAcquire, BulkheadPermit};
use serde_json::{Value, json};

use crate::case::{Skip, count, items, only, text};
use crate::report::{compare, per_event};

pub(crate) fn check(case: &Value) -> Result<Vec<String>, Skip> {
    let config = &case["config"];
    only(config, &["max_concurrent", "max_queue"])?;
    for event in items(&case["events"]) {
        only(event, &["op", "id", "expect"])?;
        if !matches!(text(&event["op"]), "acquire" | "release" | "abandon") {
            return Err(format!("op {} is not built", event["op"]));
        }
    }
    let max = count(&config["max_concurrent"]).expect("`max_concurrent` is a number");
    let queue = count(&config["max_queue"]).unwrap_or_default();
    let bulkhead = Bulkhead::new(max).queue(queue);
    let mut calls =
        Calls { bulkhead: &bulkhead, waiting: Vec::new(), running: Vec::new(), log: Vec::new() };
    // Expectations of the whole case are compared at the end.
    let mut events = case.clone();
    events["expect"] = json!({});
    let mut found = per_event(&events, |event| {
        let id = text(&event["id"]);
        let result = match text(&event["op"]) {
            "acquire" => calls.acquire(id),
            "release" => calls.release(id),
            _ => calls.abandon(id),
        };
        json!({
            "result": result,
            "execution_slots": max - bulkhead.running(),
            "queue_slots": queue as usize - bulkhead.queued(),
        })
    });
    compare(&case["expect"], &json!({ "order": calls.log }), "expect", &mut found);
    Ok(found)
}

struct Calls<'b> {
    bulkhead: &'b Bulkhead,
    waiting: Vec<(String, Pin<Box<BulkheadAcquire<'b>>>)>,
    running: Vec<(String, BulkheadPermit<'b>)>,
    log: Vec<String>,
}

impl<'b> Calls<'b> {
    fn acquire(&mut self, id: &str) -> &'static str {
        let mut call = Box::pin(self.bulkhead.acquire());
        match poll(&mut call) {
            Poll::Ready(Ok(permit)) => {
                self.enter(id.to_owned(), permit);
                "permitted"
            }
            Poll::Ready(Err(_)) => "rejected",
            Poll::Pending => {
                self.waiting.push((id.to_owned(), call));
                "queued"
            }
        }
    }

    fn release(&mut self, id: &str) -> &'static str {
        let index = self.running.iter().position(|(other, _)| other == id).expect("it runs");
        self.log.push(format!("exit:{id}"));
        drop(self.running.swap_remove(index));
        // From the back: the order of service must not depend on the order of polling.
        for index in (0..self.waiting.len()).rev() {
            if let Poll::Ready(Ok(permit)) = poll(&mut self.waiting[index].1) {
                let (id, _) = self.waiting.remove(index);
                self.enter(id, permit);
            }
        }
        "released"
    }

    fn abandon(&mut self, id: &str) -> &'static str {
        self.waiting.retain(|(other, _)| other != id);
        "abandoned"
    }

    fn enter(&mut self, id: String, permit: BulkheadPermit<'b>) {
        self.log.push(format!("enter:{id}"));
        self.running.push((id, permit));
    }
}

fn poll<'b>(
    call: &mut Pin<Box<BulkheadAcquire<'b>>>,
) -> Poll<<BulkheadAcquire<'b> as Future>::Output> {
    call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}
